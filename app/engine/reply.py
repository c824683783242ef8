"""A reply while it grows: from the bytes of generated tokens to whole characters, and nothing of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter

from app.engine.base import Delta, Done, Event, Request, StopReason
from app.engine.looping import Loop


class StopStrings:
    """Watches a growing text for strings that end it, and holds back what may be the beginning of one."""

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings = tuple(dict.fromkeys(text for text in strings if text))
        self._longest = max(map(len, self._strings), default=0)
        self._held = ""
        self.hit = False
        """Whether a stop string came; from then on all text is dropped."""

    def feed(self, text: str) -> str:
        """What of the text so far can be shown now."""
        if self.hit or not self._strings:
            return "" if self.hit else text
        self._held += text
        found = [at for at in (self._held.find(string) for string in self._strings) if at >= 0]
        if found:
            self.hit = True
            safe = min(found)
        else:
            safe = len(self._held) - self._possible_start()
        shown, self._held = self._held[:safe], self._held[safe:]
        return shown

    def rest(self) -> str:
        """What was held back, once it is sure that no more text comes."""
        held, self._held = self._held, ""
        return "" if self.hit else held

    def _possible_start(self) -> int:
        """How many characters at the end could be the beginning of a stop string."""
        for size in range(min(self._longest - 1, len(self._held)), 0, -1):
            tail = self._held[-size:]
            if any(string.startswith(tail) for string in self._strings):
                return size
        return 0


class ReplyText:
    """The text of a reply as its tokens' bytes come in. Bytes that are no UTF-8 become U+FFFD."""

    def __init__(self, stop: Iterable[str] = (), *, drop_first_space: bool = False) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = StopStrings(stop)
        self._drop_space = drop_first_space
        self.shown = 0
        """Characters shown so far."""
        self.decoded = 0
        """Characters decoded so far, those held back or behind a stop string among them."""

    @property
    def stopped(self) -> bool:
        """Whether a stop string came."""
        return self._stops.hit

    @property
    def between_characters(self) -> bool:
        """Whether no character is half decoded."""
        return not self._decoder.getstate()[0]

    def feed(self, piece: bytes) -> str:
        """Add one token's bytes; the text that can be shown now, which may be empty."""
        return self._show(self._stops.feed(self._decode(piece)))

    def finish(self) -> str:
        """The text still held back when the reply is over."""
        text = self._stops.feed(self._decode(b"", final=True))
        return self._show(text + self._stops.rest())

    def _decode(self, piece: bytes, *, final: bool = False) -> str:
        # a model may write NUL, which no text can hold where it is shown, stored or copied
        text = self._decoder.decode(piece, final).replace("\0", "")
        if text and self._drop_space:
            self._drop_space = False
            text = text.removeprefix(" ")
        self.decoded += len(text)
        return text

    def _show(self, text: str) -> str:
        self.shown += len(text)
        return text


class Reply:
    """One reply from request to end: its ids, its text and its times."""

    def __init__(self, request: Request, stop: Iterable[str] = (), *, drop_first_space: bool = False) -> None:
        self.cached_tokens = 0
        self.moved_tokens = 0
        self._request = request
        self._ids: list[int] = []
        self._ends: list[int] = []
        """For each id, how many characters there are up to its end; -1 where it ends inside one."""
        self._parts: list[str] = []
        self._text = ReplyText((*request.sampling.stop, *stop), drop_first_space=drop_first_space)
        self._loop = Loop()
        self.repeats = False
        """Whether it says nothing new any more; what to do about it is up to the caller."""
        self._started = perf_counter()
        self._first = self._last = 0.0

    def add(self, token: int, piece: bytes) -> Delta:
        """One more generated token."""
        self._last = perf_counter()
        self._first = self._first or self._last
        self._ids.append(token)
        self.repeats = self._loop.noticed(self._ids, piece)
        shown = self._text.feed(piece)
        self._ends.append(self._text.decoded if self._text.between_characters else -1)
        if shown:
            self._parts.append(shown)
        return Delta(shown, len(self._ids))

    @property
    def endless(self) -> bool:
        """Whether it goes on past the model's own end."""
        return self._request.endless

    @property
    def over(self) -> StopReason | None:
        """Why the reply ends here; None while it may go on."""
        if self._text.stopped:
            return StopReason.STOP_STRING
        limit = self._request.sampling.max_tokens
        return StopReason.LENGTH if limit is not None and len(self._ids) >= limit else None

    def end(self, reason: StopReason, seed: int, tokens_of: Callable[[str], tuple[int, ...]]) -> Iterator[Event]:
        """The last events. `tokens_of` gives the ids of a text, should a stop string have cut through a token."""
        if rest := self._text.finish():
            self._parts.append(rest)
            yield Delta(rest, len(self._ids))
        now = perf_counter()
        count, seconds = len(self._ids), self._last - self._first
        yield Done(
            reason=reason,
            prompt_tokens=len(self._request.tokens),
            cached_tokens=self.cached_tokens,
            completion_tokens=count,
            ttft_ms=(self._first - self._started) * 1000 if count else 0.0,
            tokens_per_s=(count - 1) / seconds if count > 1 and seconds > 0 else 0.0,
            duration_ms=(now - self._started) * 1000,
            seed=seed,
            token_ids=self._shown_ids(tokens_of) if reason is StopReason.STOP_STRING else tuple(self._ids),
            moved_tokens=self.moved_tokens,
        )

    def _shown_ids(self, tokens_of: Callable[[str], tuple[int, ...]]) -> tuple[int, ...]:
        """The ids of the text that was shown: generated ones as far as they go, then those of the rest of it."""
        whole = [index for index, end in enumerate(self._ends) if 0 <= end <= self._text.shown]
        kept = whole[-1] + 1 if whole else 0
        start = self._ends[kept - 1] if kept else 0
        return tuple(self._ids[:kept]) + tokens_of("".join(self._parts)[start:])

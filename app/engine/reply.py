"""From the bytes of generated tokens to the text that is shown: whole characters, and nothing of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Iterable


class StopStrings:
    """Watches a growing text for strings that end it, and holds back what may be the beginning of one."""

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings = tuple(dict.fromkeys(text for text in strings if text))
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
        for size in range(min(max(map(len, self._strings)) - 1, len(self._held)), 0, -1):
            tail = self._held[-size:]
            if any(string.startswith(tail) for string in self._strings):
                return size
        return 0


class ReplyText:
    """The text of a reply as its tokens' bytes come in. Bytes that are no UTF-8 become U+FFFD."""

    def __init__(self, stop: Iterable[str], *, drop_first_space: bool = False) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = StopStrings(stop)
        self._drop_space = drop_first_space
        self.length = 0
        """Characters shown so far."""

    @property
    def stopped(self) -> bool:
        """Whether a stop string came."""
        return self._stops.hit

    def feed(self, piece: bytes) -> str:
        """Add one token's bytes; the text that can be shown now, which may be empty."""
        return self._count(self._stops.feed(self._first(self._decoder.decode(piece))))

    def finish(self) -> str:
        """The text still held back when the reply is over."""
        text = self._stops.feed(self._first(self._decoder.decode(b"", final=True)))
        return self._count(text + self._stops.rest())

    def _first(self, text: str) -> str:
        if text and self._drop_space:
            self._drop_space = False
            return text.removeprefix(" ")
        return text

    def _count(self, text: str) -> str:
        self.length += len(text)
        return text

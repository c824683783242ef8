"""An engine that says what it is told, at the pace it is told, and fails where it is told: for timing and faults."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.core.chatml import IM_END, IM_START
from app.core.errors import AppError, EngineError, MessageTooLongError
from app.core.options import Loading
from app.core.placement import Placement
from app.core.stopping import StopFlag
from app.engine.base import (
    MOST_AT_ONCE,
    Delta,
    Event,
    Failed,
    ModelFacts,
    Prompt,
    Reading,
    Request,
    StopReason,
    Tagged,
    Turn,
    Wish,
)
from app.engine.moving import common_length
from app.engine.prompt import ChatMLRenderer
from app.engine.reply import Reply
from app.engine.sampling import MAX_SEED

_TICK_S = 0.005
_READ_SLICE = 256
_FIRST_WORD_ID = 16


_NOWHERE = Placement()


@dataclass(frozen=True, slots=True)
class Script:
    """What a scripted engine does. Rates are tokens per second, None for as fast as it goes."""

    replies: tuple[str, ...] = ("This is a scripted reply.",)
    """Said in turn, over and over."""
    tokens_per_s: float | None = None
    read_tokens_per_s: float | None = None
    n_ctx: int = 4096
    load_s: float = 0.0
    load_error: AppError | None = None
    render_error: AppError | None = None
    fail_at_token: int | None = None
    """Fail when this many tokens of a reply have been said."""
    name: str = "Scripted"
    notices: tuple[str, ...] = ()
    n_layers: int = 0
    placement: Placement = _NOWHERE
    inexact: str = ""


class ScriptedVocabulary:
    """Words, spaces and single signs, numbered as they are first met."""

    adds_bos = False
    bos = -1

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._ids: dict[str, int] = {}

    def text_tokens(self, text: str) -> tuple[int, ...]:
        """The ids of a text; control strings are signs and letters like any other."""
        return tuple(self._id(word) for word in re.findall(r" ?\w+|.", text, re.DOTALL))

    following_tokens = text_tokens

    def piece(self, token: int) -> bytes:
        """The bytes of one id; nothing for a control id."""
        return self._texts[token - _FIRST_WORD_ID].encode("utf-8", "replace") if token >= _FIRST_WORD_ID else b""

    def id_of(self, text: str) -> int | None:
        """The id of a control token; None for anything else."""
        return {IM_START: 1, IM_END: 2}.get(text)

    def says(self, tokens: Sequence[int]) -> str | None:
        """The text of ids; None where one is not known."""
        if any(not _FIRST_WORD_ID <= token < len(self) for token in tokens):
            return None
        return b"".join(map(self.piece, tokens)).decode()

    def __len__(self) -> int:
        return _FIRST_WORD_ID + len(self._texts)

    def _id(self, word: str) -> int:
        if word not in self._ids:
            self._ids[word] = len(self)
            self._texts.append(word)
        return self._ids[word]


class ScriptedEngine:
    """Keeps the whole contract without a model. `script` may be replaced between two replies."""

    def __init__(self, script: Script | None = None, path: str = "scripted.gguf") -> None:
        self.script = script or Script()
        self._path = path
        self._vocabulary = ScriptedVocabulary()
        self._renderer = ChatMLRenderer(self._vocabulary)
        self._knowns: list[list[int]] = [[]]
        """What was read: by `stream`, then by the latest speeches of `stream_many`."""
        self._said = 0
        self._closed = False

    @property
    def facts(self) -> ModelFacts:
        """Made up, but of the right kinds."""
        return ModelFacts(
            name=self.script.name,
            path=self._path,
            architecture="scripted",
            size_bytes=0,
            n_params=0,
            n_ctx=self.script.n_ctx,
            n_ctx_train=self.script.n_ctx,
            n_layers=self.script.n_layers,
            n_vocab=len(self._vocabulary),
            gpu_layers=self.script.placement.gpu_layers,
            template="ChatML",
            notices=self.script.notices,
            placement=self.script.placement,
            n_at_once=MOST_AT_ONCE,
            engine="scripted",
            devices=("CPU",),
            inexact=self.script.inexact,
        )

    def tell(self, notice: str, *, why_cpu: bool = False) -> None:
        """Add a sentence for the person to what is made up."""
        told = self.facts.told(notice, why_cpu=why_cpu)
        self.script = replace(self.script, notices=told.notices, placement=told.placement)

    @property
    def is_alive(self) -> bool:
        """Whether it is open."""
        return not self._closed

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """ChatML, or the script's error."""
        self._must_be_open()
        if self.script.render_error:
            raise self.script.render_error
        return self._renderer.render(turns, reply=reply)

    def count(self, text: str) -> int:
        """How many words, spaces and signs a text is."""
        self._must_be_open()
        return len(self._vocabulary.text_tokens(text))

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Say the next reply of the script."""
        self._must_be_open()
        if refusal := self._refusal(request):
            raise refusal
        return self._speak(request, partial(_pause, stop=stop), self._knowns[0])

    def stream_many(
        self, wishes: Iterator[Wish | None], stop: StopFlag, width: int = MOST_AT_ONCE, *, from_scratch: bool = False
    ) -> Iterator[Tagged]:
        """Say the next replies of the script side by side, a token of each at a time, each at the script's pace."""
        self._must_be_open()
        if from_scratch:
            self._knowns = [[]]
        return self._speak_many(wishes, stop, min(width, MOST_AT_ONCE))

    def keep_in(self, folder: str, limit_bytes: int) -> None:
        """Words cost nothing to read again: nothing is kept."""

    def drop(self, conversation: int) -> None:
        """Nothing to forget."""

    def rest(self, stop: StopFlag | None = None) -> None:
        """Nothing to write."""

    def close(self) -> None:
        """Refuse all further work; harmless when repeated."""
        self._closed = True

    def _refusal(self, request: Request) -> AppError | None:
        if len(request.tokens) < self.script.n_ctx:
            return None
        return MessageTooLongError(
            "This message is too long for the model",
            f"The prompt is {len(request.tokens):,} tokens; the context holds {self.script.n_ctx:,}.",
            "Shorten it.",
        )

    def _next_words(self) -> tuple[int, ...]:
        reply = self.script.replies[self._said % len(self.script.replies)] if self.script.replies else ""
        self._said += 1
        return self._vocabulary.text_tokens(reply)

    def _speak_many(self, wishes: Iterator[Wish | None], stop: StopFlag, width: int) -> Iterator[Tagged]:
        speeches: dict[int, Iterator[Event]] = {}
        taken, over, nothing = 0, False, False
        while True:
            while len(speeches) < width and not (over or nothing or stop.is_set()):
                wish = next(wishes, ())
                over, nothing = wish == (), wish is None
                if not wish:
                    break
                request, own = wish
                refusal = self._refusal(request)
                if refusal is None:
                    speeches[taken] = self._speak(request, partial(_goes_on, (stop, own)), None)
                else:
                    yield Tagged(taken, Failed(refusal))
                taken += 1
            if not speeches:
                return
            _pause(self.script.tokens_per_s, stop)
            for index in list(speeches):
                for event in speeches[index]:
                    yield Tagged(index, event)
                    if isinstance(event, Delta):
                        break
                else:
                    del speeches[index]
                    nothing = False

    def _known_by(self, request: Request) -> list[int]:
        """A cache for one of several speeches, with what others have read of its beginning."""
        known = max(self._knowns, key=lambda known: common_length(known, request.tokens))[:]
        self._knowns = [self._knowns[0], *self._knowns[1:][-MOST_AT_ONCE:], known]
        return known

    def _speak(
        self, request: Request, pause: Callable[[float | None], bool], known: list[int] | None
    ) -> Iterator[Event]:
        """One reply. `pause` waits for a token's time at a rate and is False once stopped.

        `known` is what was read before, None for what any other speech has read.
        """
        reply, known = Reply(request), self._known_by(request) if known is None else known
        reply.cached_tokens = min(common_length(known, request.tokens), len(request.tokens) - 1)
        del known[reply.cached_tokens :]
        words = self._next_words()
        yield from self._read(request.tokens, known, pause)
        reason: StopReason | None = None
        for count, token in enumerate(words):
            if self.script.fail_at_token == count:
                raise EngineError("The model stopped working", "The script says so.", "Send the message again.")
            if not pause(self.script.tokens_per_s):
                reason = StopReason.STOPPED
                break
            if len(known) >= self.script.n_ctx:
                reason = StopReason.CONTEXT
                break
            known.append(token)
            yield reply.add(token, self._vocabulary.piece(token))
            if reason := reply.over:
                break
        seed = request.sampling.seed
        yield from reply.end(
            reason or (StopReason.END if pause(None) else StopReason.STOPPED),
            secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
            self._vocabulary.following_tokens,
        )

    def _read(
        self, tokens: tuple[int, ...], known: list[int], pause: Callable[[float | None], bool]
    ) -> Iterator[Reading]:
        rate = self.script.read_tokens_per_s
        yield Reading(len(known), len(tokens))
        while len(known) < len(tokens):
            part = tokens[len(known) : len(known) + _READ_SLICE]
            if not pause(rate and rate / len(part)):
                return
            known += part
            yield Reading(len(known), len(tokens))

    def _must_be_open(self) -> None:
        if self._closed:
            raise EngineError("The model is not loaded", "It was closed.", "Load it again.")


def scripted_loader(script: Script) -> Callable[..., ScriptedEngine | None]:
    """A stand-in for `llama.load` that takes the script's time and may fail."""

    def load(
        path: str,
        loading: Loading,
        stop: StopFlag,
        on_progress: Callable[[float], None] = lambda _fraction: None,
    ) -> ScriptedEngine | None:
        until = time.perf_counter() + script.load_s
        while (left := until - time.perf_counter()) > 0:
            if stop.is_set():
                return None
            on_progress(1 - left / script.load_s)
            time.sleep(min(left, _TICK_S))
        if script.load_error:
            raise script.load_error
        on_progress(1.0)
        return None if stop.is_set() else ScriptedEngine(script, path)

    return load


def _goes_on(flags: tuple[StopFlag, ...], _rate: float | None) -> bool:
    """In place of a pause where one was made for all speeches together; False once stopped."""
    return not any(flag.is_set() for flag in flags)


def _pause(rate: float | None, stop: StopFlag) -> bool:
    """Wait for one token's time, in small steps; False once stopped."""
    if stop.is_set():
        return False
    until = time.perf_counter() + (1 / rate if rate else 0)
    while (left := until - time.perf_counter()) > 0:
        if stop.is_set():
            return False
        time.sleep(min(left, _TICK_S))
    return True

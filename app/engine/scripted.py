"""An engine that says what it is told, at the pace it is told, and fails where it is told: for timing and faults."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.core.chatml import IM_END, IM_START
from app.core.errors import AppError, EngineError, MessageTooLongError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.base import Event, ModelFacts, Prompt, Reading, Request, StopReason, Turn
from app.engine.cache import common_length
from app.engine.prompt import ChatMLRenderer
from app.engine.reply import Reply
from app.engine.sampling import MAX_SEED

_TICK_S = 0.005
_READ_SLICE = 256
_FIRST_WORD_ID = 16


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
        self._known: list[int] = []
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
            n_layers=0,
            n_vocab=len(self._vocabulary),
            gpu_layers=0,
            template="ChatML",
            notices=self.script.notices,
        )

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
        if len(request.tokens) >= self.script.n_ctx:
            raise MessageTooLongError(
                "This message is too long for the model",
                f"The prompt is {len(request.tokens):,} tokens; the context holds {self.script.n_ctx:,}.",
                "Shorten it.",
            )
        reply = self.script.replies[self._said % len(self.script.replies)] if self.script.replies else ""
        self._said += 1
        return self._speak(request, self._vocabulary.text_tokens(reply), stop)

    def keep_in(self, folder: str, limit_bytes: int) -> None:
        """Words cost nothing to read again: nothing is kept."""

    def drop(self, conversation: int) -> None:
        """Nothing to forget."""

    def rest(self) -> None:
        """Nothing to write."""

    def close(self) -> None:
        """Refuse all further work; harmless when repeated."""
        self._closed = True

    def _speak(self, request: Request, words: tuple[int, ...], stop: StopFlag) -> Iterator[Event]:
        reply = Reply(request)
        reply.cached_tokens = min(common_length(self._known, list(request.tokens)), len(request.tokens) - 1)
        yield from self._read(request.tokens, reply.cached_tokens, stop)
        reason: StopReason | None = None
        for count, token in enumerate(words):
            if self.script.fail_at_token == count:
                raise EngineError("The model stopped working", "The script says so.", "Send the message again.")
            if not _pause(self.script.tokens_per_s, stop):
                reason = StopReason.STOPPED
                break
            if len(self._known) >= self.script.n_ctx:
                reason = StopReason.CONTEXT
                break
            self._known.append(token)
            yield reply.add(token, self._vocabulary.piece(token))
            if reason := reply.over:
                break
        seed = request.sampling.seed
        yield from reply.end(
            reason or (StopReason.STOPPED if stop.is_set() else StopReason.END),
            secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
            self._vocabulary.following_tokens,
        )

    def _read(self, tokens: tuple[int, ...], cached: int, stop: StopFlag) -> Iterator[Reading]:
        rate = self.script.read_tokens_per_s
        self._known = list(tokens[:cached])
        yield Reading(cached, len(tokens))
        for done in range(cached, len(tokens), _READ_SLICE):
            now = min(done + _READ_SLICE, len(tokens))
            if not _pause(rate and rate / (now - done), stop):
                return
            self._known = list(tokens[:now])
            yield Reading(now, len(tokens))

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

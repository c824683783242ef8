"""Decoding: the one place that hands batches to llama.cpp and understands what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from app.core.errors import EngineError
from app.core.stopping import StopFlag
from app.engine.cache import KvSequence
from app.engine.devices import Library


class Outcome(IntEnum):
    """llama_decode's return codes; anything below BAD_BATCH is fatal too."""

    DONE = 0
    NO_ROOM = 1
    ABORTED = 2
    BAD_BATCH = -1


class Decoder:
    """A llama.cpp context with one sequence in it. After a fatal error it makes itself a new context."""

    def __init__(self, library: Library, make_context: Callable[[], Any], batch_tokens: int) -> None:
        self._library = library
        self._llama = library.llama
        self._make_context = make_context
        self._batch = self._llama.llama_batch_init(batch_tokens, 0, 1)
        self._batch_tokens = batch_tokens
        self._decode: Callable[[Any, Any], int] = self._llama.llama_decode
        self._flag: StopFlag | None = None
        self._renew()

    def _renew(self) -> None:
        self.context = self._make_context()
        self.sequence = KvSequence(self._llama, self.context)
        self.n_ctx: int = self._llama.llama_n_ctx(self.context)

    def obey(self, flag: StopFlag) -> None:
        """Let this flag, which the decoder keeps alive, stop decoding from inside llama.cpp."""
        self._flag = flag
        self._llama.llama_set_abort_callback(self.context, self._library.strlen, flag.address)

    def read(self, tokens: Sequence[int], stop: StopFlag) -> Iterator[int]:
        """Make the sequence hold exactly `tokens`, reading only what it does not know.

        Yields how many are in place: first those from the cache, then after each slice. Ends early once stopped.
        """
        self.obey(stop)
        yield self.sequence.keep_common(tokens)
        while len(self.sequence.tokens) < len(tokens) and not stop.is_set():
            start = len(self.sequence.tokens)
            if not self.add(tokens[start : start + self._batch_tokens]):
                return
            yield len(self.sequence.tokens)

    def add(self, tokens: Sequence[int]) -> bool:
        """Decode ids behind those in the sequence; False when stopped meanwhile, with the sequence as before.

        Raises:
            EngineError: llama.cpp failed.
        """
        outcome = self._decode_slice(tokens)
        if outcome == Outcome.NO_ROOM and len(tokens) > 1:
            half = len(tokens) // 2
            self.sequence.cut(len(self.sequence.tokens))
            return self.add(tokens[:half]) and self.add(tokens[half:])
        if outcome == Outcome.DONE:
            self.sequence.tokens.extend(tokens)
            return True
        if outcome == Outcome.ABORTED:
            self.sequence.cut(len(self.sequence.tokens))
            return False
        self._recover(outcome)
        raise EngineError(
            "The model stopped working",
            f"llama.cpp reported code {outcome} while decoding{self._last_words()}.",
            "Send the message again. If it happens again, load the model with a smaller context.",
        )

    def close(self) -> None:
        """Free the context, then the batch; harmless when repeated."""
        if self.context is not None:
            self._llama.llama_free(self.context)
            self._llama.llama_batch_free(self._batch)
            self.context = None

    def _decode_slice(self, tokens: Sequence[int]) -> int:
        batch = self._batch
        first = len(self.sequence.tokens)
        last = len(tokens) - 1
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = first + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = self.sequence.sequence
            batch.logits[index] = index == last
        batch.n_tokens = len(tokens)
        return self._decode(self.context, batch)

    def _recover(self, outcome: int) -> None:
        """Leave a state from which the next reply is as from a fresh context."""
        if outcome in (Outcome.NO_ROOM, Outcome.BAD_BATCH):
            self.sequence.clear()
            return
        self._llama.llama_free(self.context)
        self.context = None
        self._renew()

    def _last_words(self) -> str:
        return f": {self._library.lines[-1]}" if self._library.lines else ""

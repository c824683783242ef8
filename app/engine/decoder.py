"""Decoding: the one place that hands batches to llama.cpp and understands what comes back."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from app.core.errors import EngineError
from app.core.stopping import StopFlag
from app.engine.cache import KvCache
from app.engine.devices import Library
from app.engine.snapshots import Snapshots


class Outcome(IntEnum):
    """llama_decode's return codes; anything below BAD_BATCH is fatal too."""

    DONE = 0
    NO_ROOM = 1
    ABORTED = 2
    BAD_BATCH = -1


class _Batch:
    """A llama_batch of one sequence whose arrays are Python's own; the last token alone asks for logits."""

    def __init__(self, llama: Any, size: int) -> None:
        self._size = size
        self._token = (llama.llama_token * size)()
        self._position = (llama.llama_pos * size)()
        self._n_sequences = (ctypes.c_int32 * size)(*[1] * size)
        self._sequence = llama.llama_seq_id(0)
        each = ctypes.POINTER(llama.llama_seq_id)
        self._sequences = (each * size)(*[ctypes.pointer(self._sequence)] * size)
        self._logits = (ctypes.c_int8 * size)()
        self._batch = llama.llama_batch(
            n_tokens=0,
            token=self._token,
            embd=None,
            pos=self._position,
            n_seq_id=self._n_sequences,
            seq_id=self._sequences,
            logits=self._logits,
        )

    def filled(self, tokens: Sequence[int], first: int, sequence: int) -> Any:
        """The batch with these ids of one sequence from position `first` on; at most as many as its size."""
        count = len(tokens)
        if not 0 < count <= self._size:
            raise ValueError(f"{count} tokens in a batch of {self._size}")
        self._sequence.value = sequence
        self._token[:count] = tokens
        self._position[:count] = range(first, first + count)
        self._logits[self._batch.n_tokens - 1] = 0
        self._logits[count - 1] = 1
        self._batch.n_tokens = count
        return self._batch


class Decoder:
    """A llama.cpp context with a sequence for each warm conversation. After a fatal error it makes itself a new one.

    `sequence` is that of the conversation which was read last; `add` goes on with it.
    """

    def __init__(self, library: Library, make_context: Callable[[], Any], batch_tokens: int, n_sequences: int) -> None:
        self._library = library
        self._llama = library.llama
        self._make_context = make_context
        self._batch = _Batch(self._llama, batch_tokens)
        self._batch_tokens = batch_tokens
        self._n_sequences = n_sequences
        self._decode: Callable[[Any, Any], int] = self._llama.llama_decode
        self._flag: StopFlag | None = None
        self._snapshots: Snapshots | None = None
        self._renew()

    def _renew(self) -> None:
        self.context = self._make_context()
        self.n_ctx: int = self._llama.llama_n_ctx(self.context)
        self.cache = KvCache(self._llama, self.context, self.n_ctx, self._n_sequences)
        if self._snapshots is not None:
            self.cache.keep_in(self._snapshots)
        self.sequence = self.cache.take(0, ())

    def keep_in(self, snapshots: Snapshots) -> None:
        """Keep conversations there, also after a fatal error."""
        self._snapshots = snapshots
        self.cache.keep_in(snapshots)

    def obey(self, flag: StopFlag) -> None:
        """Let this flag, which the decoder keeps alive, stop decoding from inside llama.cpp."""
        self._flag = flag
        self._llama.llama_set_abort_callback(self.context, self._library.strlen, flag.address)

    def read(self, tokens: Sequence[int], stop: StopFlag, conversation: int = 0) -> Iterator[int]:
        """Make a conversation's sequence hold exactly `tokens`, reading only what it does not know.

        Yields how many are in place: first those from the cache, then after each slice. Ends early once stopped.
        """
        self.obey(stop)
        self.sequence = self.cache.take(conversation, tokens)
        yield len(self.sequence.tokens)
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
        if outcome == Outcome.NO_ROOM and self.cache.give_room(self.sequence):
            self.sequence.cut(len(self.sequence.tokens))
            return self.add(tokens)
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
        """Free the context; harmless when repeated."""
        if self.context is not None:
            self._llama.llama_free(self.context)
            self.context = None

    def _decode_slice(self, tokens: Sequence[int]) -> int:
        sequence = self.sequence
        return self._decode(self.context, self._batch.filled(tokens, len(sequence.tokens), sequence.sequence))

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

"""Decoding: the one place that hands batches to llama.cpp and understands what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from app.core.errors import EngineError
from app.core.stopping import StopFlag
from app.engine.batch import Batch
from app.engine.cache import KvCache
from app.engine.devices import Library
from app.engine.snapshots import Snapshots


class Outcome(IntEnum):
    """llama_decode's return codes; anything below BAD_BATCH is fatal too."""

    DONE = 0
    NO_ROOM = 1
    ABORTED = 2
    BAD_BATCH = -1


class Decoder:
    """A llama.cpp context with a sequence for each warm conversation. After a fatal error it makes itself a new one.

    `sequence` is that of the conversation which was read last; `add` goes on with it.
    """

    def __init__(
        self,
        library: Library,
        make_context: Callable[[], Any],
        batch_tokens: int,
        n_sequences: int,
        can_move: Callable[[Any], bool] = lambda _context: False,
        n_spare: int = 0,
    ) -> None:
        """`can_move` tells of a context whether what was read in it can be moved.

        `n_spare` sequences beyond those of conversations are for `Many`.
        """
        self._library = library
        self._can_move = can_move
        self.llama = library.llama
        self._make_context = make_context
        self._batch = Batch(self.llama, batch_tokens)
        self.batch_tokens = batch_tokens
        self._n_sequences, self._n_spare = n_sequences, n_spare
        self._decode: Callable[[Any, Any], int] = self.llama.llama_decode
        self._flag: StopFlag | None = None
        self._snapshots: Snapshots | None = None
        self._renew()

    def _renew(self) -> None:
        self.context = self._make_context()
        self.n_ctx: int = self.llama.llama_n_ctx(self.context)
        self.cache = KvCache(
            self.llama,
            self.context,
            self.n_ctx,
            self._n_sequences,
            self._n_spare,
            can_move=self._can_move(self.context),
            lines=self._library.lines,
        )
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
        self.llama.llama_set_abort_callback(self.context, self._library.strlen, flag.address)

    def read(
        self,
        tokens: Sequence[int],
        stop: StopFlag,
        conversation: int = 0,
        left_out_at: int = -1,
        *,
        may_move: bool = False,
    ) -> Iterator[int]:
        """Make a conversation's sequence hold exactly `tokens`, reading only what it does not know.

        Yields how many are in place: first those from the cache, then after each slice. Ends early once stopped.
        `cache.moved` of the first were moved to their place; see `Request.may_move`.
        """
        self.sequence = self.cache.take(conversation, tokens, left_out_at, may_move=may_move)
        in_place = len(self.sequence.tokens)
        if self.cache.moved:
            in_place = self._settle(tokens[in_place])
        self.obey(stop)
        yield in_place
        if len(self.sequence.tokens) > in_place:
            yield len(self.sequence.tokens)
        while len(self.sequence.tokens) < len(tokens) and not stop.is_set():
            start = len(self.sequence.tokens)
            if not self.add(tokens[start : start + self.batch_tokens]):
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
        if outcome in (Outcome.NO_ROOM, Outcome.BAD_BATCH):
            self.sequence.clear()
        else:
            self.begin_anew()
        raise self._error(outcome)

    def add_guess(self, token: int, guess: list[int]) -> bool:
        """Decode an id and a guess at those behind it, with the logits of each; False when stopped meanwhile.

        A guess for which there is no room is emptied.
        """
        if guess:
            sequence = self.sequence
            ids = [token, *guess]
            self._batch.clear()
            self._batch.add(ids, len(sequence.tokens), sequence.sequence, len(ids))
            outcome = self.decode(self._batch)
            if outcome == Outcome.DONE:
                sequence.tokens.extend(ids)
                return True
            sequence.cut(len(sequence.tokens))
            if outcome == Outcome.ABORTED:
                return False
            guess.clear()
        return self.add((token,))

    def decode(self, batch: Batch) -> int:
        """Decode a batch of any sequences; an Outcome, or another number below 0. What it held is up to the caller."""
        return self._decode(self.context, batch.native)

    @property
    def filler_sequence(self) -> int:
        """The number of a sequence for rows that only fill a batch up."""
        return self._n_sequences + self._n_spare

    def forget_fillers(self) -> None:
        """Free the cells of such rows."""
        self.llama.llama_memory_seq_rm(self.llama.llama_get_memory(self.context), self.filler_sequence, -1, -1)

    def broken(self, outcome: int) -> EngineError:
        """What to raise after an outcome that nothing can be done about; nothing stays in the cache."""
        self.begin_anew()
        return self._error(outcome)

    def close(self) -> None:
        """Free the context; harmless when repeated."""
        if self.context is not None:
            self.llama.llama_free(self.context)
            self.context = None

    def _settle(self, token: int) -> int:
        """Decode one id, which rotates what was moved; how many ids were in place before it.

        Stopped or failed in between, llama.cpp would go on with keys that fit no position and say nothing but a line
        in its log.
        """
        self.obey(StopFlag())
        self._library.lines.clear()
        in_place = len(self.sequence.tokens)
        self.add((token,))
        if any("K-shift" in line for line in self._library.lines):
            self.sequence.clear()
            self.cache.moved = 0
            self.cache.can_move = False
            return 0
        return in_place

    def _decode_slice(self, tokens: Sequence[int]) -> int:
        sequence = self.sequence
        self._batch.clear()
        self._batch.add(tokens, len(sequence.tokens), sequence.sequence)
        return self._decode(self.context, self._batch.native)

    def begin_anew(self) -> None:
        """Make a fresh context; nothing stays in the cache."""
        self.cache.clear()  # should there be no fresh one, nothing of this one may be written down
        self.llama.llama_free(self.context)
        self.context = None
        self._renew()

    def _error(self, outcome: int) -> EngineError:
        last_words = f": {self._library.lines[-1]}" if self._library.lines else ""
        return EngineError(
            "The model stopped working",
            f"llama.cpp reported code {outcome} while decoding{last_words}.",
            "Send the message again. If it happens again, load the model with a smaller context.",
        )

"""Which tokens sit in the KV cache, so that what was read once is not read again: within a chat and between chats."""

from __future__ import annotations

import ctypes
import time
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.stopping import StopFlag
from app.engine.moving import WORTH_MOVING, common_length, place_of
from app.engine.snapshots import Snapshots

_MOST_REMEMBERED = 64
_WORTH_KEEPING = 64
"""Ids below which reading them again is no slower than keeping them."""
_APART_NS = 1_000_000
"""Between the times of snapshots that are written together, so that their order tells which chat was used last."""
_NO_CELLS = ("available cells", "not enough cells")
"""What llama.cpp says of a state that would fit if there were room for it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ids that a sequence shall hold, and whether those behind `left_out_at` may be moved there.

    See `Request.left_out_at` and `Request.may_move`.
    """

    tokens: list[int]
    left_out_at: int = -1
    may_move: bool = False

    def usable(self, held: Sequence[int], exact: int) -> int:
        """How many of the ids are the first of those held, of which the first `exact` were read after just these."""
        return min(common_length(held, self.tokens), len(held) if self.may_move else exact)

    def movable(self, held: Sequence[int], usable: int) -> tuple[int, int]:
        """From where in `held` ids are better moved to `left_out_at`, and how many; (0, 0) where none are."""
        if not self.may_move or not 0 <= self.left_out_at <= usable:
            return 0, 0
        place, length = place_of(self.tokens, held, self.left_out_at)
        return (place, length) if self.left_out_at + length >= usable + WORTH_MOVING else (0, 0)


class KvSequence:
    """One sequence of a context's KV cache and the ids that are known to be in it.

    llama.cpp may hold more than `tokens` after a decode that failed; `cut` brings it back to what is known.
    """

    def __init__(self, llama: Any, context: Any, sequence: int = 0) -> None:
        self._llama = llama
        self._memory = llama.llama_get_memory(context)
        self.sequence = sequence
        self.tokens: list[int] = []
        self._moved_from: int | None = None

    @property
    def exact(self) -> int:
        """How many first ids were read after just those before them: all but those that were moved, or read later."""
        return len(self.tokens) if self._moved_from is None else self._moved_from

    def hold(self, tokens: Sequence[int], exact: int) -> None:
        """Take note of what llama.cpp has put into the sequence."""
        self.tokens = list(tokens)
        self._moved_from = exact if exact < len(self.tokens) else None

    def keep_common(self, wanted: Wanted) -> int:
        """Forget all but what can be used of the `wanted` ids, never all of them; its length is returned.

        The last id of `wanted` is always left to be read, as its logits are needed.
        """
        self.cut(min(wanted.usable(self.tokens, self.exact), len(wanted.tokens) - 1))
        return len(self.tokens)

    def borrow(self, lender: KvSequence, length: int) -> None:
        """Hold the first `length` ids of another sequence instead of one's own, in the same cells.

        A memory that can only be copied as a whole, as recurrent ones, leaves it empty.
        """
        llama, memory = self._llama, self._memory
        self.clear()
        if length:
            llama.llama_memory_seq_cp(memory, lender.sequence, self.sequence, 0, length)
            if llama.llama_memory_seq_pos_max(memory, self.sequence) == length - 1:
                self.hold(lender.tokens[:length], min(length, lender.exact))
            else:
                self.clear()

    def move(self, place: int, target: int) -> None:
        """Drop the ids from `target` to `place`: what stands behind them moves up.

        No cell from `place` on may be shared with another sequence, for it would move there too. The keys are rotated
        by the next decode, which must not be aborted.
        """
        llama, memory, number = self._llama, self._memory, self.sequence
        llama.llama_memory_seq_rm(memory, number, target, place)
        llama.llama_memory_seq_add(memory, number, place, -1, target - place)
        del self.tokens[target:place]
        self._moved_from = target if self._moved_from is None else min(self._moved_from, target)

    def cut(self, length: int) -> None:
        """Keep the first `length` ids. A memory that cannot forget its end, as recurrent ones, is emptied."""
        length = max(0, length)
        if not self._llama.llama_memory_seq_rm(self._memory, self.sequence, length, -1):
            self._llama.llama_memory_seq_rm(self._memory, self.sequence, -1, -1)
            length = 0
        del self.tokens[length:]
        if self._moved_from is not None and self._moved_from >= len(self.tokens):
            self._moved_from = None

    def clear(self) -> None:
        """Forget everything."""
        self.cut(0)


class KvCache:
    """The sequences of one context: one conversation each, as many as fit, and a shared beginning only once.

    All sequences share the context's cells (llama.cpp's unified cache), so one chat alone may fill it.
    """

    def __init__(
        self,
        llama: Any,
        context: Any,
        n_ctx: int,
        n_sequences: int,
        n_spare: int = 0,
        *,
        can_move: bool = False,
        lines: MutableSequence[str] | None = None,
    ) -> None:
        """`can_move`: what was read can be moved to another place; see `moving.can_move`.

        `lines` is where llama.cpp's own last lines are found.
        """
        self.can_move = can_move
        self._lines = [] if lines is None else lines
        self.moved = 0
        """Ids that the last `take` moved."""
        self._llama = llama
        self._memory = llama.llama_get_memory(context)
        self._n_ctx = n_ctx
        self._free = [KvSequence(llama, context, number) for number in reversed(range(n_sequences))]
        self.spare = [KvSequence(llama, context, n_sequences + number) for number in range(n_spare)]
        """Sequences of no conversation that nobody is using, the one used last at the end; `Many` takes and returns
        them. What they hold may be borrowed, and goes first when room is wanted."""
        self._owned: dict[int, KvSequence] = {}
        """By conversation, the one used last at the end."""
        self._snapshots: Snapshots | None = None
        self._saved: dict[int, tuple[int, ...]] = {}
        """What the snapshot of a conversation holds, as far as this cache has written or read it."""
        self._context = context

    def keep_in(self, snapshots: Snapshots) -> None:
        """From now on, conversations that leave the cache are kept there, and looked for when they come back."""
        self._snapshots = snapshots

    def take(
        self, conversation: int, tokens: Sequence[int], left_out_at: int = -1, *, may_move: bool = False
    ) -> KvSequence:
        """The conversation's sequence, cut to what can be used for these ids; others make room for it.

        Where `moved` tells of moved ids, the next decode must not be aborted.
        """
        wanted = Wanted(list(tokens), left_out_at, may_move and self.can_move)
        sequence = self._owned.pop(conversation, None)
        if sequence is None:
            if not self._free:
                self._let_go(next(iter(self._owned)))
            sequence = self._free.pop()
            if not self._restore(conversation, sequence, wanted):
                self._borrow(sequence, wanted)
        self._owned[conversation] = sequence
        self.moved = self._move(sequence, wanted)
        missing = len(wanted.tokens) - sequence.keep_common(wanted)
        while self.used + missing > self._n_ctx and self.give_room(sequence):
            pass
        return sequence

    def give_room(self, sequence: KvSequence) -> bool:
        """Let go of what was used longest ago, conversations last, and never this one; whether there was something."""
        idle = [spare for spare in self.spare if spare.tokens]
        for spare in idle:  # together: cells that come free one by one would lie in no order
            spare.clear()
        if idle:
            return True
        for conversation, other in self._owned.items():
            if other is not sequence:
                self._let_go(conversation)
                return True
        return False

    def empty(self) -> None:
        """Let go of everything; what is worth it is written down first."""
        for conversation in self.conversations:
            self._let_go(conversation)
        for spare in self.spare:
            spare.clear()

    def save(self, *, least_tokens: int = 1, stop: StopFlag | None = None) -> None:
        """Write a snapshot of every conversation that has grown by so many ids since its last one.

        The one used last comes first: there may not be the time for all. `stop` is looked at between two of them.
        """
        now = time.time_ns()
        for age, (conversation, sequence) in enumerate(reversed(self._owned.items())):
            if stop is not None and stop.is_set():
                return
            kept = self._saved.get(conversation, ())
            if len(sequence.tokens) - common_length(sequence.tokens, list(kept)) >= least_tokens:
                self._save(conversation, sequence, now - age * _APART_NS)

    @property
    def used(self) -> int:
        """Cells in use, at most: those that sequences share are counted for each."""
        return sum(len(sequence.tokens) for sequence in self.lenders)

    @property
    def lenders(self) -> list[KvSequence]:
        """The sequences whose beginning another one may borrow."""
        return [*self._owned.values(), *self.spare]

    @property
    def conversations(self) -> tuple[int, ...]:
        """Those that are warm, the one used last at the end."""
        return tuple(self._owned)

    def drop(self, conversation: int) -> None:
        """Forget a conversation for good, its snapshot too."""
        sequence = self._owned.pop(conversation, None)
        if sequence is not None:
            sequence.clear()
            self._free.append(sequence)
        self._saved.pop(conversation, None)
        if self._snapshots is not None:
            self._snapshots.forget(conversation)

    def clear(self) -> None:
        """Forget everything that is warm; snapshots stay."""
        for sequence in self.lenders:
            sequence.clear()
        self._free += self._owned.values()
        self._owned.clear()

    def _let_go(self, conversation: int) -> None:
        sequence = self._owned.pop(conversation)
        if sequence.tokens and tuple(sequence.tokens) != self._saved.get(conversation):
            self._save(conversation, sequence)
        sequence.clear()
        self._free.append(sequence)

    def _save(self, conversation: int, sequence: KvSequence, used_ns: int | None = None) -> None:
        if self._snapshots is None or len(sequence.tokens) < _WORTH_KEEPING or conversation <= 0:
            return
        size = self._llama.llama_state_seq_get_size(self._context, sequence.sequence)
        state = (ctypes.c_uint8 * size)()
        if not size or self._llama.llama_state_seq_get_data(self._context, state, size, sequence.sequence) != size:
            return
        data = memoryview(state).cast("B")
        if self._snapshots.save(conversation, sequence.tokens, data, sequence.exact, used_ns):
            self._remember(conversation, tuple(sequence.tokens))

    def _remember(self, conversation: int, tokens: tuple[int, ...]) -> None:
        """What its snapshot holds now. Of those cold for long it is forgotten, at the cost of a snapshot too many."""
        self._saved.pop(conversation, None)
        self._saved[conversation] = tokens
        while len(self._saved) > _MOST_REMEMBERED:
            del self._saved[next(iter(self._saved))]

    def _move(self, sequence: KvSequence, wanted: Wanted) -> int:
        """Move up what was read of the turns behind those that are left out now; how many ids that spares."""
        usable = wanted.usable(sequence.tokens, sequence.exact)
        place, length = wanted.movable(sequence.tokens, usable)
        # cells are shared along common beginnings alone, and hold one position for all their sequences
        shared = max(
            (common_length(other.tokens, sequence.tokens) for other in self.lenders if other is not sequence),
            default=0,
        )
        if not length or place < shared:
            return 0
        sequence.move(place, wanted.left_out_at)
        return min(length, len(wanted.tokens) - 1 - wanted.left_out_at)

    def _restore(self, conversation: int, sequence: KvSequence, wanted: Wanted) -> bool:
        """Bring a conversation's snapshot back, if it spares reading; whether it did."""
        if self._snapshots is None or conversation <= 0:
            return False
        held, exact = self._snapshots.held(conversation)
        spared = wanted.usable(held, exact)
        _place, length = wanted.movable(held, spared)
        spared = max(spared, wanted.left_out_at + length) if length else spared
        warm = self._lender(wanted)[0]
        if spared < warm + _WORTH_KEEPING:
            return False
        snapshot = self._snapshots.load(conversation)
        if snapshot is None:
            return False
        while self.used + len(snapshot.tokens) > self._n_ctx and self.give_room(sequence):
            pass
        self._lines.clear()
        if not self._set(sequence, snapshot.state):
            said = list(self._lines)
            if said and not any(words in line for line in said for words in _NO_CELLS):
                self._snapshots.forget(conversation)  # of another layout: it will never fit
                return False
            # it wants more cells than there are: with the others gone there may be
            while self.give_room(sequence):
                pass
            if not self._set(sequence, snapshot.state):
                return False
        sequence.hold(snapshot.tokens, snapshot.exact)
        self._remember(conversation, snapshot.tokens)
        return True

    def _set(self, sequence: KvSequence, state: bytes) -> bool:
        size = len(state)
        data = (ctypes.c_uint8 * size).from_buffer_copy(state)
        if self._llama.llama_state_seq_set_data(self._context, data, size, sequence.sequence) == size:
            return True
        sequence.clear()
        return False

    def _borrow(self, sequence: KvSequence, wanted: Wanted) -> None:
        """Take over the longest beginning that another conversation has already read, such as the system prompt.

        Nothing that was moved: it remembers turns that the other conversation has dropped.
        """
        length, lender = self._lender(wanted)
        if lender is not None:
            sequence.borrow(lender, length)

    def _lender(self, wanted: Wanted) -> tuple[int, KvSequence | None]:
        """The conversation that has read most of the first ids of these, and how many."""
        return max(
            ((min(common_length(other.tokens, wanted.tokens), other.exact), other) for other in self.lenders),
            key=lambda found: found[0],
            default=(0, None),
        )

"""Which tokens sit in the KV cache, so that what was read once is not read again: within a chat and between chats."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from app.engine.snapshots import Snapshots

_WORTH_KEEPING = 64
"""Ids below which reading them again is no slower than keeping them."""


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences begin with in common."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:  # the usual case, compared in C
        return size
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class KvSequence:
    """One sequence of a context's KV cache and the ids that are known to be in it.

    llama.cpp may hold more than `tokens` after a decode that failed; `cut` brings it back to what is known.
    """

    def __init__(self, llama: Any, context: Any, sequence: int = 0) -> None:
        self._llama = llama
        self._memory = llama.llama_get_memory(context)
        self.sequence = sequence
        self.tokens: list[int] = []

    def keep_common(self, wanted: Sequence[int]) -> int:
        """Forget all but the longest common prefix with `wanted`, never all of it; its length is returned.

        The last id of `wanted` is always left to be read, as its logits are needed.
        """
        self.cut(min(common_length(self.tokens, list(wanted)), len(wanted) - 1))
        return len(self.tokens)

    def cut(self, length: int) -> None:
        """Keep the first `length` ids. A memory that cannot forget its end, as recurrent ones, is emptied."""
        length = max(0, length)
        if not self._llama.llama_memory_seq_rm(self._memory, self.sequence, length, -1):
            self._llama.llama_memory_seq_rm(self._memory, self.sequence, -1, -1)
            length = 0
        del self.tokens[length:]

    def clear(self) -> None:
        """Forget everything."""
        self.cut(0)


class KvCache:
    """The sequences of one context: one conversation each, as many as fit, and a shared beginning only once.

    All sequences share the context's cells (llama.cpp's unified cache), so one chat alone may fill it.
    """

    def __init__(self, llama: Any, context: Any, n_ctx: int, n_sequences: int) -> None:
        self._llama = llama
        self._memory = llama.llama_get_memory(context)
        self._n_ctx = n_ctx
        self._free = [KvSequence(llama, context, number) for number in reversed(range(n_sequences))]
        self._owned: dict[int, KvSequence] = {}
        """By conversation, the one used last at the end."""
        self._snapshots: Snapshots | None = None
        self._saved: dict[int, tuple[int, ...]] = {}
        """What the snapshot of a conversation holds, as far as this cache has written or read it."""
        self._context = context

    def keep_in(self, snapshots: Snapshots) -> None:
        """From now on, conversations that leave the cache are kept there, and looked for when they come back."""
        self._snapshots = snapshots

    def take(self, conversation: int, wanted: Sequence[int]) -> KvSequence:
        """The conversation's sequence, cut to what it has in common with the ids `wanted`; others make room for it."""
        sequence = self._owned.pop(conversation, None)
        if sequence is None:
            if not self._free:
                self._let_go(next(iter(self._owned)))
            sequence = self._free.pop()
            if not self._restore(conversation, sequence, wanted):
                self._borrow(sequence, wanted)
        self._owned[conversation] = sequence
        missing = len(wanted) - sequence.keep_common(wanted)
        while self.used + missing > self._n_ctx and self.give_room(sequence):
            pass
        return sequence

    def give_room(self, sequence: KvSequence) -> bool:
        """Let go of the conversation that was used longest ago, other than this one; whether there was one."""
        for conversation, other in self._owned.items():
            if other is not sequence:
                self._let_go(conversation)
                return True
        return False

    def save(self, *, least_tokens: int = 1) -> None:
        """Write a snapshot of every conversation that has grown by so many ids since its last one."""
        for conversation, sequence in self._owned.items():
            kept = self._saved.get(conversation, ())
            if len(sequence.tokens) - common_length(sequence.tokens, list(kept)) >= least_tokens:
                self._save(conversation, sequence)

    @property
    def used(self) -> int:
        """Cells in use, at most: those that sequences share are counted for each."""
        return sum(len(sequence.tokens) for sequence in self._owned.values())

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
        for sequence in self._owned.values():
            sequence.clear()
        self._free += self._owned.values()
        self._owned.clear()

    def _let_go(self, conversation: int) -> None:
        sequence = self._owned.pop(conversation)
        if sequence.tokens and tuple(sequence.tokens) != self._saved.get(conversation):
            self._save(conversation, sequence)
        sequence.clear()
        self._free.append(sequence)

    def _save(self, conversation: int, sequence: KvSequence) -> None:
        if self._snapshots is None or len(sequence.tokens) < _WORTH_KEEPING or conversation <= 0:
            return
        size = self._llama.llama_state_seq_get_size(self._context, sequence.sequence)
        state = (ctypes.c_uint8 * size)()
        if not size or self._llama.llama_state_seq_get_data(self._context, state, size, sequence.sequence) != size:
            return
        if self._snapshots.save(conversation, sequence.tokens, memoryview(state).cast("B")):
            self._saved[conversation] = tuple(sequence.tokens)

    def _restore(self, conversation: int, sequence: KvSequence, wanted: Sequence[int]) -> bool:
        """Bring a conversation's snapshot back, if it spares reading; whether it did."""
        if self._snapshots is None or conversation <= 0:
            return False
        ids = list(wanted)
        spared = common_length(list(self._snapshots.tokens(conversation)), ids)
        warm = max((common_length(other.tokens, ids) for other in self._owned.values()), default=0)
        if spared < warm + _WORTH_KEEPING:
            return False
        snapshot = self._snapshots.load(conversation)
        if snapshot is None:
            return False
        while self.used + len(snapshot.tokens) > self._n_ctx and self.give_room(sequence):
            pass
        if not self._set(sequence, snapshot.state):
            # it wants cells in a row: with the others gone there are
            while self.give_room(sequence):
                pass
            if not self._set(sequence, snapshot.state):
                return False
        sequence.tokens = list(snapshot.tokens)
        self._saved[conversation] = snapshot.tokens
        return True

    def _set(self, sequence: KvSequence, state: bytes) -> bool:
        size = len(state)
        data = (ctypes.c_uint8 * size).from_buffer_copy(state)
        if self._llama.llama_state_seq_set_data(self._context, data, size, sequence.sequence) == size:
            return True
        sequence.clear()
        return False

    def _borrow(self, sequence: KvSequence, wanted: Sequence[int]) -> None:
        """Take over the longest beginning that another conversation has already read, such as the system prompt."""
        ids = list(wanted)
        length, donor = max(
            ((common_length(other.tokens, ids), other) for other in self._owned.values()),
            key=lambda found: found[0],
            default=(0, None),
        )
        if donor is None or not length:
            return
        self._llama.llama_memory_seq_cp(self._memory, donor.sequence, sequence.sequence, 0, length)
        # recurrent memories can only copy all of it
        if self._llama.llama_memory_seq_pos_max(self._memory, sequence.sequence) == length - 1:
            sequence.tokens = ids[:length]
        else:
            sequence.clear()

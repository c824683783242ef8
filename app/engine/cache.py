"""Which tokens sit in the KV cache, so that what was read once is not read again: within a chat and between chats."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any


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

    def take(self, conversation: int, wanted: Sequence[int]) -> KvSequence:
        """The conversation's sequence, cut to what it has in common with the ids `wanted`; others make room for it."""
        sequence = self._owned.pop(conversation, None)
        if sequence is None:
            sequence = self._free.pop() if self._free else self._drop_oldest()
            self._borrow(sequence, wanted)
        self._owned[conversation] = sequence
        missing = len(wanted) - sequence.keep_common(wanted)
        while self.used + missing > self._n_ctx and self.give_room(sequence):
            pass
        return sequence

    def give_room(self, sequence: KvSequence) -> bool:
        """Forget the conversation that was used longest ago, other than this one; whether there was one."""
        for conversation, other in self._owned.items():
            if other is not sequence:
                del self._owned[conversation]
                other.clear()
                self._free.append(other)
                return True
        return False

    @property
    def used(self) -> int:
        """Cells in use, at most: those that sequences share are counted for each."""
        return sum(len(sequence.tokens) for sequence in self._owned.values())

    @property
    def conversations(self) -> tuple[int, ...]:
        """Those that are warm, the one used last at the end."""
        return tuple(self._owned)

    def clear(self) -> None:
        """Forget everything."""
        for sequence in self._owned.values():
            sequence.clear()
        self._free += self._owned.values()
        self._owned.clear()

    def _drop_oldest(self) -> KvSequence:
        sequence = self._owned.pop(next(iter(self._owned)))
        sequence.clear()
        return sequence

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

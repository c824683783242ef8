"""Which tokens sit in the KV cache, so that a prompt's known beginning is never read again."""

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

"""Batches for llama.cpp: which tokens of which sequences one decode takes, and whose logits are wanted."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any


class Batch:
    """A llama_batch whose arrays are Python's own. Each token belongs to one sequence."""

    def __init__(self, llama: Any, size: int) -> None:
        """`size` is the most tokens it takes."""
        self._size = size
        self._token = (llama.llama_token * size)()
        self._position = (llama.llama_pos * size)()
        self._n_sequences = (ctypes.c_int32 * size)(*[1] * size)
        self._sequence = (llama.llama_seq_id * size)()
        each = ctypes.POINTER(llama.llama_seq_id)
        step = ctypes.sizeof(llama.llama_seq_id)
        self._sequences = (each * size)(
            *(ctypes.cast(ctypes.byref(self._sequence, index * step), each) for index in range(size))
        )
        self._logits: Any = (ctypes.c_int8 * size)()
        self.native = llama.llama_batch(
            n_tokens=0,
            token=self._token,
            embd=None,
            pos=self._position,
            n_seq_id=self._n_sequences,
            seq_id=self._sequences,
            logits=self._logits,
        )

    @property
    def room(self) -> int:
        """How many more tokens it takes."""
        return self._size - int(self.native.n_tokens)

    def __len__(self) -> int:
        return int(self.native.n_tokens)

    def clear(self) -> None:
        """Begin anew."""
        self.native.n_tokens = 0

    def add(self, tokens: Sequence[int], first: int, sequence: int, n_logits: int = 1) -> int:
        """Append ids of one sequence from position `first` on; the last `n_logits` of them ask for logits.

        Returns the index of the last one, by which its logits are found after the decode.
        """
        count, start = len(tokens), int(self.native.n_tokens)
        if not 0 < count <= self._size - start:
            raise ValueError(f"{count} tokens where {self._size - start} fit")
        end = start + count
        self._token[start:end] = tokens
        self._position[start:end] = range(first, first + count)
        self._sequence[start:end] = [sequence] * count
        plain = max(0, count - n_logits)
        self._logits[start:end] = [0] * plain + [1] * (count - plain)
        self.native.n_tokens = end
        return end - 1

"""Counts what llama.cpp is given to decode, whatever the figures of a reply say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def count_decoded(engine: Any) -> Callable[[], list[int]]:
    """From now on, every call of llama_decode of this engine is noted with its number of tokens."""
    decoder, counts = engine._decoder, []
    decode = decoder._library.llama.llama_decode

    def noted(context: Any, batch: Any) -> int:
        counts.append(batch.n_tokens)
        return decode(context, batch)

    decoder._decode = noted
    return lambda: counts

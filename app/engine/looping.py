"""A reply that goes on for ever: small models, and damaged ones, say nothing but blanks or the same piece again."""

from __future__ import annotations

from collections.abc import Sequence

BLANKS = 128
"""Tokens in a row that are nothing but blanks; no code is indented so far."""
PIECE = 64
"""Tokens of the longest piece whose repetition is noticed."""
REPEATED = 8 * PIECE
"""Tokens that must be repetitions: lists and tables of the same rows may be long, but each row has its own words."""
_BLANK = b" \t\n\v\f\r\0"


class Loop:
    """Watches the ids of one reply as they come."""

    def __init__(self) -> None:
        self._blanks = 0

    def noticed(self, ids: Sequence[int], piece: bytes) -> bool:
        """Whether the reply does nothing new any more. `ids` are all so far, `piece` the bytes of the last one."""
        self._blanks = 0 if piece.strip(_BLANK) else self._blanks + 1
        if self._blanks >= BLANKS:
            return True
        return len(ids) % PIECE == 0 and len(ids) >= REPEATED and _is_repetition(list(ids[-REPEATED:]))


def _is_repetition(ids: list[int]) -> bool:
    """Whether these are one piece of at most so many ids over and over."""
    return any(ids[size:] == ids[:-size] for size in range(1, PIECE + 1) if ids[size] == ids[0])

"""Which bytes of a file to ask for next, given what is held and what is on its way. Plain arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MIB = 2**20

FIRST_SPAN = 2 * MIB
_SMALLEST_SPAN = MIB
_LARGEST_SPAN = 32 * MIB
_LARGEST_SPAN_ALONE = 256 * MIB
_SPAN_S = 2.0
"""One request lasts about so long: a round trip before each is then little, and so is what a slow one holds up."""


@dataclass(slots=True, eq=False)
class Span:
    """Bytes from `at` up to, not including, `end`, which one connection fetches; `at` moves on as they come."""

    at: int
    end: int


def next_span(
    size: int, held: Iterable[tuple[int, int]], running: Iterable[Span], at_most: int, reach: int
) -> Span | None:
    """The first bytes that are neither held nor on their way; None if there are none before `reach`.

    held: (start, end) of what is on disk, in any order.
    """
    at = 0
    for start, end in sorted([*held, *((span.at, span.end) for span in running)]):
        if start > at:
            break
        at = max(at, end)
    else:
        start = size
    end = min(start, size, reach, at + at_most)
    return Span(at, end) if end > at else None


def span_bytes(rate: float, left: int, connections: int) -> int:
    """How much to ask for at once on a connection that carries `rate` bytes a second (0: not known yet).

    left: bytes that nobody fetches yet. Towards the end the spans get shorter, so that all connections end together.
    """
    largest = _LARGEST_SPAN if connections > 1 else _LARGEST_SPAN_ALONE
    wish = FIRST_SPAN if rate <= 0 else int(rate * _SPAN_S)
    share = -(-left // max(1, connections))
    return max(min(wish, largest, share), _SMALLEST_SPAN)

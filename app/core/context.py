"""Which turns fit the context: the system prompt and the last question always stay, the oldest exchanges go whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.chat import Role


@dataclass(frozen=True, slots=True)
class Size:
    """A turn as fitting sees it: who speaks, and how many bytes it has."""

    role: Role
    size_bytes: int


def system_length(turns: Sequence[Size]) -> int:
    """How many turns at the beginning are system prompts."""
    return next((i for i, turn in enumerate(turns) if turn.role is not Role.SYSTEM), len(turns))


def last_question(turns: Sequence[Size]) -> int:
    """Index of the last user turn; of the last turn where nobody asked anything."""
    asked = [i for i, turn in enumerate(turns) if turn.role is Role.USER]
    return asked[-1] if asked else max(system_length(turns), len(turns) - 1)


def fit(turns: Sequence[Size], measure: Callable[[int], int], budget: int) -> int:
    """The index of the first turn behind the system prompt to send; everything from there to the end is sent.

    `measure(start)` tells how many tokens a prompt is that leaves out everything between the system prompt and `start`;
    it must not rise with `start`, and is called about log2(turns) times. When not even the last question fits, its
    index is the result all the same: the caller knows the sizes and tells.

    History is cut at user turns, and so that the cut stays where it is while the chat grows by about a quarter of the
    budget: the prompts of the next turns then begin alike, and the KV cache serves them.
    """
    first, last = system_length(turns), last_question(turns)
    if measure(first) <= budget:
        return first
    starts = [i for i in range(first + 1, last + 1) if turns[i].role is Role.USER]
    if not starts:
        return last
    steady = _steady(turns, starts, budget)
    for candidates in (steady, starts):
        found = _earliest_fitting(candidates, measure, budget)
        if found is not None:
            return found
    return last


def _steady(turns: Sequence[Size], starts: Sequence[int], budget: int) -> list[int]:
    """Those starts that are the first behind each multiple of a block; they do not move when turns are added.

    A block is `budget` bytes, for text about a quarter of the budget in tokens.
    """
    block = max(1, budget)
    chosen: list[int] = []
    position = next_multiple = 0
    wanted = set(starts)
    for index, turn in enumerate(turns):
        if index in wanted and position >= next_multiple:
            chosen.append(index)
            next_multiple = (position // block + 1) * block
        position += turn.size_bytes
    return chosen


def _earliest_fitting(starts: Sequence[int], measure: Callable[[int], int], budget: int) -> int | None:
    """Binary search for the smallest start that fits; None where none does."""
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if measure(starts[middle]) <= budget:
            high = middle
        else:
            low = middle + 1
    return starts[low] if low < len(starts) else None

"""Which turns fit the context: the system prompt and the last question always stay, exchanges go whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.overflow import WhenFull
from app.core.role import Role

FILL = 0.7
"""How much of the room for the prompt is still used right after turns were left out.

Until the next cut a chat grows by the other 30 %, and then what is left of it has to be read (or moved) once: at most
0.7 / 0.3 = 2.3 old tokens for each new one, while on average 85 % of the room is in use. At 0.9 it would be 9 old ones
for each new one, at 0.5 a quarter of the room would be empty on average.
"""


@dataclass(frozen=True, slots=True)
class Size:
    """A turn as fitting sees it: who speaks, and how many bytes it has."""

    role: Role
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left out: behind the system prompt `head` turns are sent, then `dropped` ones are not, the rest is."""

    head: int = 0
    dropped: int = 0

    @property
    def end(self) -> int:
        """How many turns behind the system prompt come before the first one that is sent after the gap."""
        return self.head + self.dropped


WHOLE = Cut()


@dataclass(frozen=True, slots=True)
class Kept:
    """The cut that the last reply was made with, and the context in tokens that it was made for."""

    cut: Cut
    n_ctx: int


def system_length(turns: Sequence[Size]) -> int:
    """How many turns at the beginning are system prompts."""
    return next((i for i, turn in enumerate(turns) if turn.role is not Role.SYSTEM), len(turns))


def last_question(turns: Sequence[Size]) -> int:
    """Index of the last user turn; of the last turn where nobody asked anything."""
    asked = [i for i, turn in enumerate(turns) if turn.role is Role.USER]
    return asked[-1] if asked else max(system_length(turns), len(turns) - 1)


def least(turns: Sequence[Size]) -> Cut:
    """The cut that leaves out everything between the system prompt and the last question."""
    return Cut(0, last_question(turns) - system_length(turns)) if turns else WHOLE


def fit(
    turns: Sequence[Size],
    measure: Callable[[Cut], int],
    room: int,
    when_full: str = WhenFull.DROP_OLDEST,
    kept: Cut | None = None,
) -> Cut | None:
    """What to leave out so that the prompt takes at most `room` tokens; None where the person is to be asked first.

    `measure(cut)` tells how many tokens a prompt is; it must not rise with `cut.dropped`, and is called about
    log2(turns) times. When not even the last question fits, `least` is the result all the same: the caller knows the
    sizes and tells.

    `kept` is what was left out so far. It stays as it is until the context overflows again, so that the prompts of the
    next turns begin alike and the KV cache serves them; then so many exchanges go that FILL of the room is used.
    """
    if measure(WHOLE) <= room:
        return WHOLE
    system, last = system_length(turns), last_question(turns)
    if kept is not None and not (kept.dropped and system + kept.end <= last):
        kept = None
    if when_full == WhenFull.ASK:
        return kept if kept is not None and measure(kept) <= room else None
    head = _head(turns) if when_full == WhenFull.FIRST_AND_LATEST else 0
    if head and measure(Cut(head, last - system - head)) > room:
        head = 0  # the first exchange alone is too long to stay
    if kept is not None and kept.end > head:
        steady = Cut(head, kept.end - head)
        # another choice makes the prompt another one anyway: then the step may as well be a whole one
        if measure(steady) <= (room if head == kept.head else int(room * FILL)):
            return steady
    starts = [i - system for i in range(system + head + 1, last + 1) if turns[i].role is Role.USER]
    cuts = [Cut(head, start - head) for start in starts]
    for most in (int(room * FILL), room):
        found = _earliest_fitting(cuts, measure, most)
        if found is not None:
            return found
    return least(turns)


def _head(turns: Sequence[Size]) -> int:
    """How many turns the first exchange has, with a greeting before it; 0 where the last question belongs to it."""
    system = system_length(turns)
    asked = [i for i, turn in enumerate(turns) if turn.role is Role.USER]
    return asked[1] - system if len(asked) > 2 else 0


def _earliest_fitting(cuts: Sequence[Cut], measure: Callable[[Cut], int], most: int) -> Cut | None:
    """Binary search for the cut that leaves out least and fits; None where none does."""
    low, high = 0, len(cuts)
    while low < high:
        middle = (low + high) // 2
        if measure(cuts[middle]) <= most:
            high = middle
        else:
            low = middle + 1
    return cuts[low] if low < len(cuts) else None

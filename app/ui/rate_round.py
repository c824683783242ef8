"""A round of blind rating: which pair comes next, how many are done, and about how long the rest takes."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from app.core.judging import Ballot, Duel

_EARLY = 3
"""Decided before which nobody can say how long the rest takes."""
_RECENT = 12


class RateRound:
    """`total` pairs to decide. `clock`: seconds, going forward."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self._clock = clock
        self._queue: deque[Duel] = deque()
        self._ballots: list[Ballot] = []
        self._took: deque[float] = deque(maxlen=_RECENT)
        self._since = clock()
        self.current: Duel | None = None

    @property
    def done(self) -> int:
        """How many were decided, skipped ones among them."""
        return len(self._ballots)

    @property
    def is_over(self) -> bool:
        """Whether all are decided."""
        return self.done >= self.total

    @property
    def wanted(self) -> int:
        """How many pairs are still to be found, besides the one that is shown."""
        left = self.total - self.done - (self.current is not None)
        return max(0, left - len(self._queue))

    @property
    def waiting(self) -> int:
        """How many pairs wait behind the one that is shown."""
        return len(self._queue)

    def offer(self, duels: Iterable[Duel], decided: Iterable[Duel]) -> None:
        """Take these as the next pairs instead of those that waited; what is decided or shown does not come again."""
        seen = {_answers(duel) for duel in decided}
        if self.current is not None:
            seen.add(_answers(self.current))
        self._queue = deque(duel for duel in duels if _answers(duel) not in seen)

    def advance(self) -> Duel | None:
        """Go on to the next pair; None where none waits, or the round is over."""
        self.current = self._queue.popleft() if self._queue and not self.is_over else None
        self._since = self._clock()
        return self.current

    def resume(self) -> None:
        """After a pause: the time away does not count."""
        self._since = self._clock()

    def decided(self, ballot: Ballot) -> None:
        """The pair that is shown was decided."""
        self._ballots.append(ballot)
        self._took.append(self._clock() - self._since)
        self.current = None

    def taken_back(self, ballot: Ballot) -> None:
        """A decision does not count any more: its pair is shown again, and what was shown comes after it."""
        left = [one for one in self._ballots if one.id != ballot.id]
        if len(left) == len(self._ballots):
            self.total += 1  # it was decided before this round
        self._ballots = left
        if self.current is not None and _answers(self.current) != _answers(ballot.duel):
            self._queue.appendleft(self.current)
        self.current = ballot.duel
        self._since = self._clock()

    def left_words(self) -> str:
        """About how long the rest takes; "" while nobody can say."""
        if len(self._took) < _EARLY or self.is_over:
            return ""
        seconds = median(self._took) * (self.total - self.done)
        return f"about {round(seconds / 60)} min left" if seconds >= 90 else "about a minute left"

    def tally(self) -> Sequence[tuple[int, float, int]]:
        """By contestant, the best first: won (ties half) out of so many duels in this round."""
        duels: Counter[int] = Counter()
        halves: Counter[int] = Counter()
        for one in self._ballots:
            if one.outcome is None:
                continue
            duels.update((one.duel.first, one.duel.second))
            halves[one.duel.first] += round(2 * one.outcome)
            halves[one.duel.second] += round(2 * (1 - one.outcome))
        return sorted(
            ((one, halves[one] / 2, duels[one]) for one in duels),
            key=lambda row: (-row[1] / row[2], -row[2], row[0]),
        )


def _answers(duel: Duel) -> tuple[int, int, int, int]:
    """The two answers, whichever is shown first."""
    return duel.question, duel.seed, min(duel.first, duel.second), max(duel.first, duel.second)

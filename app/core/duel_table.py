"""Who was found better, seen from each answer: for a cell of the grid, and for the table beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.core.lab import Place, Rater, Vote


@dataclass(frozen=True, slots=True)
class Score:
    """Of so many others that an answer was compared with, so many were worse, better or alike.

    All comparisons with one other answer, in both orders and by everybody, count together as one.
    """

    won: int = 0
    lost: int = 0
    tied: int = 0


class DuelTable:
    """Every comparison, found by either of its two answers. A later vote of the same kind takes the earlier's place."""

    def __init__(self, votes: Iterable[Vote] = ()) -> None:
        self._by_place: dict[Place, dict[tuple[Rater, int, int], Vote]] = {}
        for vote in votes:
            self.add(vote)

    def add(self, vote: Vote) -> tuple[Place, Place]:
        """Take a vote in; the two answers it is about."""
        both = tuple(Place(one, vote.question, vote.seed) for one in (vote.first, vote.second))
        for place in both:
            self._by_place.setdefault(place, {})[vote.rater, vote.first, vote.second] = vote
        return both[0], both[1]

    def remove(self, vote: Vote) -> tuple[Place, Place]:
        """Take a vote out again; the two answers it was about."""
        both = tuple(Place(one, vote.question, vote.seed) for one in (vote.first, vote.second))
        for place in both:
            held = self._by_place.get(place, {})
            held.pop((vote.rater, vote.first, vote.second), None)
            if not held:
                self._by_place.pop(place, None)
        return both[0], both[1]

    def forget(self, place: Place) -> None:
        """Take out everything that was said about an answer."""
        for votes in self.against(place).values():
            for vote in votes:
                self.remove(vote)

    def places(self) -> frozenset[Place]:
        """The answers that were compared with at least one other."""
        return frozenset(self._by_place)

    def has(self, place: Place) -> bool:
        """Whether an answer was compared with at least one other."""
        return place in self._by_place

    def score(self, place: Place) -> Score | None:
        """How an answer did; None where nobody has compared it."""
        if place not in self._by_place:
            return None
        counts = [0, 0, 0]
        for votes in self.against(place).values():
            mean = sum(mine(vote, place.contestant) for vote in votes) / len(votes)
            counts[0 if mean > 0.5 else 1 if mean < 0.5 else 2] += 1
        return Score(*counts)

    def against(self, place: Place) -> Mapping[int, tuple[Vote, ...]]:
        """The votes about an answer, by the other contestant's place in the plan."""
        found: dict[int, list[Vote]] = {}
        for vote in self._by_place.get(place, {}).values():
            other = vote.second if vote.first == place.contestant else vote.first
            found.setdefault(other, []).append(vote)
        return {other: tuple(found[other]) for other in sorted(found)}


def mine(vote: Vote, contestant: int) -> float:
    """A vote as one of its two contestants sees it: 1 won, 0 lost, 0.5 tied."""
    return vote.outcome if vote.first == contestant else 1 - vote.outcome

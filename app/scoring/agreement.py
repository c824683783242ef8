"""Whether judge and person agree, and whether the judge agrees with itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.lab import Rater, Vote

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pairs of answers that both compared.

    table: rows are the person's verdict, columns the judge's: first better, equal, second better, where "first" is
    what the person was shown first. share: how often both say the same; low, high: Wilson's 95 % interval of it.
    kappa: Cohen's, None where it is not defined (no pairs, or both always say one and the same).
    """

    table: tuple[tuple[int, int, int], ...]
    pairs: int
    share: float | None
    low: float | None
    high: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Pairs that the judge saw in both orders, and in how many its verdict was another one the second time."""

    pairs: int
    changed: int

    @property
    def share(self) -> float | None:
        """How often it changed its mind, 0 to 1; None without pairs."""
        return self.changed / self.pairs if self.pairs else None


Pair = tuple[int, int, int, int]


def agreement(votes: Iterable[Vote]) -> Agreement:
    """How often person and judge say the same of a pair of answers.

    Of several verdicts by one of them on a pair the mean counts: over 0.5 is for the first, 0.5 is equal. So a judge
    that changes its mind with the order says equal.
    """
    votes = list(votes)
    person = _verdicts(votes, Rater.PERSON)
    judge = _verdicts(votes, Rater.JUDGE) if person else {}
    shown_first = {_pair(vote): vote.first for vote in votes if vote.rater is Rater.PERSON}
    table = [[0, 0, 0] for _ in range(3)]
    for pair in person.keys() & judge.keys():
        turned = shown_first[pair] != pair[2]
        table[_row(_mean(person[pair]), turned)][_row(_mean(judge[pair]), turned)] += 1
    rows = tuple((row[0], row[1], row[2]) for row in table)
    pairs = sum(map(sum, rows))
    if not pairs:
        return Agreement(rows, 0, None, None, None, None)
    same = sum(rows[place][place] for place in range(3))
    low, high = wilson(same, pairs)
    return Agreement(rows, pairs, same / pairs, low, high, kappa(rows))


def steadiness(votes: Iterable[Vote]) -> Steadiness:
    """How often the judge changed its mind when the order was swapped."""
    orders: dict[Pair, dict[int, float]] = {}
    for vote in votes:
        if vote.rater is Rater.JUDGE:
            orders.setdefault(_pair(vote), {})[vote.first] = _for_lower(vote)
    both = [list(seen.values()) for seen in orders.values() if len(seen) == 2]
    return Steadiness(len(both), sum(one != other for one, other in both))


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson (1927); (0, 1) without tries."""
    if not tries:
        return 0.0, 1.0
    share = hits / tries
    middle = share + _Z**2 / (2 * tries)
    reach = _Z * math.sqrt(share * (1 - share) / tries + _Z**2 / (4 * tries**2))
    scale = 1 + _Z**2 / tries
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def kappa(table: Sequence[Sequence[int]]) -> float | None:
    """Cohen's kappa of a square table: 1 is full agreement, 0 what chance alone would give; None if undefined."""
    every = sum(map(sum, table))
    if not every:
        return None
    same = sum(table[place][place] for place in range(len(table))) / every
    columns = [sum(column) for column in zip(*table, strict=True)]
    chance = sum(sum(row) * column for row, column in zip(table, columns, strict=True)) / every**2
    return (same - chance) / (1 - chance) if chance < 1 else None


def _pair(vote: Vote) -> Pair:
    lower, higher = sorted((vote.first, vote.second))
    return vote.question, vote.seed, lower, higher


def _for_lower(vote: Vote) -> float:
    """The outcome for the contestant with the lower index."""
    return vote.outcome if vote.first < vote.second else 1 - vote.outcome


def _verdicts(votes: Iterable[Vote], rater: Rater) -> dict[Pair, list[float]]:
    found: dict[Pair, list[float]] = {}
    for vote in votes:
        if vote.rater is rater:
            found.setdefault(_pair(vote), []).append(_for_lower(vote))
    return found


def _mean(outcomes: Sequence[float]) -> float:
    return sum(outcomes) / len(outcomes)


def _row(for_lower: float, turned: bool) -> int:
    """0 for the first, 1 for equal, 2 for the second."""
    outcome = 1 - for_lower if turned else for_lower
    return 1 if abs(outcome - 0.5) < 1e-9 else 0 if outcome > 0.5 else 2

"""Who is better, from votes: Bradley-Terry strengths with intervals, and the chance of being first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.core.lab import Vote

Array: TypeAlias = NDArray[np.float64]

POINTS = 400 / math.log(10)
"""Points to one unit of log odds: 100 points ahead win 64 % of the duels."""

PRIOR = 1.0
"""Drawn duels that each contestant is given in all, spread evenly over the others.

They keep the strength of one that won or lost everything finite, join contestants that were never compared, and with
two contestants are the well-known half a win added to each side.
"""

_SEED = 20_231_001
_STEPS = 60
_SMALL_T = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764}


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a contestant stands.

    points: 0 is the average contestant. low, high: the 95 % interval, None where fewer than two questions tell of it.
    first: the share of the resamples in which it comes first. wins: duels won, ties counting half, out of `duels`.
    """

    contestant: int
    points: float
    low: float | None
    high: float | None
    first: float
    wins: float
    duels: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """All contestants, the best first.

    questions: so many have votes. joined: whether votes connect all contestants, directly or through others; where
    they do not, only those that are connected can be told apart.
    """

    ranks: tuple[Rank, ...]
    questions: int
    votes: int
    resamples: int
    joined: bool


def rank(votes: Sequence[Vote], contestants: int, resamples: int = 1000, seed: int = _SEED) -> Ranking:
    """Rank contestants 0 to contestants - 1 by votes.

    Intervals come from drawing whole questions anew, since the votes on one question hang together, with a fixed seed.
    They are widened a little, as Hesterberg (What teachers should know about the bootstrap, 2015) does, because few
    questions vary less among themselves than all that could be asked. One that won or lost every duel has no
    resample in which it did not: its interval is at least as wide as the curvature of the likelihood says.
    """
    if contestants == 0:
        return Ranking((), 0, 0, 0, True)
    by_question = wins_by_question(votes, contestants)
    questions = len(by_question)
    wins = by_question.sum(axis=0)
    points = POINTS * strengths(wins)
    drawn = np.tile(points, (1, 1))
    if questions >= 2:
        chance = np.random.default_rng(seed)
        counts = chance.multinomial(questions, np.full(questions, 1 / questions), size=resamples)
        again = (counts.astype(np.float64) @ by_question.reshape(questions, -1)).reshape(-1, contestants, contestants)
        drawn = POINTS * strengths(again)
    low, high = _intervals(points, drawn, wins, questions)
    best = np.isclose(drawn, drawn.max(axis=1, keepdims=True), atol=1e-6)
    first = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    duels = wins + wins.T
    ranks = [
        Rank(
            one,
            float(points[one]),
            float(low[one]) if questions >= 2 and duels[one].any() else None,
            float(high[one]) if questions >= 2 and duels[one].any() else None,
            float(first[one]),
            float(wins[one].sum()),
            round(duels[one].sum()),
        )
        for one in range(contestants)
    ]
    ranks.sort(key=lambda one: (-one.points, one.contestant))
    return Ranking(tuple(ranks), questions, len(votes), resamples if questions >= 2 else 0, _joined(duels))


def wins_by_question(votes: Sequence[Vote], contestants: int) -> Array:
    """How often the row beat the column, ties half; (questions with votes, contestants, contestants)."""
    if not votes:
        return np.zeros((0, contestants, contestants))
    table = np.array([(vote.question, vote.first, vote.second, vote.outcome) for vote in votes], dtype=np.float64)
    asked, place = np.unique(table[:, 0].astype(np.intp), return_inverse=True)
    first, second, outcome = table[:, 1].astype(np.intp), table[:, 2].astype(np.intp), table[:, 3]
    cells = len(asked) * contestants**2
    won = (place * contestants + first) * contestants + second
    lost = (place * contestants + second) * contestants + first
    flat = np.bincount(won, outcome, cells) + np.bincount(lost, 1 - outcome, cells)
    return np.asarray(flat.reshape(len(asked), contestants, contestants), dtype=np.float64)


def strengths(wins: Array, prior: float = PRIOR) -> Array:
    """The likeliest log strengths, their mean 0; from (..., n, n) wins of the row over the column to (..., n).

    Newton's method on the concave log likelihood, many tables at once. Each step is cut to 2, so that it cannot jump
    out of the region where it converges. prior: see PRIOR; with 0 every contestant must have won and lost.
    """
    n = wins.shape[-1]
    if n < 2:
        return np.zeros(wins.shape[:-1])
    wins = wins + _prior(n, prior)
    found = np.zeros(wins.shape[:-1])
    for _ in range(_STEPS):
        slope, curve = _slope_and_curve(wins, found)
        step = np.linalg.solve(curve + 1 / n, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=-1, keepdims=True)
        found = found + step * np.minimum(1.0, 2.0 / np.maximum(longest, 1e-300))
        if longest.max() < 1e-8:
            break
    return np.asarray(found - found.mean(axis=-1, keepdims=True))


def covariance(wins: Array, prior: float = PRIOR) -> Array:
    """How uncertain log strengths are together, by the curvature of the likelihood; (n, n) to (n, n)."""
    n = len(wins)
    if n < 2:
        return np.zeros((n, n))
    wins = wins + _prior(n, prior)
    _, curve = _slope_and_curve(wins, strengths(wins, 0.0))
    return np.asarray(np.linalg.inv(curve + 1 / n) - 1 / n)


def chance_to_win(first: float, second: float) -> float:
    """How often one with so many points beats another, 0 to 1."""
    return 1 / (1 + math.exp((second - first) / POINTS))


def _prior(n: int, prior: float) -> Array:
    return np.asarray((1 - np.eye(n)) * (prior / 2 / (n - 1)))


def _slope_and_curve(wins: Array, found: Array) -> tuple[Array, Array]:
    """First derivatives of the log likelihood, and its second ones with the sign turned."""
    chance = 1 / (1 + np.exp(found[..., None, :] - found[..., :, None]))
    duels = wins + np.swapaxes(wins, -1, -2)
    slope = (wins - duels * chance).sum(axis=-1)
    weight = duels * chance * (1 - chance)
    n = wins.shape[-1]
    weight[..., range(n), range(n)] = 0
    curve = -weight
    curve[..., range(n), range(n)] = weight.sum(axis=-1)
    return slope, curve


def _intervals(points: Array, drawn: Array, wins: Array, questions: int) -> tuple[Array, Array]:
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    if questions >= 2:
        widen = math.sqrt(questions / (questions - 1)) * _t_975(questions - 1) / NormalDist().inv_cdf(0.975)
        low, high = points + (low - points) * widen, points + (high - points) * widen
    duels = wins + wins.T
    won, lost, all_ = wins.sum(axis=1), wins.sum(axis=0), duels.sum(axis=1)
    extreme = (all_ > 0) & ((won == 0) | (lost == 0))
    if extreme.any():
        reach = 1.96 * POINTS * np.sqrt(np.maximum(np.diag(covariance(wins)), 0))
        # whoever only met such a one is as uncertain as it is
        extreme |= ((duels > 0) <= extreme[None, :]).all(axis=1) & (all_ > 0)
        low = np.where(extreme, np.minimum(low, points - reach), low)
        high = np.where(extreme, np.maximum(high, points + reach), high)
    return low, high


def _t_975(freedom: int) -> float:
    """Student's t at 97.5 %; Abramowitz and Stegun 26.7.5, good to 0.002 from 5 degrees of freedom on."""
    if freedom in _SMALL_T:
        return _SMALL_T[freedom]
    z = NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _joined(duels: Array) -> bool:
    reached, edge = {0}, [0]
    while edge:
        new = {int(one) for one in np.flatnonzero(duels[edge.pop()])} - reached
        reached |= new
        edge += new
    return len(reached) == len(duels)

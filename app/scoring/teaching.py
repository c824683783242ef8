"""Which pairs of answers a person should compare next: those that would teach most."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.core.judging import Duel
from app.core.lab import Cell, CellState, Rater, Vote
from app.scoring.ranking import Array, covariance, strengths, wins_by_question


@dataclass(frozen=True, slots=True)
class TeachingPair:
    """Two answers to compare; `first` is to be shown first. gain: see `teaching_pairs`, in nats."""

    question: int
    seed: int
    first: int
    second: int
    gain: float


def teaching_pairs(
    cells: Iterable[Cell],
    votes: Sequence[Vote],
    contestants: int,
    limit: int = 10,
    seed: int = 1,
    skipped: Iterable[Duel] = (),
) -> list[TeachingPair]:
    """Pairs for blind rating, the one that teaches most first.

    Strengths are taken as normally distributed around the likeliest ones, with the curvature of the likelihood as
    precision. A duel between two whose difference has variance v, and which one wins with chance p, adds p (1 - p) to
    that precision, so that the distribution loses ln(1 + p (1 - p) v) / 2 of its entropy: that is its gain. It is high
    for equals, and for those of whom little is known. Pairs are chosen one after another, each as if those before it
    had been rated. Among the questions that have a pair, the one rated least comes first, then chance decides, as it
    does on who is shown first. Left out is what the person rated already or skipped, and what is word for word the
    same.
    """
    return teaching(cells, votes, contestants, limit, seed, skipped)[0]


def teaching(
    cells: Iterable[Cell],
    votes: Sequence[Vote],
    contestants: int,
    limit: int = 10,
    seed: int = 1,
    skipped: Iterable[Duel] = (),
) -> tuple[list[TeachingPair], int]:
    """The pairs of `teaching_pairs`, and how many pairs of answers there are to compare in all."""
    open_pairs = _open_pairs(cells, votes, skipped)
    count = sum(map(len, open_pairs.values()))
    if not open_pairs or contestants < 2:
        return [], count
    wins = wins_by_question(votes, contestants).sum(axis=0)
    found, spread = strengths(wins), covariance(wins)
    rated = Counter(vote.question for vote in votes if vote.rater is Rater.PERSON)
    chance = random.Random(seed)
    for places in open_pairs.values():
        chance.shuffle(places)
    chosen: list[TeachingPair] = []
    while open_pairs and len(chosen) < limit:
        pair = max(open_pairs, key=lambda one: (_gain(found, spread, one), (-one[0], -one[1])))
        places = open_pairs[pair]
        question, seed_index = min(places, key=lambda place: rated[place[0]])
        places.remove((question, seed_index))
        if not places:
            del open_pairs[pair]
        first, second = pair if chance.random() < 0.5 else pair[::-1]
        chosen.append(TeachingPair(question, seed_index, first, second, _gain(found, spread, pair)))
        spread = _after(found, spread, pair)
        rated[question] += 1
    return chosen, count


def _open_pairs(
    cells: Iterable[Cell], votes: Sequence[Vote], skipped: Iterable[Duel]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Pairs of contestants with the (question, seed) where both answered and the person has not compared them."""
    answers: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for cell in cells:
        if cell.state is CellState.DONE:
            place = cell.place
            answers.setdefault((place.question, place.seed), []).append((place.contestant, cell.text.strip()))
    seen = {
        (vote.question, vote.seed, *sorted((vote.first, vote.second))) for vote in votes if vote.rater is Rater.PERSON
    }
    seen |= {(duel.question, duel.seed, *sorted((duel.first, duel.second))) for duel in skipped}
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for place_asked in sorted(answers):
        for (one, text), (other, other_text) in itertools.combinations(sorted(answers[place_asked]), 2):
            if text != other_text and (*place_asked, one, other) not in seen:
                found.setdefault((one, other), []).append(place_asked)
    return found


def _weight(found: Array, pair: tuple[int, int]) -> float:
    won = 1 / (1 + math.exp(found[pair[1]] - found[pair[0]]))
    return won * (1 - won)


def _gain(found: Array, spread: Array, pair: tuple[int, int]) -> float:
    one, other = pair
    variance = max(0.0, float(spread[one, one] + spread[other, other] - 2 * spread[one, other]))
    return 0.5 * math.log1p(_weight(found, pair) * variance)


def _after(found: Array, spread: Array, pair: tuple[int, int]) -> Array:
    """The spread once this pair was compared, by Sherman and Morrison."""
    one, other = pair
    along = spread[:, one] - spread[:, other]
    weight = _weight(found, pair)
    return np.asarray(spread - np.outer(along, along) * (weight / (1 + weight * (along[one] - along[other]))))

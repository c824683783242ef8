"""Do the intervals of a ranking cover the truth, and how long does a large one take? Run: python bench_ranking.py."""

import itertools
import math
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from app.core.lab import Rater, Vote
from app.scoring.ranking import POINTS, rank

CASES = {
    "5 contestants, 40 questions, the judge mostly repeats itself": ((0.8, 0.3, 0.1, -0.2, -1.0), 40, 0.7),
    "4 contestants, 25 questions, votes on their own": ((0.6, 0.2, 0.0, -0.8), 25, 0.0),
    "2 contestants, 15 questions": ((0.3, -0.3), 15, 0.5),
    "6 contestants, 24 questions, one far ahead": ((2.5, 0.5, 0.0, -0.5, -1.0, -1.5), 24, 0.7),
}
DATA_SETS = 500


def drawn(chance, truth, questions, again):
    for question in range(questions):
        for one, other in itertools.combinations(range(len(truth)), 2):
            win = 1 / (1 + math.exp(truth[other] - truth[one]))
            outcome = float(chance.random() < win)
            yield Vote(Rater.JUDGE, question, 0, one, other, outcome)
            if chance.random() >= again:
                outcome = float(chance.random() < win)
            yield Vote(Rater.JUDGE, question, 0, other, one, 1 - outcome)


def main():
    chance = random.Random(20)
    for name, (truth, questions, again) in CASES.items():
        middle = sum(truth) / len(truth)
        hits = [
            one.low <= POINTS * (truth[one.contestant] - middle) <= one.high
            for _ in range(DATA_SETS)
            for one in rank(list(drawn(chance, truth, questions, again)), len(truth)).ranks
        ]
        print(f"{name}: {sum(hits) / len(hits):.1%} of {len(hits)} intervals cover the truth (95 % +- 2 wanted)")
    truth = [chance.gauss(0, 0.5) for _ in range(20)]
    votes = list(drawn(chance, truth, 500, 0.7))
    start = time.perf_counter()
    rank(votes, 20)
    print(f"20 contestants, 500 questions, {len(votes):,} votes: {time.perf_counter() - start:.2f} s (under 1 wanted)")


if __name__ == "__main__":
    main()

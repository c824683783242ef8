"""Bradley-Terry strengths, their intervals, and what else is read from votes."""

import itertools
import math
import random

import numpy as np
import pytest

from app.core.lab import Rater, Vote
from app.scoring.ranking import POINTS, chance_to_win, rank, strengths, wins_by_question
from app.scoring.win_table import win_rate, win_table


def vote(question, first, second, outcome, rater=Rater.PERSON):
    return Vote(rater, question, 0, first, second, outcome)


def drawn(chance, truth, questions, again=0.7):
    """A judge's votes on every pair in both orders, the second of which often only repeats the first."""
    votes = []
    for question in range(questions):
        for one, other in itertools.combinations(range(len(truth)), 2):
            win = 1 / (1 + math.exp(truth[other] - truth[one]))
            outcome = float(chance.random() < win)
            votes.append(vote(question, one, other, outcome, Rater.JUDGE))
            if chance.random() >= again:
                outcome = float(chance.random() < win)
            votes.append(vote(question, other, one, 1 - outcome, Rater.JUDGE))
    return votes


def points(ranking):
    return {one.contestant: one.points for one in ranking.ranks}


def test_strengths_equal_a_table_worked_out_by_hand():
    # strengths 4 : 2 : 1 would win 2/3, 4/5 and 2/3 of their duels, and these votes are just so
    wins = np.array([[0, 10, 12], [5, 0, 10], [3, 5, 0]], dtype=float)
    expected = np.log([4, 2, 1])
    assert strengths(wins, prior=0) == pytest.approx(expected - expected.mean(), abs=1e-9)


def test_two_contestants_have_half_a_win_added_to_each_side():
    votes = [vote(question, 0, 1, float(question < 7)) for question in range(10)]
    expected = POINTS * math.log(7.5 / 3.5)
    found = points(rank(votes, 2))
    assert found[0] - found[1] == pytest.approx(expected)
    assert found[0] == pytest.approx(-found[1])


def test_a_tie_is_half_a_win_for_both():
    ties = [vote(question, 0, 1, 0.5) for question in range(6)]
    halves = [vote(question, 0, 1, float(question % 2)) for question in range(6)]
    assert points(rank(ties, 2)) == pytest.approx(points(rank(halves, 2)))
    assert points(rank(ties, 2))[0] == pytest.approx(0)


def test_a_hundred_points_win_64_percent():
    assert chance_to_win(100, 0) == pytest.approx(0.64, abs=0.001)


def test_who_won_all_or_lost_all_stays_finite_and_uncertain():
    votes = [vote(question, 0, 1, 1.0) for question in range(20)]
    first, last = rank(votes, 2).ranks
    assert first.contestant == 0
    assert first.points == pytest.approx(POINTS * math.log(20.5 / 0.5) / 2)
    assert first.low < first.points - 50
    assert first.high > first.points + 50
    assert last.high < 0 < first.low
    assert first.first == 1


def test_steps_find_the_top_from_extreme_tables():
    chance = np.random.default_rng(5)
    wins = np.floor(chance.random((200, 6, 6)) ** 8 * 500)
    wins[:, range(6), range(6)] = 0
    found = strengths(wins)
    games = wins + 1 / 2 / 5 * (1 - np.eye(6))
    won = 1 / (1 + np.exp(found[:, None, :] - found[:, :, None]))
    slope = (games - (games + games.swapaxes(1, 2)) * won).sum(axis=2)
    assert np.abs(slope).max() < 1e-4


def test_without_votes_all_are_equal_and_nothing_is_claimed():
    ranking = rank([], 3)
    assert [one.points for one in ranking.ranks] == [0, 0, 0]
    assert all(one.low is None for one in ranking.ranks)
    assert sum(one.first for one in ranking.ranks) == pytest.approx(1)
    assert not ranking.joined
    assert rank([], 0).ranks == ()


def test_one_question_gives_no_interval():
    ranking = rank([vote(3, 0, 1, 1.0), vote(3, 1, 0, 0.0)], 2)
    assert ranking.ranks[0].low is None
    assert ranking.resamples == 0
    assert ranking.ranks[0].duels == 2


def test_contestants_that_never_met_are_not_joined():
    votes = [vote(0, 0, 1, 1.0), vote(1, 2, 3, 1.0)]
    assert not rank(votes, 4).joined
    assert rank([*votes, vote(2, 1, 2, 0.5)], 4).joined


def test_the_same_votes_give_the_same_ranking():
    votes = drawn(random.Random(3), (0.5, 0, -0.5), 12)
    assert rank(votes, 3) == rank(votes, 3)
    assert points(rank(votes[::-1], 3)) == pytest.approx(points(rank(votes, 3)))


def test_the_chance_of_being_first_is_shared_out():
    ranking = rank(drawn(random.Random(8), (0.4, 0.3, -1.5), 15), 3)
    chances = {one.contestant: one.first for one in ranking.ranks}
    assert sum(chances.values()) == pytest.approx(1)
    assert chances[2] < 0.02
    assert ranking.ranks[0].first == max(chances.values())


@pytest.mark.parametrize(("truth", "questions"), [((0.6, 0.2, 0.0, -0.8), 25)])
def test_intervals_cover_the_truth(truth, questions):
    chance = random.Random(11)
    hits = [
        one.low <= POINTS * (truth[one.contestant] - sum(truth) / len(truth)) <= one.high
        for _ in range(100)
        for one in rank(drawn(chance, truth, questions), len(truth), resamples=200).ranks
    ]
    assert 0.92 <= sum(hits) / len(hits) <= 0.98


def test_the_win_table_counts_both_orders_and_halves_ties():
    votes = [vote(0, 0, 1, 1.0), vote(0, 1, 0, 1.0), vote(1, 0, 1, 0.5), vote(1, 0, 1, 1.0)]
    table = win_table(votes, 3)
    assert (table[0][1].wins, table[0][1].votes, table[0][1].share) == (2.5, 4, 0.625)
    assert table[1][0].share == 0.375
    assert table[0][2].share is None
    assert win_rate(votes, 0) == 0.625
    assert win_rate(votes, 2) is None


def test_wins_are_kept_apart_by_question():
    wins = wins_by_question([vote(9, 0, 1, 1.0), vote(4, 0, 1, 0.0)], 2)
    assert wins.tolist() == [[[0, 0], [1, 0]], [[0, 1], [0, 0]]]

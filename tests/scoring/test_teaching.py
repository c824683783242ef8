"""Pairs for blind rating: those that teach most come first."""

import math

import pytest

from app.core.lab import Cell, CellState, Place, Rater, Vote
from app.scoring.teaching import teaching_pairs


def cells(contestants, questions):
    return [
        Cell(Place(one, question, 0), CellState.DONE, f"answer of {one}")
        for one in range(contestants)
        for question in range(questions)
    ]


def judged(question, first, second, outcome):
    return Vote(Rater.JUDGE, question, 0, first, second, outcome)


def pair(one):
    return tuple(sorted((one.first, one.second)))


def test_the_gain_is_the_entropy_that_a_duel_takes_away():
    # two contestants, one drawn duel each as prior: precision 1/4 of the difference, so its variance is 4
    (found,) = teaching_pairs(cells(2, 1), [], 2, limit=1)
    assert found.gain == pytest.approx(0.5 * math.log(1 + 0.25 * 4))


def test_equals_teach_more_than_those_long_told_apart():
    votes = [judged(question, one, 2, 1.0) for question in range(10) for one in (0, 1)]
    votes += [judged(question, 0, 1, float(question % 2)) for question in range(10)]
    found = teaching_pairs(cells(3, 10), votes, 3, limit=3)
    assert pair(found[0]) == (0, 1)
    assert found[0].gain > found[-1].gain or pair(found[-1]) == (0, 1)


def test_those_of_whom_nothing_is_known_come_first():
    votes = [judged(question, 0, 1, float(question % 2)) for question in range(20)]
    assert 2 in pair(teaching_pairs(cells(3, 20), votes, 3, limit=1)[0])


def test_pairs_spread_over_contestants_and_questions():
    found = teaching_pairs(cells(4, 6), [], 4, limit=6)
    assert {pair(one) for one in found} == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    assert len({one.question for one in found}) == 6


def test_what_was_rated_or_is_the_same_is_left_out():
    same = [Cell(Place(one, 0, 0), CellState.DONE, "Paris. ") for one in range(2)]
    waiting = [Cell(Place(0, 1, 0), CellState.DONE, "a"), Cell(Place(1, 1, 0), CellState.FAILED, "b")]
    assert teaching_pairs(same + waiting, [], 2) == []
    rated = [Vote(Rater.PERSON, 0, 0, 1, 0, 1.0)]
    assert {one.question for one in teaching_pairs(cells(2, 2), rated, 2)} == {1}


def test_names_are_hidden_well_each_is_shown_first_about_as_often():
    found = teaching_pairs(cells(2, 60), [], 2, limit=60)
    assert len(found) == 60
    assert 18 <= sum(one.first == 0 for one in found) <= 42
    assert found == teaching_pairs(cells(2, 60), [], 2, limit=60)

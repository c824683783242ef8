"""Judge and person side by side."""

import pytest

from app.core.lab import Rater, Vote
from app.scoring.agreement import agreement, kappa, steadiness, wilson


def person(question, first, second, outcome):
    return Vote(Rater.PERSON, question, 0, first, second, outcome)


def judge(question, first, second, outcome):
    return Vote(Rater.JUDGE, question, 0, first, second, outcome)


def test_kappa_and_wilson_equal_known_values():
    # the 48 pairs of the drawing: 40 alike
    table = ((21, 2, 1), (1, 4, 1), (1, 2, 15))
    chance = (24 * 23 + 6 * 8 + 18 * 17) / 48**2
    assert kappa(table) == pytest.approx((40 / 48 - chance) / (1 - chance))
    assert kappa(table) == pytest.approx(0.73, abs=0.005)
    assert wilson(40, 48) == pytest.approx((0.7042, 0.9130), abs=5e-4)
    # Newcombe (1998): 81 of 263 is 0.2553 to 0.3662
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 20)[0] == 0


def test_kappa_is_not_defined_where_both_always_say_the_same():
    assert kappa(((5, 0), (0, 0))) is None
    assert kappa(((0, 0), (0, 0))) is None


def test_pairs_are_matched_whoever_was_shown_first():
    found = agreement([person(0, 1, 0, 1.0), judge(0, 0, 1, 0.0), judge(0, 1, 0, 1.0)])
    assert found.table == ((1, 0, 0), (0, 0, 0), (0, 0, 0))
    assert found.share == 1
    opposed = agreement([person(0, 1, 0, 1.0), judge(0, 0, 1, 1.0)])
    assert opposed.table == ((0, 0, 1), (0, 0, 0), (0, 0, 0))


def test_a_judge_that_changes_its_mind_says_equal():
    found = agreement([person(0, 0, 1, 0.5), judge(0, 0, 1, 1.0), judge(0, 1, 0, 1.0)])
    assert found.table[1] == (0, 1, 0)


def test_what_only_one_of_them_compared_does_not_count():
    found = agreement([person(0, 0, 1, 1.0), judge(1, 0, 1, 1.0), Vote(Rater.JUDGE, 0, 1, 0, 1, 1.0)])
    assert found.pairs == 0
    assert found.share is found.kappa is found.low is None


def test_changes_of_mind_are_counted_over_pairs_seen_in_both_orders():
    votes = [judge(0, 0, 1, 1.0), judge(0, 1, 0, 0.0), judge(1, 0, 1, 1.0), judge(1, 1, 0, 1.0), judge(2, 0, 1, 1.0)]
    found = steadiness([*votes, person(2, 1, 0, 1.0)])
    assert (found.pairs, found.changed, found.share) == (2, 1, 0.5)
    assert steadiness([]).share is None

"""Votes seen from one answer: who won how often, whatever the order the two were shown in."""

from __future__ import annotations

from app.core.duel_table import DuelTable, Score, mine
from app.core.lab import Place, Rater, Vote

JUDGE, PERSON = Rater.JUDGE, Rater.PERSON


def vote(first: int, second: int, outcome: float, rater: Rater = JUDGE, question: int = 0) -> Vote:
    return Vote(rater, question, 0, first, second, outcome)


def test_both_orders_count_as_one_duel():
    table = DuelTable([vote(0, 1, 1.0), vote(1, 0, 0.0), vote(0, 2, 1.0), vote(2, 0, 1.0), vote(0, 3, 0.0)])
    assert table.score(Place(0, 0, 0)) == Score(won=1, lost=1, tied=1)
    assert table.score(Place(1, 0, 0)) == Score(lost=1)
    assert table.score(Place(2, 0, 0)) == Score(tied=1)
    assert table.score(Place(3, 0, 0)) == Score(won=1)
    assert table.score(Place(0, 1, 0)) is None
    assert table.places() == {Place(at, 0, 0) for at in range(4)}


def test_a_person_and_a_judge_who_disagree_make_a_tie():
    table = DuelTable([vote(0, 1, 1.0), vote(1, 0, 1.0, PERSON)])
    assert table.score(Place(0, 0, 0)) == Score(tied=1)
    table.add(vote(1, 0, 0.0, PERSON))
    assert table.score(Place(0, 0, 0)) == Score(won=1), "a later vote takes the place of the same person's earlier one"


def test_votes_are_found_by_the_other_answer_and_read_from_either_side():
    one = vote(0, 1, 0.5)
    table = DuelTable([one, vote(2, 0, 1.0), vote(0, 1, 1.0, question=3)])
    assert dict(table.against(Place(0, 0, 0))) == {1: (one,), 2: (vote(2, 0, 1.0),)}
    assert [mine(vote(2, 0, 1.0), at) for at in (2, 0)] == [1.0, 0.0]
    assert table.add(vote(4, 5, 1.0)) == (Place(4, 0, 0), Place(5, 0, 0))


def test_votes_are_taken_out_again_one_by_one_or_with_an_answer():
    votes = [vote(0, 1, 1.0), vote(1, 0, 1.0, PERSON), vote(2, 1, 1.0)]
    table = DuelTable(votes)
    assert table.remove(votes[1]) == (Place(1, 0, 0), Place(0, 0, 0))
    assert table.score(Place(0, 0, 0)) == Score(won=1)
    table.forget(Place(0, 0, 0))
    assert table.score(Place(0, 0, 0)) is None
    assert table.score(Place(1, 0, 0)) == Score(lost=1), "the vote with the third one stays"
    table.remove(votes[1])
    assert table.places() == {Place(1, 0, 0), Place(2, 0, 0)}

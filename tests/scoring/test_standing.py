"""Everything that a page of results shows of the votes, from one call."""

from __future__ import annotations

from app.core.judging import Counted, Duel
from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question, Rater, Vote
from app.scoring.standing import by_question, standing_of, teaching_of

PLAN = Plan(
    "p",
    "starter",
    (Contestant("a", ""), Contestant("b", ""), Contestant("c", "")),
    tuple(Question(str(number), "Why?") for number in range(4)),
)
CELLS = [
    Cell(Place(one, question, 0), CellState.DONE, f"{one} to {question}") for one in range(3) for question in range(4)
]


def vote(question, first, second, outcome, rater=Rater.PERSON):
    return Vote(rater, question, 0, first, second, outcome)


JUDGED = [vote(question, 0, other, 1.0, Rater.JUDGE) for question in range(4) for other in (1, 2)]
MINE = [vote(0, 1, 0, 1.0), vote(1, 1, 0, 1.0), vote(2, 2, 0, 0.5)]


def first(standing):
    return PLAN.contestants[standing.ranking.ranks[0].contestant].name


def test_whose_votes_count_decides_the_ranking_and_the_tables_but_not_the_agreement():
    both, judge, person = (standing_of(PLAN, CELLS, JUDGED + MINE, counted=counted) for counted in Counted)
    assert (first(both), first(judge), first(person)) == ("a", "a", "b")
    assert [one.ranking.votes for one in (both, judge, person)] == [11, 8, 3]
    assert [one.table[0][1].votes for one in (both, judge, person)] == [6, 4, 2]
    assert {(one.judge, one.person) for one in (both, judge, person)} == {(8, 3)}
    assert {one.agreement for one in (both, judge, person)} == {both.agreement}
    assert both.agreement.pairs == 3
    assert both.compared == (5, 6)
    assert person.compared == (1, 2)


def test_each_question_tells_who_won_there():
    rows = by_question(JUDGED + MINE, 3)
    assert [row.question for row in rows] == [0, 1, 2, 3]
    assert rows[0].shares == (2 / 3, 0.5, 0.0)
    assert rows[2].shares == (2.5 / 3, 0.0, 0.25)
    assert [row.votes for row in rows] == [3, 3, 3, 2]
    assert by_question([vote(3, 0, 2, 1.0)], 3)[0].shares == (1.0, None, 0.0)


def test_skipped_pairs_do_not_come_again_and_are_not_counted_as_open():
    assert standing_of(PLAN, CELLS, MINE).open == 9
    skipped = [Duel(question, 0, 2, 1) for question in range(4)]
    standing = standing_of(PLAN, CELLS, MINE, skipped)
    assert standing.open == 5
    teaching = teaching_of(PLAN, CELLS, MINE, skipped, 100, 1)
    assert teaching.open == len(teaching.pairs) == 5
    assert not {frozenset((one.first, one.second)) for one in teaching.pairs} & {frozenset((1, 2))}


def test_chance_draws_other_pairs_and_sides_by_another_seed():
    one, same, other = (teaching_of(PLAN, CELLS, [], [], 12, seed).pairs for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert {(min(p.first, p.second), max(p.first, p.second), p.question) for p in one} == {
        (min(p.first, p.second), max(p.first, p.second), p.question) for p in other
    }


def test_without_votes_there_is_nothing_to_rank_but_something_to_rate():
    standing = standing_of(PLAN, CELLS, [])
    assert standing.says[0].text == "Nobody has voted yet."
    assert standing.following is not None
    assert standing.open == 12
    assert standing.agreement.share is None


def test_a_prompt_on_its_own_stands_alone():
    alone = Plan("p", "starter", (Contestant("a", ""),), PLAN.questions)
    standing = standing_of(alone, [cell for cell in CELLS if cell.place.contestant == 0], [])
    assert (standing.open, standing.following, len(standing.ranking.ranks)) == (0, None, 1)
    assert standing.ranking.ranks[0].low is None

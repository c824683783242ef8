"""Measures count what they say, and a threshold that is missed is told with its figures."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.chat import Provenance
from app.core.errors import PlanError
from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Check, Contestant, Judge, Place, Plan, Question, Threshold
from app.scoring.measures import missed, prove_thresholds, summary, tallies
from app.scoring.results import Results, results_of

PLAN = Plan(
    "p",
    "m",
    (Contestant("a", ""), Contestant("b", "")),
    (Question("1", "?"), Question("2", "?", checks=(Check("contains", {"texts": "whale"}, "whale"),))),
    checks=(Check("length", {"high": 2}, "short"),),
    judge=Judge("m", ""),
)
TEXTS = {Place(0, 0, 0): "one two", Place(0, 1, 0): "a whale", Place(1, 0, 0): "one two three"}
CELLS = {
    **{
        place: Cell(place, CellState.DONE, text, Provenance(completion_tokens=len(text), tokens_per_s=4.0))
        for place, text in TEXTS.items()
    },
    Place(1, 1, 0): Cell(Place(1, 1, 0), CellState.FAILED, error="Too long."),
}
SAID = [
    Judgement(Duel(0, 0, 0, 1), 1.0),
    Judgement(Duel(0, 0, 1, 0), 0.5),
    Judgement(Duel(1, 0, 0, 1), None, "who knows"),
]


def results(plan: Plan) -> Results:
    return results_of(plan, CELLS.values(), [vote for one in SAID if (vote := one.vote)])


def with_thresholds(*thresholds: Threshold) -> Plan:
    return dataclasses.replace(PLAN, thresholds=thresholds)


def test_checks_are_counted_and_those_of_an_answer_that_failed_did_not_pass():
    first, second = tallies(results(PLAN))
    assert (first.cells, first.answered, first.checks, first.share) == (2, 2, {"short": (2, 2), "whale": (1, 1)}, 1.0)
    assert (second.cells, second.answered, second.checks) == (2, 1, {"short": (0, 2), "whale": (0, 1)})
    assert second.share == 0.0


def test_what_is_missed_is_told_for_each_or_for_the_one_that_is_named():
    plan = with_thresholds(
        Threshold("checks", 0.5),
        Threshold("whale", 1.0, "a"),
        Threshold("wins", 0.5),
        Threshold("answered", 0.5),
        Threshold("answered", 0.6),
    )
    found = results(plan)
    assert [str(one) for one in missed(found, tallies(found))] == [
        "b: checks must be at least 0.5, but 0.000",
        "b: wins must be at least 0.5, but 0.250",
        "b: answered must be at least 0.6, but 0.500",
    ]


def test_what_was_never_measured_is_missed():
    plan = with_thresholds(Threshold("wins", 0.0, "a"))
    found = results_of(plan, CELLS.values(), [])
    (one,) = missed(found, tallies(found))
    assert one.value is None
    assert "nothing to measure" in str(one)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (with_thresholds(Threshold("charm", 0.5)), "charm"),
        (with_thresholds(Threshold("checks", 0.5), Threshold("checks", 50)), "threshold 2"),
        (dataclasses.replace(with_thresholds(Threshold("wins", 0.5)), judge=None), "needs a judge"),
    ],
)
def test_a_threshold_that_cannot_be_measured_is_refused_beforehand(plan: Plan, words: str):
    with pytest.raises(PlanError, match=words):
        prove_thresholds(plan)
    prove_thresholds(with_thresholds(Threshold("whale", 0.5), Threshold("wins", 0.1)))


def test_a_summary_holds_it_all_and_is_the_same_again():
    found = summary(results(PLAN), SAID)
    assert (found["cells"], found["done"], found["failed"], found["judged"], found["unparsed"]) == (4, 3, 1, 3, 1)
    assert found["win_table"][0][1] == {"wins": 1.5, "of": 2}
    assert found["win_table"][1][0] == {"wins": 0.5, "of": 2}
    assert [one["name"] for one in found["ranking"]] == ["a", "b"]
    assert found["prompts"][0]["tokens"] == 7
    assert found["prompts"][1]["wins"] == 0.25
    assert found == summary(results_of(PLAN, reversed(CELLS.values()), results(PLAN).votes), SAID)

"""A judge's verdict is read strictly, and every pair is shown to it in both orders."""

from __future__ import annotations

import pytest

from app.core.judging import DEFAULT_JUDGE_PROMPT, Duel, Judgement, duels, judge_message, verdict_of
from app.core.lab import Contestant, Place, Plan, Question, Rater, Vote


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("A", 1.0),
        ("The first is clearer.\n\nB\n", 0.0),
        ("Both say the same.\ntie.", 0.5),
        ("Because.\n**A**", 1.0),
        ("Because.\nVerdict: b", 0.0),
        ("Because.\n**Verdict:** Tie", 0.5),
        ("Because.\n`A`\n\n  \n", 1.0),
        ("", None),
        ("A is better", None),
        ("A\nbut B is fine too", None),
        ("A or B", None),
        ("neither", None),
        ("C", None),
        ("A B", None),
    ],
)
def test_the_last_line_is_the_verdict_or_there_is_none(words: str, outcome: float | None):
    assert verdict_of(words) == outcome


def test_only_a_verdict_is_a_vote():
    duel = Duel(3, 1, 0, 2)
    assert Judgement(duel, 0.5, "tie", at_ms=8).vote == Vote(Rater.JUDGE, 3, 1, 0, 2, 0.5, "tie", 8)
    assert Judgement(duel, None, "I cannot say.").vote is None


def test_all_that_is_shared_comes_before_what_differs():
    question = Question("q", "What is it?", "A whale.", "You are a zoologist.")
    first, second = judge_message(question, "one", "two"), judge_message(question, "one", "three")
    assert first.index("two") == second.index("three")
    assert first[: first.index("two")] == second[: second.index("three")]
    for part in ("What is it?", "A whale.", "You are a zoologist.", "one", "two"):
        assert part in first
    assert "Reference" not in judge_message(Question("q", "What?"), "one", "two")
    assert "(no answer)" in judge_message(Question("q", "What?"), " \n", "two")
    assert "A, B or tie" in DEFAULT_JUDGE_PROMPT


def test_every_pair_of_answers_is_seen_in_both_orders_and_those_without_one_are_left_out():
    plan = Plan("p", "m", tuple(Contestant(name, "") for name in "abc"), (Question("1", ""), Question("2", "")), (7,))
    found = list(duels(plan, lambda place: place != Place(1, 1, 0)))
    assert [(one.first, one.second) for one in found if one.question == 0] == [
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 2),
        (2, 0),
        (2, 1),
    ]
    assert [(one.first, one.second) for one in found if one.question == 1] == [(0, 2), (2, 0)]

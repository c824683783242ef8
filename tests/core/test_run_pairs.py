"""Cells of two runs that belong together: by the prompt's name, what is asked, and the seed."""

from __future__ import annotations

from app.core.lab import Contestant, Place, Plan, Question
from app.core.run_pairs import pairs_of


def plan(names: str, questions: str, seeds: tuple[int, ...] = (1,)) -> Plan:
    contestants = tuple(Contestant(name, name) for name in names)
    return Plan("P", "m", contestants, tuple(Question(str(at), text) for at, text in enumerate(questions)), seeds)


def test_prompts_go_by_name_questions_by_what_they_ask_and_seeds_by_number():
    pairs = pairs_of(plan("ABC", "xyz", (1, 2)), plan("CA", "zwx", (2, 3)))
    assert pairs.partner(Place(0, 0, 1)) == Place(1, 2, 0)
    assert pairs.partner(Place(2, 2, 1)) == Place(0, 0, 0)
    assert pairs.partner(Place(1, 0, 1)) is None, "there was no such prompt"
    assert pairs.partner(Place(0, 1, 1)) is None, "there was no such question"
    assert pairs.partner(Place(0, 0, 0)) is None, "there was no such seed"
    assert not pairs.is_empty


def test_the_one_prompt_that_was_renamed_is_the_one_that_is_left():
    pairs = pairs_of(plan("AB2", "x"), plan("1AB", "x"))
    assert pairs.contestants == {0: 1, 1: 2, 2: 0}


def test_two_runs_with_one_seed_each_are_compared_whatever_it_is():
    assert pairs_of(plan("A", "x", (1,)), plan("A", "x", (9,))).partner(Place(0, 0, 0)) == Place(0, 0, 0)
    assert pairs_of(plan("A", "x", (1, 2)), plan("A", "x", (9,))).is_empty


def test_nothing_in_common_is_empty():
    assert pairs_of(plan("A", "x"), plan("A", "y")).is_empty
    assert pairs_of(plan("AB", "x"), plan("CDE", "x")).is_empty


def test_the_same_words_with_other_instructions_are_another_question():
    one = Plan("P", "m", (Contestant("A", ""),), (Question("1", "x", system_prompt="s"),))
    assert pairs_of(one, plan("A", "x")).is_empty

"""Which turns are sent when not all fit."""

import random
from itertools import pairwise

import pytest

from app.core.chat import Role
from app.core.context import Size, fit, last_question, system_length

SYSTEM, USER, ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT


def chat(exchanges, chance, system=True):
    """A conversation that ends in a question; a token is four bytes here."""
    turns = [Size(SYSTEM, 40)] if system else []
    for _ in range(exchanges):
        turns += [Size(USER, chance.randrange(4, 200)), Size(ASSISTANT, chance.randrange(4, 800))]
    return [*turns, Size(USER, chance.randrange(4, 200))]


def measured(turns):
    head = system_length(turns)
    return lambda start: sum(turn.size_bytes // 4 + 5 for turn in (*turns[:head], *turns[start:]))


def test_everything_is_sent_while_it_fits():
    turns = chat(3, random.Random(1))
    assert fit(turns, measured(turns), 10_000) == 1


def test_the_system_prompt_is_never_counted_among_what_goes():
    turns = chat(50, random.Random(2))
    assert fit(turns, measured(turns), 500) > 1
    assert system_length(turns) == 1
    assert system_length([Size(SYSTEM, 1), Size(SYSTEM, 1)]) == 2


@pytest.mark.parametrize("budget", [256, 300, 512, 4096])
def test_a_hundred_chats_driven_past_the_limit_keep_their_last_question(budget):
    chance = random.Random(budget)
    for _ in range(100):
        turns = chat(chance.randrange(1, 120), chance, system=chance.random() < 0.5)
        start = fit(turns, measured(turns), budget)
        assert system_length(turns) <= start <= last_question(turns)
        assert measured(turns)(start) <= budget or start == last_question(turns)


def test_history_begins_with_a_question():
    chance = random.Random(4)
    for _ in range(200):
        turns = chat(chance.randrange(2, 60), chance)
        assert turns[fit(turns, measured(turns), 400)].role is USER


def test_a_greeting_before_the_first_question_goes_first():
    turns = [Size(ASSISTANT, 400), Size(USER, 40), Size(ASSISTANT, 40), Size(USER, 40)]
    assert fit(turns, measured(turns), 100) == 1


def test_the_cut_stays_while_the_chat_grows_so_that_prompts_begin_alike():
    chance = random.Random(5)
    whole = chat(400, chance)
    starts = []
    for exchanges in range(1, 400):
        turns = whole[: 2 + 2 * exchanges]
        starts.append(fit(turns, measured(turns), 2000))
    moves = sum(1 for one, other in pairwise(starts) if one != other)
    assert starts == sorted(starts)
    assert starts[-1] > 700
    assert moves < 400 / 3


def test_at_least_half_of_the_budget_is_used_where_exchanges_are_small():
    chance = random.Random(6)
    for _ in range(100):
        turns = chat(200, chance)
        assert measured(turns)(fit(turns, measured(turns), 4000)) > 2000


def test_one_huge_exchange_does_not_push_out_the_ones_behind_it():
    turns = [Size(USER, 40), Size(ASSISTANT, 40_000), Size(USER, 40), Size(ASSISTANT, 40), Size(USER, 40)]
    assert fit(turns, measured(turns), 100) == 2


def test_a_question_that_does_not_fit_is_still_what_remains():
    turns = [Size(SYSTEM, 40), Size(USER, 40), Size(ASSISTANT, 40), Size(USER, 40_000)]
    assert fit(turns, measured(turns), 100) == 3


def test_measuring_is_asked_for_rarely():
    turns = chat(5000, random.Random(7))
    asked = []
    measure = measured(turns)
    fit(turns, lambda start: asked.append(start) or measure(start), 4000)
    assert len(asked) < 40


def test_no_question_at_all_keeps_the_last_turn():
    assert last_question([Size(SYSTEM, 4), Size(ASSISTANT, 4)]) == 1
    assert last_question([Size(SYSTEM, 4)]) == 1
    assert fit([], lambda _start: 0, 100) == 0

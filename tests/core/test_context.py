"""Which turns are sent when not all fit."""

import random
from itertools import pairwise

import pytest

from app.core.context import FILL, WHOLE, Cut, Size, fit, last_question, least, system_length
from app.core.overflow import WhenFull
from app.core.role import Role

SYSTEM, USER, ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT
DROP, FIRST, ASK = WhenFull.DROP_OLDEST, WhenFull.FIRST_AND_LATEST, WhenFull.ASK


def chat(exchanges, chance, system=True):
    """A conversation that ends in a question; a token is four bytes here."""
    turns = [Size(SYSTEM, 40)] if system else []
    for _ in range(exchanges):
        turns += [Size(USER, chance.randrange(4, 200)), Size(ASSISTANT, chance.randrange(4, 800))]
    return [*turns, Size(USER, chance.randrange(4, 200))]


def sent(turns, cut):
    head = system_length(turns)
    return [*turns[: head + cut.head], *turns[head + cut.end :]]


def measured(turns):
    return lambda cut: sum(turn.size_bytes // 4 + 5 for turn in sent(turns, cut))


def cuts_of(whole, room, when_full=DROP, exchanges=400):
    """What is left out at each turn of a growing chat, each time with what was left out before."""
    kept, cuts = None, []
    for count in range(1, exchanges):
        turns = whole[: 2 + 2 * count]
        kept = fit(turns, measured(turns), room, when_full, kept)
        cuts.append(kept)
    return cuts


@pytest.mark.parametrize("when_full", WhenFull)
def test_everything_is_sent_while_it_fits(when_full):
    turns = chat(3, random.Random(1))
    assert fit(turns, measured(turns), 10_000, when_full) == WHOLE
    assert fit(turns, measured(turns), 10_000, when_full, Cut(0, 2)) == WHOLE


def test_the_system_prompt_is_never_counted_among_what_goes():
    turns = chat(50, random.Random(2))
    assert fit(turns, measured(turns), 500).dropped > 0
    assert system_length(turns) == 1
    assert system_length([Size(SYSTEM, 1), Size(SYSTEM, 1)]) == 2


@pytest.mark.parametrize("when_full", [DROP, FIRST])
@pytest.mark.parametrize("room", [256, 300, 512, 4096])
def test_a_hundred_chats_driven_past_the_limit_keep_their_last_question(room, when_full):
    chance = random.Random(room)
    for _ in range(100):
        turns = chat(chance.randrange(1, 120), chance, system=chance.random() < 0.5)
        cut = fit(turns, measured(turns), room, when_full)
        assert turns[-1] in sent(turns, cut)
        assert sent(turns, cut)[: system_length(turns)] == turns[: system_length(turns)]
        assert measured(turns)(cut) <= room or cut == least(turns)


@pytest.mark.parametrize("when_full", [DROP, FIRST])
def test_what_comes_after_the_gap_begins_with_a_question(when_full):
    chance = random.Random(4)
    for _ in range(200):
        turns = chat(chance.randrange(2, 60), chance)
        cut = fit(turns, measured(turns), 400, when_full)
        assert turns[system_length(turns) + cut.end].role is USER


def test_a_greeting_before_the_first_question_goes_first():
    turns = [Size(ASSISTANT, 400), Size(USER, 40), Size(ASSISTANT, 40), Size(USER, 40)]
    assert fit(turns, measured(turns), 100) == Cut(0, 1)


def test_the_first_exchange_stays_and_the_middle_goes():
    chance = random.Random(12)
    for _ in range(100):
        turns = chat(chance.randrange(30, 60), chance)
        cut = fit(turns, measured(turns), 1000, FIRST)
        assert cut.head == 2
        assert sent(turns, cut)[1:3] == turns[1:3]
        assert sent(turns, cut)[-1] == turns[-1]


def test_a_greeting_belongs_to_the_first_exchange():
    turns = [Size(ASSISTANT, 40), *chat(40, random.Random(13), system=False)]
    assert fit(turns, measured(turns), 1000, FIRST).head == 3


def test_a_first_exchange_that_is_too_long_to_stay_goes():
    turns = chat(40, random.Random(14))
    turns[2] = Size(ASSISTANT, 8000)
    cut = fit(turns, measured(turns), 1000, FIRST)
    assert cut.head == 0
    assert measured(turns)(cut) <= 1000


@pytest.mark.parametrize("when_full", [DROP, FIRST])
def test_dropping_happens_in_larger_steps_and_the_cut_stays_in_between(when_full):
    whole = chat(400, random.Random(5))
    cuts = cuts_of(whole, 2000, when_full)
    ends = [cut.end for cut in cuts]
    moves = sum(1 for one, other in pairwise(ends) if one != other)
    assert ends == sorted(ends)
    assert ends[-1] > 700
    assert 20 < moves < 400 / 4


def test_after_a_step_so_much_of_the_room_is_filled_that_little_is_lost():
    whole = chat(400, random.Random(6))
    turns_then = {}
    cuts = cuts_of(whole, 4000)
    for count, (before, now) in enumerate(pairwise(cuts), start=2):
        if now != before:
            turns = whole[: 2 + 2 * count]
            turns_then[count] = measured(turns)(now)
    assert turns_then
    # an exchange is at most 260 tokens
    assert all(4000 * FILL - 260 <= used <= 4000 * FILL for used in turns_then.values())


def test_the_same_chat_asked_again_is_cut_the_same():
    """Regenerating, and a restart, find what the reply before left out with that reply."""
    whole = chat(100, random.Random(7))
    kept = None
    for count in range(1, 100):
        turns = whole[: 2 + 2 * count]
        again = [fit(turns, measured(turns), 1500, DROP, kept) for _ in range(3)]
        assert again[0] == again[1] == again[2]
        kept = again[0]


def test_a_cut_that_no_longer_suits_the_chat_is_not_kept():
    turns = chat(20, random.Random(8))
    assert fit(turns, measured(turns), 500, DROP, Cut(0, 400)) == fit(turns, measured(turns), 500)


def test_another_choice_keeps_what_it_can():
    turns = chat(60, random.Random(9))
    cut = fit(turns, measured(turns), 2000)
    both = fit(turns, measured(turns), 2000, FIRST, cut)
    assert both.head == 2
    assert both.end >= cut.end
    assert fit(turns, measured(turns), 2000, DROP, both) == Cut(0, both.end)


def test_letting_the_first_exchange_go_too_is_a_whole_step():
    turns = chat(60, random.Random(9))
    both = fit(turns, measured(turns), 2000, FIRST)
    while measured(turns)(both) <= 2000:
        turns = [*turns, Size(ASSISTANT, 400), Size(USER, 80)]
    cut = fit(turns, measured(turns), 2000, DROP, both)
    assert cut.end > both.end
    assert measured(turns)(cut) <= 2000 * FILL


def test_asking_leaves_nothing_out_of_its_own():
    turns = chat(60, random.Random(10))
    assert fit(turns, measured(turns), 2000, ASK) is None
    assert fit(turns, measured(turns), 2000, ASK, WHOLE) is None


def test_what_the_person_has_let_go_stays_gone_without_asking_each_time():
    turns = chat(60, random.Random(11))
    cut = fit(turns, measured(turns), 2000)
    for when_full in (DROP, FIRST):
        agreed = fit(turns, measured(turns), 2000, when_full)
        assert fit(turns, measured(turns), 2000, ASK, agreed) == agreed
    longer = [*turns, Size(ASSISTANT, 3000), Size(USER, 40)]
    assert fit(longer, measured(longer), 2000, ASK, cut) is None


def test_one_huge_exchange_does_not_push_out_the_ones_behind_it():
    turns = [Size(USER, 40), Size(ASSISTANT, 40_000), Size(USER, 40), Size(ASSISTANT, 40), Size(USER, 40)]
    assert fit(turns, measured(turns), 100) == Cut(0, 2)


def test_a_question_that_does_not_fit_is_still_what_remains():
    turns = [Size(SYSTEM, 40), Size(USER, 40), Size(ASSISTANT, 40), Size(USER, 40_000)]
    assert fit(turns, measured(turns), 100) == least(turns) == Cut(0, 2)


def test_measuring_is_asked_for_rarely():
    turns = chat(5000, random.Random(7))
    asked = []
    measure = measured(turns)
    fit(turns, lambda cut: asked.append(cut) or measure(cut), 4000)
    assert len(asked) < 40


def test_no_question_at_all_keeps_the_last_turn():
    assert last_question([Size(SYSTEM, 4), Size(ASSISTANT, 4)]) == 1
    assert last_question([Size(SYSTEM, 4)]) == 1
    assert fit([], lambda _cut: 0, 100) == WHOLE
    assert least([]) == WHOLE

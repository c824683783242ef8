"""Playing a turn: what is sent when not everything fits."""

import random
from itertools import pairwise

import pytest

from app.core.context import FILL, Cut, Kept
from app.core.errors import ContextFullError, MessageTooLongError, TemplateError
from app.core.options import Sampling
from app.core.overflow import Overflow, WhenFull
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Turn
from app.engine.scripted import Script, ScriptedEngine
from app.engine.turn import Fitted, fit_prompt, play, used_tokens
from tests.engine.gguf_writer import tiny_model

SYSTEM = Turn(Role.SYSTEM, "Be brief and kind.")
GREEDY = Sampling(temperature=0)
FIRST_AND_LATEST, ASK = (Overflow(choice.value) for choice in (WhenFull.FIRST_AND_LATEST, WhenFull.ASK))


def chat(exchanges, chance):
    turns = [SYSTEM]
    for number in range(exchanges):
        turns.append(Turn(Role.USER, f"Question {number}: " + "why " * chance.randrange(1, 30)))
        turns.append(Turn(Role.ASSISTANT, "Because " + "so " * chance.randrange(1, 90)))
    return [*turns, Turn(Role.USER, "The last question?")]


@pytest.mark.parametrize("n_ctx", [256, 300, 512, 4096])
def test_a_hundred_chats_past_the_limit_always_ask_the_last_question(n_ctx):
    chance = random.Random(n_ctx)
    engine = ScriptedEngine(Script(n_ctx=n_ctx))
    for _ in range(25):
        turns = chat(chance.randrange(1, 60), chance)
        fitted = fit_prompt(engine, turns, GREEDY)
        assert fitted.prompt_tokens == len(fitted.prompt.tokens) <= n_ctx - n_ctx // 4
        assert "Be brief and kind." in fitted.prompt.text
        assert fitted.prompt.text.endswith("The last question?<|im_end|>\n<|im_start|>assistant\n")
        kept = [turn for turn in turns[1:] if turn.text in fitted.prompt.text]
        assert len(kept) >= len(turns) - 1 - fitted.cut.dropped


def test_whole_exchanges_go_and_the_rest_is_sent_word_for_word():
    engine = ScriptedEngine(Script(n_ctx=512))
    turns = chat(30, random.Random(1))
    fitted = fit_prompt(engine, turns, GREEDY)
    assert fitted.cut.dropped > 0
    assert fitted.prompt == engine.render([SYSTEM, *turns[1 + fitted.cut.dropped :]])
    assert turns[1 + fitted.cut.dropped].role is Role.USER


@pytest.mark.parametrize("overflow", [Overflow(), FIRST_AND_LATEST])
def test_the_next_turns_prompt_begins_as_this_ones_so_that_the_cache_serves_it(overflow):
    engine = ScriptedEngine(Script(replies=("so " * 40, "yes"), n_ctx=1024))
    turns, cached, dropped = [SYSTEM], [], []
    kept = None
    for number in range(60):
        turns.append(Turn(Role.USER, f"Tell me {number} " + "words " * 20))
        text = ""
        for event in play(engine, turns, GREEDY, StopFlag(), 1, overflow, kept):
            if isinstance(event, Fitted):
                dropped.append(event.cut.dropped)
                assert event.newly_dropped == dropped[-1] - (dropped[-2] if dropped[1:] else 0)
                kept = Kept(event.cut, 1024)
            elif isinstance(event, Delta):
                text += event.text
            elif isinstance(event, Done):
                done = event
        cached.append(done.cached_tokens / done.prompt_tokens)
        turns.append(Turn(Role.ASSISTANT, text, done.token_ids))
    assert dropped[-1] > 60
    moved = [now for before, now in pairwise(dropped) if now != before]
    assert len(moved) <= 20
    assert sum(share > 0.8 for share in cached) >= 40


def test_what_was_left_out_stays_out_until_it_overflows_again():
    engine = ScriptedEngine(Script(n_ctx=1024))
    turns = chat(60, random.Random(3))
    first = fit_prompt(engine, turns, GREEDY)
    room = 1024 - 256
    assert first.prompt_tokens <= room * FILL
    more = [*turns, Turn(Role.ASSISTANT, "So it is."), Turn(Role.USER, "And then?")]
    assert fit_prompt(engine, more, GREEDY, kept=Kept(first.cut, 1024)).cut == first.cut
    further = Cut(0, first.cut.dropped + 4)
    assert fit_prompt(engine, more, GREEDY, kept=Kept(further, 1024)).cut == further
    assert fit_prompt(engine, more, GREEDY, kept=Kept(further, 4096)).cut == fit_prompt(engine, more, GREEDY).cut
    much = [*turns, Turn(Role.ASSISTANT, "so " * 300), Turn(Role.USER, "And then?")]
    assert fit_prompt(engine, much, GREEDY, kept=Kept(first.cut, 1024)).cut.dropped > first.cut.dropped


def test_the_first_exchange_is_sent_before_the_latest_ones():
    engine = ScriptedEngine(Script(n_ctx=1024))
    turns = chat(60, random.Random(4))
    fitted = fit_prompt(engine, turns, GREEDY, FIRST_AND_LATEST)
    assert fitted.cut.head == 2
    assert fitted.prompt == engine.render([*turns[:3], *turns[1 + fitted.cut.end :]])


@pytest.mark.parametrize("overflow", [Overflow(), FIRST_AND_LATEST])
@pytest.mark.parametrize("system", [[SYSTEM], []])
def test_the_place_of_the_gap_is_the_end_of_what_is_sent_before_it(starter_engine, overflow, system):
    turns = [*system, *chat(80, random.Random(5))[1:]]
    n_ctx = starter_engine.facts.n_ctx
    while len(starter_engine.render(turns).tokens) < n_ctx:
        turns = [*turns[:-1], *turns[len(system) :]]
    fitted = fit_prompt(starter_engine, turns, GREEDY, overflow)
    before = turns[: len(system) + fitted.cut.head]
    assert fitted.cut.dropped
    assert fitted.left_out_at == (len(starter_engine.render(before, reply=False).tokens) if before else 0)


@pytest.mark.parametrize(
    ("source", "apart"),
    [
        ("{% for m in messages %}<s>{{ m.role }} {{ m.content }}</s>{% endfor %}", True),
        ("{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}", False),
        (
            "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
            "{% for m in messages %}<s>{{ m.role }} {{ m.content }}</s>{% endfor %}",
            False,
        ),
    ],
    ids=["apart", "in one go", "folded system prompt"],
)
def test_where_a_template_mixes_turns_no_place_for_moving_is_told(tmp_path, open_model, source, apart):
    engine = open_model(tiny_model(tmp_path / "tiny.gguf", template=source), context_tokens=256)
    turns = [SYSTEM]
    for number in range(30):
        turns += [Turn(Role.USER, f"ask {number}"), Turn(Role.ASSISTANT, f"say {number}")]
    fitted = fit_prompt(engine, [*turns, Turn(Role.USER, "and then")], Sampling(max_tokens=8))
    assert fitted.cut.dropped
    assert not fitted.prompt.notice
    assert (fitted.left_out_at > 0) == apart


def test_stop_and_ask_sends_nothing_and_tells_the_counts():
    engine = ScriptedEngine(Script(n_ctx=1024))
    turns = chat(60, random.Random(6))
    with pytest.raises(ContextFullError) as caught:
        list(play(engine, turns, GREEDY, StopFlag(), 1, ASK))
    assert caught.value.prompt_tokens == len(engine.render(turns).tokens)
    assert f"{caught.value.prompt_tokens:,}" in caught.value.detail
    assert "1,024" in caught.value.detail
    short = turns[-5:]
    assert fit_prompt(engine, short, GREEDY, ASK).cut == Cut()


def test_stop_and_ask_refuses_what_no_dropping_could_make_fit():
    engine = ScriptedEngine(Script(n_ctx=512))
    turns = [*chat(40, random.Random(7))[:-1], Turn(Role.USER, "word " * 600)]
    with pytest.raises(MessageTooLongError, match="This message"):
        fit_prompt(engine, turns, GREEDY, ASK)


def test_what_is_used_is_counted_without_what_is_left_out():
    engine = ScriptedEngine(Script(n_ctx=1024))
    turns = chat(60, random.Random(8))[:-1]
    cut = Cut(0, 100)
    assert used_tokens(engine, turns, cut) == len(engine.render([SYSTEM, *turns[101:]], reply=False).tokens)
    assert used_tokens(engine, turns, Cut()) > 1024
    assert used_tokens(engine, [SYSTEM, Turn(Role.USER, "x y " * 2_000_000)], Cut()) > 1024


def test_room_for_the_reply_is_kept_but_never_more_than_a_quarter():
    engine = ScriptedEngine(Script(n_ctx=1000))
    turns = chat(200, random.Random(2))
    short = fit_prompt(engine, turns, Sampling(max_tokens=10))
    long = fit_prompt(engine, turns, Sampling(max_tokens=900))
    assert short.prompt_tokens <= 990
    assert long.prompt_tokens <= 750
    assert short.cut.dropped <= long.cut.dropped


def test_a_long_question_may_use_the_room_of_the_reply():
    engine = ScriptedEngine(Script(n_ctx=512))
    turns = [SYSTEM, Turn(Role.USER, "word " * 450)]
    assert fit_prompt(engine, turns, GREEDY).prompt_tokens > 400


def test_a_question_that_does_not_fit_is_refused_with_both_counts():
    engine = ScriptedEngine(Script(n_ctx=512))
    with pytest.raises(MessageTooLongError) as caught:
        fit_prompt(engine, [SYSTEM, Turn(Role.USER, "word " * 600)], GREEDY)
    assert "This message" in caught.value.title
    assert "512" in caught.value.detail
    assert caught.value.hint


def test_a_system_prompt_that_does_not_fit_is_named_as_the_cause():
    engine = ScriptedEngine(Script(n_ctx=512))
    with pytest.raises(MessageTooLongError, match="system prompt"):
        fit_prompt(engine, [Turn(Role.SYSTEM, "word " * 600), Turn(Role.USER, "hi")], GREEDY)


def test_ten_megabytes_are_refused_before_anything_is_tokenized(starter_engine, monkeypatch):
    monkeypatch.setattr(starter_engine, "render", lambda *_args, **_more: pytest.fail("tokenized"))
    with pytest.raises(MessageTooLongError) as caught:
        fit_prompt(starter_engine, [SYSTEM, Turn(Role.USER, "ab c" * 2_500_000)], GREEDY)
    assert "10.0 MB" in caught.value.detail


def test_a_huge_old_message_is_dropped_without_being_tokenized(monkeypatch):
    engine = ScriptedEngine(Script(n_ctx=512))
    turns = [SYSTEM, Turn(Role.USER, "x y " * 2_000_000), Turn(Role.ASSISTANT, "No."), Turn(Role.USER, "And now?")]
    render, rendered = engine.render, []
    monkeypatch.setattr(engine, "render", lambda kept, **more: rendered.extend(kept) or render(kept, **more))
    assert fit_prompt(engine, turns, GREEDY).cut.dropped == 2
    assert turns[1] not in rendered


def test_nothing_is_generated_when_rendering_fails():
    engine = ScriptedEngine(Script(render_error=TemplateError("The template failed")))
    with pytest.raises(TemplateError):
        list(play(engine, [Turn(Role.USER, "Hi")], GREEDY, StopFlag()))

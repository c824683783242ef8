"""Playing a turn: what is sent when not everything fits."""

import random
from itertools import pairwise

import pytest

from app.core.chat import Role
from app.core.errors import MessageTooLongError, TemplateError
from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Turn
from app.engine.scripted import Script, ScriptedEngine
from app.engine.turn import Fitted, fit_prompt, play

SYSTEM = Turn(Role.SYSTEM, "Be brief and kind.")
GREEDY = Sampling(temperature=0)


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
        assert len(kept) >= len(turns) - 1 - fitted.dropped_turns


def test_whole_exchanges_go_and_the_rest_is_sent_word_for_word():
    engine = ScriptedEngine(Script(n_ctx=512))
    turns = chat(30, random.Random(1))
    fitted = fit_prompt(engine, turns, GREEDY)
    assert fitted.dropped_turns > 0
    assert fitted.prompt == engine.render([SYSTEM, *turns[1 + fitted.dropped_turns :]])
    assert turns[1 + fitted.dropped_turns].role is Role.USER


def test_the_next_turns_prompt_begins_as_this_ones_so_that_the_cache_serves_it():
    engine = ScriptedEngine(Script(replies=("so " * 40, "yes"), n_ctx=1024))
    turns, cached, dropped = [SYSTEM], [], []
    for number in range(60):
        turns.append(Turn(Role.USER, f"Tell me {number} " + "words " * 20))
        text = ""
        for event in play(engine, turns, GREEDY, StopFlag()):
            if isinstance(event, Fitted):
                dropped.append(event.dropped_turns)
            elif isinstance(event, Delta):
                text += event.text
            elif isinstance(event, Done):
                done = event
        cached.append(done.cached_tokens / done.prompt_tokens)
        turns.append(Turn(Role.ASSISTANT, text, done.token_ids))
    assert dropped[-1] > 60
    moved = [now for before, now in pairwise(dropped) if now != before]
    assert len(moved) <= 15
    assert sum(share > 0.8 for share in cached) >= 40


def test_room_for_the_reply_is_kept_but_never_more_than_a_quarter():
    engine = ScriptedEngine(Script(n_ctx=1000))
    turns = chat(200, random.Random(2))
    short = fit_prompt(engine, turns, Sampling(max_tokens=10))
    long = fit_prompt(engine, turns, Sampling(max_tokens=900))
    assert short.prompt_tokens <= 990
    assert long.prompt_tokens <= 750
    assert short.dropped_turns <= long.dropped_turns


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
    assert fit_prompt(engine, turns, GREEDY).dropped_turns == 2
    assert turns[1] not in rendered


def test_without_a_reply_a_full_chat_is_counted_and_not_refused():
    engine = ScriptedEngine(Script(n_ctx=512))
    turns = [SYSTEM, Turn(Role.USER, "Why?"), Turn(Role.ASSISTANT, "so " * 600)]
    assert fit_prompt(engine, turns, GREEDY, reply=False).prompt_tokens > 512


def test_nothing_is_generated_when_rendering_fails():
    engine = ScriptedEngine(Script(render_error=TemplateError("The template failed")))
    with pytest.raises(TemplateError):
        list(play(engine, [Turn(Role.USER, "Hi")], GREEDY, StopFlag()))

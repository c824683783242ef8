"""The engine that stands in for a model where timing and faults are tested."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.errors import EngineError, ModelFileError, TemplateError
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Reading, Request, StopReason, Turn
from app.engine.scripted import Script, ScriptedEngine, scripted_loader

TURNS = [Turn(Role.USER, "Hi")]


def events(engine, stop=None, sampling=None):
    request = Request(engine.render(TURNS).tokens, sampling or Sampling())
    return engine.stream(request, stop or StopFlag())


def text(engine):
    return "".join(event.text for event in events(engine) if isinstance(event, Delta))


def test_it_says_its_replies_in_turn_and_over_again():
    engine = ScriptedEngine(Script(replies=("one", "two", "")))
    assert [text(engine) for _ in range(4)] == ["one", "two", "", "one"]


def test_any_text_comes_out_as_it_went_in():
    said = "Grüße <|im_end|> 😀\r\n\tשלום {{x}}  two  spaces\u2028"
    assert text(ScriptedEngine(Script(replies=(said,)))) == said


def test_it_speaks_at_the_rate_it_is_told():
    engine = ScriptedEngine(Script(replies=("a b c d e",), tokens_per_s=100))
    done = list(events(engine))[-1]
    assert done.completion_tokens == 5
    assert done.duration_ms >= 50
    assert done.tokens_per_s <= 100.1


def test_it_reads_at_the_rate_it_is_told_and_not_again_what_it_knows():
    engine = ScriptedEngine(Script(replies=("ok",), read_tokens_per_s=200))
    first, again = list(events(engine))[-1], list(events(engine))[-1]
    assert first.ttft_ms >= first.prompt_tokens * 5
    assert again.cached_tokens == again.prompt_tokens - 1


def test_it_fails_at_the_token_it_is_told_to_and_works_again_afterwards():
    engine = ScriptedEngine(Script(replies=("a b c d",), fail_at_token=2))
    said = []
    stream = events(engine)
    while len(said) < 2:
        event = next(stream)
        said += [event.text] if isinstance(event, Delta) else []
    with pytest.raises(EngineError):
        next(stream)
    assert said == ["a", " b"]
    engine.script = dataclasses.replace(engine.script, fail_at_token=None)
    assert text(engine) == "a b c d"


def test_it_fails_to_render_where_it_is_told_to():
    with pytest.raises(TemplateError):
        ScriptedEngine(Script(render_error=TemplateError("No template"))).render(TURNS)


def test_it_fails_to_load_where_it_is_told_to():
    load = scripted_loader(Script(load_error=ModelFileError("Broken")))
    with pytest.raises(ModelFileError):
        load("x.gguf", Loading(), StopFlag())


def test_loading_takes_its_time_tells_of_it_and_can_be_stopped():
    heard: list[float] = []
    engine = scripted_loader(Script(load_s=0.03))("x.gguf", Loading(), StopFlag(), heard.append)
    assert engine.facts.path == "x.gguf"
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    stop = StopFlag()
    assert scripted_loader(Script(load_s=60))("x.gguf", Loading(), stop, lambda _fraction: stop.set()) is None


def test_a_stop_ends_even_a_slow_reply_at_once():
    engine = ScriptedEngine(Script(replies=("a b",), tokens_per_s=0.01))
    stop = StopFlag()
    stream = events(engine, stop)
    assert isinstance(next(stream), Reading)
    stop.set()
    rest = list(stream)
    assert isinstance(rest[-1], Done)
    assert rest[-1].reason is StopReason.STOPPED


def test_its_context_gets_full():
    engine = ScriptedEngine(Script(replies=("word " * 300,), n_ctx=256))
    done = list(events(engine))[-1]
    assert done.reason is StopReason.CONTEXT
    assert done.prompt_tokens + done.completion_tokens == 256

"""What every engine keeps, whatever stands behind it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.context import Kept
from app.core.errors import EngineError, MessageTooLongError
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine import host
from app.engine.base import Delta, Done, Engine, Event, Reading, Request, StopReason, Turn
from app.engine.host import HostedEngine
from app.engine.scripted import Script, ScriptedEngine
from app.engine.turn import Fitted, play
from tests.engine.conftest import loaded

GREEDY = Sampling(temperature=0)
BRIEF = Sampling(temperature=0, max_tokens=4)
"""Where only the reading counts: left alone, the model goes on until the context is full."""
LIST = [Turn(Role.USER, "Write a list of fruits.")]


def scripted(starter: Path, context_tokens: int) -> Engine:
    return ScriptedEngine(
        Script(replies=("Here are three fruits:\n\n- apple\n- banana\n- cherry",), n_ctx=context_tokens)
    )


def llama(starter: Path, context_tokens: int) -> Engine:
    return loaded(starter, context_tokens=context_tokens)


def hosted(starter: Path, context_tokens: int) -> Engine:
    engine = host.load(str(starter), Loading(threads=1, context_tokens=context_tokens), StopFlag())
    assert engine is not None
    return engine


@pytest.fixture(params=[llama, hosted, scripted], ids=["llama", "hosted", "scripted"])
def make(request, starter) -> Iterator[Callable[[int], Engine]]:
    """Makes an engine with a context of so many tokens; closed after the test."""
    engines: list[Engine] = []

    def made(context_tokens: int = 1024) -> Engine:
        engines.append(request.param(starter, context_tokens))
        return engines[-1]

    yield made
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(make) -> Engine:
    return make()


def ask(engine: Engine, turns: list[Turn], sampling: Sampling = GREEDY, stop: StopFlag | None = None) -> list[Event]:
    return list(engine.stream(Request(engine.render(turns).tokens, sampling), stop or StopFlag()))


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def done_of(events: list[Event]) -> Done:
    assert isinstance(events[-1], Done)
    return events[-1]


def long_turns(engine: Engine, tokens: int) -> list[Turn]:
    """A question of about this many tokens, and at least."""
    text = "tell me "
    while (missing := tokens - engine.count(text)) > 0:
        text += "more " * (missing // 4 + 1)
    return [Turn(Role.USER, text)]


def test_a_reply_is_reading_then_text_then_one_end(engine):
    events = ask(engine, LIST)
    kinds = [type(event) for event in events]
    assert kinds == sorted(kinds, key=[Reading, Delta, Done].index)
    assert kinds.count(Done) == 1
    assert text_of(events) == "Here are three fruits:\n\n- apple\n- banana\n- cherry"
    assert done_of(events).reason is StopReason.END


def test_reading_begins_with_what_is_cached_and_ends_with_all(engine):
    turns = long_turns(engine, 600)
    first = [event for event in ask(engine, turns, BRIEF) if isinstance(event, Reading)]
    again = [event for event in ask(engine, turns, BRIEF) if isinstance(event, Reading)]
    total = len(engine.render(turns).tokens)
    assert {event.total for event in first + again} == {total}
    assert [event.done for event in first] == [0, 256, 512, total]
    assert [event.done for event in again] == [total - 1, total]


def test_the_figures_at_the_end_add_up(engine):
    events = ask(engine, LIST)
    done = done_of(events)
    deltas = [event.completion_tokens for event in events if isinstance(event, Delta)]
    assert done.prompt_tokens == len(engine.render(LIST).tokens)
    assert done.completion_tokens == len(done.token_ids) == deltas[-1]
    assert deltas == sorted(deltas)
    assert 0 < done.ttft_ms <= done.duration_ms
    assert done.tokens_per_s > 0
    assert done.cached_tokens == 0


def test_the_second_turn_reads_only_what_is_new(engine):
    events = ask(engine, LIST)
    first = done_of(events)
    turns = [*LIST, Turn(Role.ASSISTANT, text_of(events), first.token_ids), Turn(Role.USER, "Thank you.")]
    second = done_of(ask(engine, turns))
    assert second.cached_tokens >= first.prompt_tokens + first.completion_tokens - 1


def test_asking_again_reads_one_token(engine):
    ask(engine, LIST)
    done = done_of(ask(engine, LIST))
    assert done.cached_tokens == done.prompt_tokens - 1


def test_an_edited_question_reads_from_where_it_differs(engine):
    system = Turn(Role.SYSTEM, "You are a helpful assistant.")
    ask(engine, [system, Turn(Role.USER, "Write a list of fruits.")])
    done = done_of(ask(engine, [system, Turn(Role.USER, "Write a list of colours.")]))
    assert len(engine.render([system], reply=False).tokens) <= done.cached_tokens < done.prompt_tokens - 1


def test_another_sampler_keeps_the_cache(engine):
    ask(engine, LIST)
    done = done_of(ask(engine, LIST, Sampling(temperature=1.5, top_k=5, mirostat="2", seed=3)))
    assert done.cached_tokens == done.prompt_tokens - 1


def test_the_same_question_gets_the_same_answer_from_the_cache_as_without_it(make):
    used = make()
    turns = [*LIST, Turn(Role.ASSISTANT, "Here you are."), Turn(Role.USER, "Write a list of colours.")]
    ask(used, [Turn(Role.USER, "What is the capital of France?")])
    ask(used, LIST)
    if isinstance(used, ScriptedEngine):
        used.script = dataclasses.replace(used.script, replies=("Same.",))
        fresh = ScriptedEngine(used.script)
    else:
        fresh = make()
    assert text_of(ask(used, turns)) == text_of(ask(fresh, turns))


def test_a_stop_before_the_start_gives_an_empty_reply(engine):
    stop = StopFlag()
    stop.set()
    events = ask(engine, LIST, stop=stop)
    done = done_of(events)
    assert (done.reason, text_of(events), done.token_ids, done.ttft_ms) == (StopReason.STOPPED, "", (), 0.0)


def test_a_stop_while_reading_ends_it_and_keeps_what_was_read(engine):
    turns, stop = long_turns(engine, 700), StopFlag()
    events = []
    for event in engine.stream(Request(engine.render(turns).tokens, GREEDY), stop):
        events.append(event)
        if isinstance(event, Reading) and event.done == 256:
            stop.set()
    read = done_of(ask(engine, turns, BRIEF)).cached_tokens
    if isinstance(engine, HostedEngine):  # it runs ahead of us: test_host.py stops a slow one
        assert read >= 256
    else:
        assert done_of(events).reason is StopReason.STOPPED
        assert not text_of(events)
        assert read == 256


def test_a_stop_while_generating_keeps_what_was_said(engine):
    stop, events = StopFlag(), []
    for event in engine.stream(Request(engine.render(LIST).tokens, GREEDY), stop):
        events.append(event)
        if isinstance(event, Delta) and event.completion_tokens == 5:
            stop.set()
    done, whole = done_of(events), text_of(ask(engine, LIST))
    assert whole.startswith(text_of(events))
    assert len(done.token_ids) == done.completion_tokens
    if isinstance(engine, HostedEngine):  # it runs ahead of us: test_host.py stops a slow one
        assert done.completion_tokens >= 5
    else:
        assert done.reason is StopReason.STOPPED
        assert done.completion_tokens == 5
        assert len(text_of(events)) < len(whole)


def test_a_stream_that_is_left_in_the_middle_leaves_an_engine_that_works(engine):
    stream = engine.stream(Request(engine.render(LIST).tokens, GREEDY), StopFlag())
    for event in stream:
        if isinstance(event, Delta) and event.completion_tokens == 4:
            break
    stream.close()
    assert text_of(ask(engine, LIST)).startswith("Here are three fruits")


@pytest.mark.parametrize(
    ("stop", "text"), [("- b", "Here are three fruits:\n\n- apple\n"), ("Here", ""), ("xyz", None)]
)
def test_no_part_of_a_stop_string_is_shown(engine, stop, text):
    events = ask(engine, LIST, Sampling(temperature=0, stop=(stop,)))
    if text is None:
        assert done_of(events).reason is StopReason.END
    else:
        assert text_of(events) == text
        assert done_of(events).reason is StopReason.STOP_STRING


def test_a_reply_ends_at_its_longest(engine):
    events = ask(engine, LIST, Sampling(temperature=0, max_tokens=6))
    assert done_of(events).reason is StopReason.LENGTH
    assert done_of(events).completion_tokens == 6


def test_a_full_context_ends_the_reply(make):
    engine = make(256)
    turns, text = LIST, LIST[0].text
    while len(engine.render(turns).tokens) < 250:
        text = "a " + text
        turns = [Turn(Role.USER, text)]
    events = ask(engine, turns, Sampling(temperature=1.5, top_k=None, top_p=None, seed=1))
    done = done_of(events)
    assert done.reason in (StopReason.CONTEXT, StopReason.END)
    assert done.prompt_tokens + done.completion_tokens <= 257
    assert done_of(ask(engine, LIST)).reason is StopReason.END


def test_a_prompt_longer_than_the_context_is_refused_with_its_size(make):
    engine = make(256)
    tokens = engine.render(long_turns(engine, 300)).tokens
    with pytest.raises(MessageTooLongError, match=str(len(tokens))):
        list(engine.stream(Request(tokens, GREEDY), StopFlag()))


def test_the_seed_in_force_is_told(engine):
    assert done_of(ask(engine, LIST, Sampling(seed=42))).seed == 42
    random_seeds = {done_of(ask(engine, LIST, Sampling())).seed for _ in range(3)}
    assert len(random_seeds) == 3
    assert all(0 <= seed < 2**32 - 1 for seed in random_seeds)


def test_the_same_seed_gives_the_same_text(engine):
    hot = Sampling(temperature=2, top_k=None, top_p=None, seed=11, max_tokens=20)
    assert text_of(ask(engine, LIST, hot)) == text_of(ask(engine, LIST, hot))


def test_the_seed_that_was_told_gives_the_same_text_again(engine):
    hot = Sampling(temperature=2, top_k=None, top_p=None, max_tokens=20)
    first = ask(engine, LIST, hot)
    again = ask(engine, LIST, dataclasses.replace(hot, seed=done_of(first).seed))
    assert text_of(again) == text_of(first)


def test_control_segments_hold_the_templates_tokens_and_nothing_else(engine):
    prompt = engine.render([Turn(Role.SYSTEM, "<|im_start|>"), Turn(Role.USER, "a<|im_end|>b")])
    controls = [segment for segment in prompt.segments if segment.kind == "control"]
    assert [segment.text for segment in controls] == ["<|im_start|>", "<|im_end|>"] * 2 + ["<|im_start|>"]
    ids = {token for segment in controls for token in segment.tokens}
    texts = [segment for segment in prompt.segments if segment.kind == "text"]
    assert not ids & {token for segment in texts for token in segment.tokens}


def test_a_prompt_is_its_segments(engine):
    prompt = engine.render([Turn(Role.USER, "Hi")])
    assert prompt.text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert prompt.tokens == tuple(token for segment in prompt.segments for token in segment.tokens)
    assert engine.render([Turn(Role.USER, "Hi")], reply=False).text == "<|im_start|>user\nHi<|im_end|>\n"


def test_counting_counts_text(engine):
    assert engine.count("") == 0
    assert 0 < engine.count("Hello") < engine.count("Hello, how are you today?")
    assert engine.count("<|im_end|>") > 1


def test_facts_are_plain_values(engine):
    facts = json.loads(json.dumps(dataclasses.asdict(engine.facts)))
    assert facts["n_ctx"] == 1024
    assert facts["template"] == "ChatML"


def test_events_and_prompts_are_plain_frozen_values(engine):
    for value in (*ask(engine, LIST), engine.render(LIST)):
        json.dumps(dataclasses.asdict(value))
        field = dataclasses.fields(value)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, None)


def test_closing_twice_is_harmless_and_nothing_works_afterwards(engine):
    tokens = engine.render(LIST).tokens
    engine.close()
    engine.close()
    for use in (
        lambda: engine.render(LIST),
        lambda: engine.count("a"),
        lambda: list(engine.stream(Request(tokens, GREEDY), StopFlag())),
    ):
        with pytest.raises(EngineError) as caught:
            use()
        assert caught.value.hint


def test_a_turn_is_played_from_fitting_to_the_end(engine):
    events = list(play(engine, LIST, GREEDY, StopFlag()))
    assert isinstance(events[0], Fitted)
    assert events[0].cut.dropped == 0
    assert events[0].prompt_tokens == done_of(events[1:]).prompt_tokens


def test_what_was_read_of_kept_turns_is_moved_where_the_engine_can(make):
    engine = make(256)
    turns, kept, ends = [Turn(Role.SYSTEM, "Be brief.")], None, []
    for number in range(12):
        turns.append(Turn(Role.USER, f"The number {number} is nice, and so is the number after it."))
        events = list(play(engine, turns, Sampling(temperature=0, max_tokens=12), StopFlag(), 1, kept=kept))
        ends.append((events[0].newly_dropped, done_of(events[1:])))
        kept = Kept(events[0].cut, engine.facts.n_ctx)
        turns.append(Turn(Role.ASSISTANT, text_of(events[1:]), ends[-1][1].token_ids))
    dropping = [done for dropped, done in ends if dropped]
    assert dropping
    for done in dropping:
        assert (done.moved_tokens > 0) == engine.facts.can_move
        assert done.moved_tokens <= done.cached_tokens < done.prompt_tokens
    assert not any(done.moved_tokens for dropped, done in ends if not dropped)


def test_an_answer_that_was_cut_off_goes_on_where_it_ended(make):
    engine = make()
    whole = text_of(ask(engine, LIST))
    cut = ask(engine, LIST, dataclasses.replace(GREEDY, max_tokens=6))
    part = Turn(Role.ASSISTANT, text_of(cut), cut[-1].token_ids)
    prompt = engine.render([*LIST, part])
    assert prompt.tokens == engine.render(LIST).tokens + part.token_ids
    assert prompt.text.endswith(part.text)
    rest = ask(engine, [*LIST, part])
    assert rest[-1].cached_tokens >= len(prompt.tokens) - 1
    if engine.facts.architecture != "scripted":  # a script begins anew
        assert part.text + text_of(rest) == whole

"""What every engine keeps when it answers several requests side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import EngineError, MessageTooLongError
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine import host
from app.engine.base import Delta, Done, Engine, Failed, Reading, Request, StopReason, Tagged, Turn, Wish
from app.engine.cache import KvSequence
from app.engine.scripted import Script, ScriptedEngine
from tests.engine.conftest import loaded

GREEDY = Sampling(temperature=0, max_tokens=40)
SYSTEM = Turn(Role.SYSTEM, "You are a helpful assistant.")
QUESTIONS = (
    "Write a list of fruits.", "What is the capital of France?", "My name is Ada.", "What is 3 + 4?",
    "Tell me a story.", "Say: apple banana",
)  # fmt: skip
REPLIES = ("one two three four five six", "seven eight nine", "ten eleven twelve thirteen")


def scripted(starter: Path, context_tokens: int) -> Engine:
    return ScriptedEngine(Script(replies=REPLIES, n_ctx=context_tokens))


def llama(starter: Path, context_tokens: int) -> Engine:
    return loaded(starter, context_tokens=context_tokens)


def hosted(starter: Path, context_tokens: int) -> Engine:
    engine = host.load(str(starter), Loading(threads=1, context_tokens=context_tokens), StopFlag())
    assert engine is not None
    return engine


@pytest.fixture(scope="module", params=[llama, hosted, scripted], ids=["llama", "hosted", "scripted"])
def engine(request, starter) -> Iterator[Engine]:
    """One of each kind; the tests share it, and so its cache."""
    made = request.param(starter, 1024)
    yield made
    made.close()


def asking(engine: Engine, *questions: str, sampling: Sampling = GREEDY) -> list[Wish]:
    return [
        (Request(engine.render([SYSTEM, Turn(Role.USER, question)]).tokens, sampling), StopFlag())
        for question in questions
    ]


def run(engine: Engine, wishes: Iterator[Wish | None] | list[Wish], width: int = 4, **more: bool) -> list[Tagged]:
    return list(engine.stream_many(iter(wishes), StopFlag(), width, **more))


def texts(told: list[Tagged]) -> dict[int, str]:
    found: dict[int, str] = {}
    for one in told:
        if isinstance(one.event, Delta):
            found[one.index] = found.get(one.index, "") + one.event.text
    return found


def ends(told: list[Tagged]) -> dict[int, Done]:
    return {one.index: one.event for one in told if isinstance(one.event, Done)}


def alone(engine: Engine, wishes: list[Wish]) -> dict[int, str]:
    said = {}
    for index, (request, _stop) in enumerate(wishes):
        events = engine.stream(request, StopFlag())
        said[index] = "".join(event.text for event in events if isinstance(event, Delta))
    return said


def begin_anew(engine: Engine) -> None:
    """Let a script start again with its first reply."""
    if isinstance(engine, ScriptedEngine):
        engine._said = 0


def test_each_reply_is_as_it_would_be_alone(engine):
    begin_anew(engine)
    wishes = asking(engine, *QUESTIONS)
    by_itself = alone(engine, wishes)
    begin_anew(engine)
    assert texts(run(engine, wishes)) == by_itself


def test_each_request_is_read_then_written_then_ended_once(engine):
    told = run(engine, asking(engine, *QUESTIONS))
    for index in range(len(QUESTIONS)):
        events = [one.event for one in told if one.index == index]
        kinds = [type(event) for event in events]
        assert kinds == sorted(kinds, key=[Reading, Delta, Done].index)
        assert kinds.count(Done) == 1
        readings = [event for event in events if isinstance(event, Reading)]
        done = events[-1]
        assert readings[0].done == done.cached_tokens
        assert {event.total for event in readings} == {done.prompt_tokens}
        assert readings[-1].done == done.prompt_tokens
        assert 0 < done.completion_tokens == len(done.token_ids)
        assert 0 < done.ttft_ms <= done.duration_ms


def test_never_more_than_the_width_are_in_the_works_and_no_place_stays_empty(engine):
    given, ended, in_the_works = 0, 0, set()

    def wishes() -> Iterator[Wish]:
        nonlocal given
        for wish in asking(engine, *QUESTIONS, *QUESTIONS):
            given += 1
            assert given - ended <= 3
            yield wish

    for one in engine.stream_many(wishes(), StopFlag(), 3):
        ended += isinstance(one.event, Done)
        if isinstance(one.event, Delta) and given < 12:
            in_the_works.add(given - ended)
    assert ended == 12
    # a script's round has an end and then pieces of the others
    assert in_the_works <= ({2, 3} if engine.facts.architecture == "scripted" else {3})


def test_what_prompts_begin_with_is_read_once(engine):
    instructions = Turn(Role.SYSTEM, "You are a helpful assistant. " + "Always answer in one short sentence. " * 12)
    common = len(engine.render([instructions], reply=False).tokens)
    wishes = [
        (Request(engine.render([instructions, Turn(Role.USER, question)]).tokens, GREEDY), StopFlag())
        for question in QUESTIONS[:4]
    ]
    done = ends(run(engine, wishes))
    assert done[0].cached_tokens < common
    for index in (1, 2, 3):
        assert common - 2 <= done[index].cached_tokens < done[index].prompt_tokens


def test_the_same_prompt_with_several_seeds_is_read_once(engine):
    hot = [Sampling(temperature=2, top_k=None, top_p=None, seed=seed, max_tokens=12) for seed in (1, 2, 1)]
    wishes = [asking(engine, "Tell me about lamps and rivers.", sampling=one)[0] for one in hot]
    begin_anew(engine)
    told = run(engine, wishes, from_scratch=True)
    done, said = ends(told), texts(told)
    assert [done[index].seed for index in range(3)] == [1, 2, 1]
    assert all(done[index].cached_tokens == done[index].prompt_tokens - 1 for index in (1, 2))
    if engine.facts.architecture != "scripted":
        assert said[0] == said[2] != said[1]


def test_requests_in_the_same_order_give_the_same_replies(engine):
    hot = Sampling(temperature=1.5, top_k=None, seed=7, max_tokens=20)
    wishes = asking(engine, *QUESTIONS, sampling=hot)
    begin_anew(engine)
    first = texts(run(engine, wishes, width=6, from_scratch=True))
    begin_anew(engine)
    assert texts(run(engine, wishes, width=6, from_scratch=True)) == first


def test_one_is_stopped_and_the_others_go_on(engine):
    wishes = asking(engine, *QUESTIONS[:4], sampling=Sampling(temperature=0, max_tokens=24))
    wishes[1][1].set()
    done = ends(run(engine, wishes))
    assert done[1].reason is StopReason.STOPPED
    assert done[1].completion_tokens == 0
    assert {done[index].reason for index in (0, 2, 3)} <= {StopReason.END, StopReason.LENGTH}


def test_stopping_all_ends_those_in_the_works_and_asks_for_no_more(engine):
    stop, asked = StopFlag(), []

    def wishes() -> Iterator[Wish]:
        for number, wish in enumerate(asking(engine, *QUESTIONS * 40)):
            asked.append(number)
            yield wish

    told = []
    for one in engine.stream_many(wishes(), stop, 4):
        told.append(one)
        if isinstance(one.event, Done) and one.index >= 4:
            stop.set()
    assert set(ends(told)) == set(asked), "who was asked for gets an end"
    assert 4 < len(asked) < 240


def test_a_request_that_cannot_be_answered_costs_the_others_nothing(engine):
    wishes = asking(engine, QUESTIONS[0], "lamp " * 2000, QUESTIONS[1])
    begin_anew(engine)
    told = run(engine, wishes)
    failed = [one for one in told if isinstance(one.event, Failed)]
    assert [one.index for one in failed] == [1]
    assert isinstance(failed[0].event.error, MessageTooLongError)
    assert failed[0].event.error.hint
    assert set(ends(told)) == {0, 2}


def test_who_has_nothing_now_is_asked_again_when_one_has_ended(engine):
    first, second, judge = asking(engine, *QUESTIONS[:3])
    ended: set[int] = set()
    asked_in_vain = 0

    def wishes() -> Iterator[Wish | None]:
        nonlocal asked_in_vain
        yield first
        yield second
        while not ended >= {0, 1}:
            asked_in_vain += 1
            yield None
        yield judge

    told = []
    for one in engine.stream_many(wishes(), StopFlag(), 4):
        told.append(one)
        if isinstance(one.event, Done):
            ended.add(one.index)
    assert set(ends(told)) == {0, 1, 2}
    assert asked_in_vain == 2


def test_nothing_now_while_nothing_is_in_the_works_is_the_end(engine):
    assert run(engine, iter([None])) == []
    assert run(engine, iter([])) == []


def test_leaving_in_the_middle_leaves_an_engine_that_works(engine):
    begin_anew(engine)
    stream = engine.stream_many(iter(asking(engine, *QUESTIONS * 3)), StopFlag(), 4)
    for one in stream:
        if isinstance(one.event, Delta) and one.event.completion_tokens == 3:
            break
    stream.close()
    begin_anew(engine)
    wishes = asking(engine, QUESTIONS[0])
    by_itself = alone(engine, wishes)
    begin_anew(engine)
    assert texts(run(engine, wishes)) == by_itself


def test_an_error_of_who_asks_reaches_them_and_leaves_an_engine_that_works(engine):
    def wishes() -> Iterator[Wish]:
        yield from asking(engine, *QUESTIONS[:2])
        raise LookupError("no more cells")

    with pytest.raises(LookupError):
        list(engine.stream_many(wishes(), StopFlag(), 4))
    assert engine.count("Hello") > 0
    assert len(ends(run(engine, asking(engine, *QUESTIONS)))) == 6


def test_who_asks_may_write_prompts_and_count_meanwhile(engine):
    def wishes() -> Iterator[Wish]:
        for question in QUESTIONS:
            assert engine.count(question) > 2
            yield from asking(engine, question)

    assert len(ends(run(engine, wishes(), width=2))) == 6


def test_stop_strings_and_lengths_are_each_requests_own(engine):
    wishes = [
        *asking(engine, QUESTIONS[0], sampling=Sampling(temperature=0, max_tokens=3)),
        *asking(engine, QUESTIONS[1], sampling=Sampling(temperature=0, max_tokens=2)),
    ]
    done = ends(run(engine, wishes))
    assert [done[index].completion_tokens for index in (0, 1)] == [3, 2]
    assert {end.reason for end in done.values()} == {StopReason.LENGTH}


def test_a_closed_engine_answers_none(starter):
    for make in (llama, scripted):
        closed = make(starter, 256)
        wishes = asking(closed, "Hi")
        closed.close()
        with pytest.raises(EngineError):
            list(closed.stream_many(iter(wishes), StopFlag()))


def test_a_chat_stays_warm_beside_them(engine):
    if engine.facts.architecture == "scripted":
        pytest.skip("a script has no chats")
    chat = dataclasses.replace(asking(engine, "Do you know the river of stones?")[0][0], conversation=77)
    list(engine.stream(chat, StopFlag()))
    run(engine, asking(engine, *QUESTIONS))
    *_, again = engine.stream(chat, StopFlag())
    assert again.cached_tokens == len(chat.tokens) - 1


def test_a_chat_takes_over_what_one_of_them_has_read(engine):
    if engine.facts.architecture == "scripted":
        pytest.skip("a script has no chats")
    wishes = asking(engine, "Is there a lamp in the garden of the king?")
    list(engine.stream(asking(engine, "Hello")[0][0], StopFlag()))
    run(engine, wishes)
    *_, done = engine.stream(dataclasses.replace(wishes[0][0], conversation=78), StopFlag())
    assert done.cached_tokens == done.prompt_tokens - 1


def test_a_reply_does_not_depend_on_what_else_is_in_the_works(engine):
    if engine.facts.architecture == "scripted":
        pytest.skip("a script says what it says")
    long = Turn(Role.SYSTEM, "You are a helpful assistant. " + "Lamps, rivers and stones are what you know of. " * 9)
    hot = Sampling(temperature=2, top_k=None, top_p=None, seed=5, max_tokens=16)
    prompt = engine.render([long, Turn(Role.USER, "Tell me a story.")]).tokens
    wish = (Request(prompt, hot), StopFlag())
    by_itself = texts(run(engine, [wish], from_scratch=True))[0]
    others = asking(engine, *QUESTIONS, sampling=dataclasses.replace(hot, seed=6))
    assert texts(run(engine, [*others[:3], wish, *others[3:]], from_scratch=True))[3] == by_itself
    assert texts(run(engine, [wish], from_scratch=True))[0] == by_itself


def test_cells_come_free_only_while_nothing_is_in_the_works(starter, open_model, monkeypatch):
    """What goes on beside it would go on in cells in front of its own, and so add up in another order."""
    small = open_model(starter, context_tokens=256)
    given, ended, freed = 0, 0, []
    cut = KvSequence.cut

    def watched(sequence: KvSequence, length: int) -> None:
        if length < len(sequence.tokens):
            freed.append(given - ended)
        cut(sequence, length)

    monkeypatch.setattr(KvSequence, "cut", watched)

    def wishes() -> Iterator[Wish]:
        nonlocal given
        for wish in asking(small, *QUESTIONS * 10, sampling=Sampling(temperature=1.5, seed=3, max_tokens=4)):
            given += 1
            yield wish

    for one in small.stream_many(wishes(), StopFlag(), 6, from_scratch=True):
        ended += isinstance(one.event, Done)
    assert ended == 60
    # the one that waited for it, and the last of the others, which has ended but is told of afterwards
    assert freed
    assert max(freed) <= 2


def test_as_many_as_an_engine_says_go_at_once(engine):
    wishes = asking(engine, *QUESTIONS * 4)[: engine.facts.n_at_once]
    done, begun = set(), set()
    for one in engine.stream_many(iter(wishes), StopFlag(), 99):
        begun.add(one.index)
        if isinstance(one.event, Done):
            done.add(one.index)
            assert len(begun) == engine.facts.n_at_once == 16
    assert len(done) == 16


def test_more_than_fits_waits_for_room_and_is_answered_as_alone(starter, open_model):
    small = open_model(starter, context_tokens=256)
    filler = " ".join(["lamp"] * 60)
    wishes = asking(small, *(f"{question} {filler}" for question in QUESTIONS))
    assert sum(len(request.tokens) for request, _stop in wishes) > 256
    by_itself = alone(small, wishes)
    small.forget()
    told = run(small, wishes, width=6)
    assert texts(told) == by_itself
    assert len(ends(told)) == 6


def test_replies_that_outgrow_the_context_give_way_and_go_on(starter, open_model):
    """Each is short when it begins; together they are longer than the context before they end."""
    small = open_model(starter, context_tokens=256)
    long = Sampling(temperature=1.2, top_k=None, top_p=None, min_p=None, seed=3, max_tokens=90)
    wishes = asking(small, *QUESTIONS[:5], sampling=long)
    by_itself = alone(small, wishes)
    small.forget()
    told = run(small, wishes, width=5)
    assert len(ends(told)) == 5
    for index, said in texts(told).items():
        assert said[:20] == by_itself[index][:20]
    for index, done in ends(told).items():
        deltas = [one.event for one in told if one.index == index and isinstance(one.event, Delta)]
        counts = [event.completion_tokens for event in deltas]
        assert counts == sorted(counts)
        assert done.completion_tokens == counts[-1]


def test_llama_cpp_failing_ends_all_and_the_next_call_is_as_from_a_fresh_context(starter, open_model):
    engine = open_model(starter, context_tokens=512)
    wishes = asking(engine, *QUESTIONS[:4])
    fresh = texts(run(engine, wishes))
    decode, calls = engine._decoder._decode, 0

    def failing(context, batch):
        nonlocal calls
        calls += 1
        return -3 if calls == 4 else decode(context, batch)

    engine._decoder._decode = failing
    with pytest.raises(EngineError, match="code -3"):
        run(engine, wishes)
    engine._decoder._decode = decode
    assert texts(run(engine, wishes)) == fresh

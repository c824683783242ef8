"""llama_decode's return codes, injected at every position: the next reply is as from a fresh context."""

import random

import pytest

from app.core.errors import EngineError
from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Reading, Request, Turn
from app.engine.decoder import Outcome

GREEDY = Sampling(temperature=0, max_tokens=24)
QUESTION = [Turn(Role.USER, "Tell me a story.")]


class Faulty:
    """Stands before llama_decode and returns a code of its own at the chosen call."""

    def __init__(self, decode, code, at):
        self.decode, self.code, self.at, self.calls = decode, code, at, 0

    def __call__(self, context, batch):
        self.calls += 1
        if self.calls - 1 == self.at:
            if self.code == Outcome.ABORTED:
                self.decode(context, batch)  # what was done before the abort stays in llama.cpp's memory
            return self.code
        return self.decode(context, batch)


def request(engine, turns=QUESTION):
    return Request(engine.render(turns).tokens, GREEDY)


def say(engine, turns=QUESTION):
    events = list(engine.stream(request(engine, turns), StopFlag()))
    return "".join(event.text for event in events if isinstance(event, Delta)), events[-1]


@pytest.fixture
def engine(starter, open_model):
    return open_model(starter, context_tokens=512, batch_tokens=32)


@pytest.mark.parametrize("code", [-1, -2, -3, 1])
def test_a_reply_after_a_fault_at_any_position_equals_that_of_a_fresh_context(engine, code):
    decode = engine._decoder._decode
    engine._decoder._decode = counter = Faulty(decode, code, -1)
    fresh, _ = say(engine)
    assert counter.calls >= 6, "the reply is too short to prove anything"
    for at in range(0, counter.calls, 2 if code == 1 else 1):
        engine.forget()
        engine._decoder._decode = Faulty(decode, code, at)
        if code == Outcome.NO_ROOM and at == 0:
            assert say(engine)[0] == fresh
        else:
            with pytest.raises(EngineError, match=f"code {code}") as caught:
                say(engine)
            assert caught.value.hint
        engine._decoder._decode = decode
        assert say(engine)[0] == fresh


def test_text_before_a_fault_is_kept(engine):
    fresh, _ = say(engine)
    engine.forget()
    engine._decoder._decode = Faulty(engine._decoder._decode, -3, 6)
    text = ""
    stream = engine.stream(request(engine), StopFlag())
    while len(text) < 12:
        event = next(stream)
        text += event.text if isinstance(event, Delta) else ""
    with pytest.raises(EngineError):
        list(stream)
    assert text
    assert fresh.startswith(text)


def test_an_abort_inside_llama_cpp_leaves_the_sequence_as_it_was(engine):
    fresh, _ = say(engine)
    for at in range(12):
        engine.forget()
        decode = engine._decoder._decode
        engine._decoder._decode = Faulty(decode, Outcome.ABORTED, at)
        list(engine.stream(request(engine), StopFlag()))
        engine._decoder._decode = decode
        assert say(engine)[0] == fresh


def test_a_batch_that_finds_no_room_is_halved_once_and_then_read(engine):
    engine.forget()
    faulty = engine._decoder._decode = Faulty(engine._decoder._decode, 1, 0)
    say(engine)
    assert faulty.calls > 2


def test_the_stop_flag_reaches_into_a_decode(tiny, open_model):
    engine = open_model(tiny, context_tokens=512)
    stop = StopFlag()
    stop.set()
    engine._decoder.obey(stop)
    assert engine._decoder.add(tuple(range(300, 500))) is False
    assert engine._decoder.sequence.tokens == []
    engine._decoder.obey(StopFlag())
    assert engine._decoder.add(tuple(range(300, 500))) is True


def test_prompts_are_read_in_slices_of_the_batch(starter, open_model):
    engine = open_model(starter, context_tokens=512, batch_tokens=64)
    tokens = tuple(random.Random(1).choices(range(300, 900), k=200))
    events = engine.stream(Request(tokens, Sampling(max_tokens=1)), StopFlag())
    done = [event.done for event in events if isinstance(event, Reading)]
    assert done == [0, 64, 128, 192, 200]


def test_two_thousand_random_token_lists_are_survived(tiny_engine):
    chance = random.Random(2)
    sampling = Sampling(max_tokens=1)
    refused = 0
    for _ in range(2000):
        tokens = tuple(chance.choices(range(32_002), k=chance.choice([1, 2, 5, 30])))
        if chance.random() < 0.05:
            tokens += (chance.choice([-1, 32_002, 2**31 - 1]),)
        try:
            events = list(tiny_engine.stream(Request(tokens, sampling), StopFlag()))
            assert isinstance(events[-1], Done)
        except EngineError:
            refused += 1
            assert tokens[-1] in (-1, 32_002, 2**31 - 1)
    assert refused > 50


def test_an_empty_prompt_is_refused(tiny_engine):
    with pytest.raises(EngineError, match="nothing to answer"):
        list(tiny_engine.stream(Request((), GREEDY), StopFlag()))

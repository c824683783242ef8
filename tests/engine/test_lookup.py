"""Guesses from the prompt: the same text in fewer decodes."""

import pytest

from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Request, StopReason, Turn
from app.engine.lookup import Lookup

REPEAT = [Turn(Role.USER, "Repeat: the red lamp and the river, the red lamp and the river, the red lamp")]


def say(engine, turns, sampling, stop=None):
    request = Request(engine.render(turns).tokens, sampling)
    events = list(engine.stream(request, stop or StopFlag()))
    return "".join(event.text for event in events if isinstance(event, Delta)), events[-1]


def counted(engine):
    """Counts what is decoded from now on."""
    decode, calls = engine._decoder._decode, []

    def counting(context, batch):
        calls.append(batch.n_tokens)
        return decode(context, batch)

    engine._decoder._decode = counting
    return calls


def test_what_followed_the_same_ids_is_guessed():
    lookup = Lookup([1, 2, 3, 4, 5, 6, 7, 1, 2, 3])
    assert lookup.guess(10) == [4, 5, 6]
    assert lookup.guess(1) == [4]
    lookup.see(9)
    assert lookup.guess(10) == []


def test_guesses_grow_while_they_hold_and_rest_after_a_wrong_one():
    lookup = Lookup([*range(40), 1, 2, 3])
    lookup.learn(3, 3)
    assert len(lookup.guess(99)) == 7
    lookup.learn(7, 7)
    assert len(lookup.guess(99)) == 15
    lookup.learn(0, 15)
    assert lookup.guess(99) == []
    lookup.see(4)
    assert lookup.guess(99) == [5, 6, 7]


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0, max_tokens=60),
        Sampling(temperature=0.8, seed=3, max_tokens=60),
        Sampling(temperature=1.0, seed=4, max_tokens=60, repeat_penalty=1.1, mirostat="2"),
    ],
    ids=["greedy", "warm", "penalties and mirostat"],
)
def test_the_text_is_the_same_as_without(starter, open_model, sampling):
    plain, guessing = open_model(starter), open_model(starter, lookup=True)
    for turns in (REPEAT, [Turn(Role.USER, "Tell me a story.")], [Turn(Role.USER, "Write a list of fruits.")]):
        text, done = say(plain, turns, sampling)
        again, end = say(guessing, turns, sampling)
        assert (again, end.token_ids, end.reason) == (text, done.token_ids, done.reason)


def test_repeating_text_takes_fewer_decodes(starter, open_model, monkeypatch):
    engine = open_model(starter, lookup=True)
    prompt = engine.render(REPEAT).tokens
    # a model that goes on as its prompt went, whatever the starter has learnt
    script = iter([*prompt[5:25], *prompt[5:25]])
    monkeypatch.setattr("app.engine.sampling.Sampler.choose", lambda _self, _context, _at=-1: next(script))
    calls = counted(engine)
    request = Request(prompt, Sampling(max_tokens=40), endless=True)
    *_, done = engine.stream(request, StopFlag())
    assert done.token_ids == (*prompt[5:25], *prompt[5:25])
    assert len(calls) < 20


def test_what_was_guessed_in_vain_is_not_kept(starter, open_model):
    plain, guessing = open_model(starter), open_model(starter, lookup=True)
    sampling = Sampling(temperature=1.5, top_k=None, seed=11, max_tokens=50)
    turns = list(REPEAT)
    for question in ("And again.", "What is my name?"):
        text, done = say(plain, turns, sampling)
        assert say(guessing, turns, sampling)[0] == text
        turns += [Turn(Role.ASSISTANT, text, done.token_ids), Turn(Role.USER, question)]


def test_a_full_context_ends_a_guessed_reply_too(tiny, open_model):
    engine = open_model(tiny, context_tokens=256, lookup=True)
    tokens = tuple([300, 301, 302, 303] * 50)
    *_, done = engine.stream(Request(tokens, Sampling(temperature=0), endless=True), StopFlag())
    assert done.reason is StopReason.CONTEXT
    assert done.prompt_tokens + done.completion_tokens == 257

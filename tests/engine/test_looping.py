"""A reply without end is ended; one that only looks like it is not."""

from __future__ import annotations

import ast
import inspect
import random

import pytest

from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.engine import many
from app.engine.base import Delta, Done, Request, StopReason
from app.engine.looping import BLANKS, REPEATED, Loop


def noticed_at(ids, piece=b"x"):
    """How many ids there were when it was noticed; None where it never was."""
    loop = Loop()
    return next((n for n in range(1, len(ids) + 1) if loop.noticed(ids[:n], piece)), None)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 37, 63, 64])
def test_a_piece_of_any_length_that_is_said_again_and_again_is_noticed(size):
    piece = list(range(size))
    assert noticed_at([*range(1000, 1100), *piece * 1000][:2000]) <= 100 + REPEATED + 64
    assert noticed_at((piece * REPEATED)[: REPEATED - 1]) is None


def test_what_is_almost_a_repetition_is_none():
    chance = random.Random(1)
    for size in (1, 5, 20, 64):
        piece = chance.choices(range(9), k=size)
        ids = (piece * 600)[:600]
        for place in range(40, 600, 300):
            ids[place] = 77
        assert noticed_at(ids) is None


def test_blanks_alone_are_noticed_and_one_word_between_them_is_enough():
    loop = Loop()
    said = [*[b" "] * (BLANKS - 1), b"x", *[b"\n\n"] * (BLANKS - 2), b"", b"\t\0"]
    assert [loop.noticed([1], piece) for piece in said].index(True) == len(said) - 1


def texts():
    """What people ask for that repeats itself a lot."""
    return {
        "numbered list": "\n".join(f"{number}. Item" for number in range(1, 400)),
        "table": "| n | n² | even |\n|---|---|---|\n"
        + "\n".join(f"| {number} | {number**2} | {'yes' if number % 2 == 0 else 'no'} |" for number in range(200)),
        "code": inspect.getsource(many),
        "deep code": ast.dump(ast.parse(inspect.getsource(many)), indent=8)[:20_000],
        "JSON": "[" + ", ".join(f'{{"id": {number}, "name": "a", "tags": []}}' for number in range(200)) + "]",
        "CSV": "\n".join(f"{number},0,0,0,0" for number in range(400)),
        "a long line": "-" * 300,
    }


@pytest.mark.parametrize("name", texts())
def test_code_tables_and_lists_are_not_ended(starter_engine, name):
    vocabulary, loop = starter_engine._vocabulary, Loop()
    ids = vocabulary.text_tokens(texts()[name])
    assert not any(loop.noticed(ids[:n], vocabulary.piece(ids[n - 1])) for n in range(1, len(ids) + 1))


def ended(engine, monkeypatch, token, **more):
    """The end of a reply in which the model says one id for ever."""
    monkeypatch.setattr(engine, "choices", lambda _sampler, _stop: iter(lambda: token, None))
    request = Request(engine._vocabulary.text_tokens("Hello"), Sampling(max_tokens=900), **more)
    *said, end = engine.stream(request, StopFlag())
    assert isinstance(end, Done)
    assert end.completion_tokens == sum(isinstance(event, Delta) and event.completion_tokens > 0 for event in said)
    return end


def test_a_model_that_repeats_itself_is_ended_with_a_reason_of_its_own(starter_engine, monkeypatch):
    (word,) = starter_engine._vocabulary.text_tokens("a")
    (blank,) = starter_engine._vocabulary.text_tokens("\n")
    found = ended(starter_engine, monkeypatch, word)
    assert (found.reason, found.completion_tokens) == (StopReason.REPEATED, REPEATED)
    found = ended(starter_engine, monkeypatch, blank)
    assert (found.reason, found.completion_tokens) == (StopReason.REPEATED, BLANKS)


def test_a_measurement_goes_on_all_the_same(starter_engine, monkeypatch):
    (word,) = starter_engine._vocabulary.text_tokens("a")
    found = ended(starter_engine, monkeypatch, word, endless=True)
    assert (found.reason, found.completion_tokens) == (StopReason.LENGTH, 900)

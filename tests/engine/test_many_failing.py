"""What is left of several replies when llama.cpp fails under them: sequences of the new context, and no others."""

from __future__ import annotations

import pytest

from app.core.errors import EngineError, ModelMemoryError
from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Done, Request, Turn

GREEDY = Sampling(temperature=0, max_tokens=6)


@pytest.fixture
def engine(starter, open_model):
    return open_model(starter, context_tokens=512)


def wishes(engine):
    return [
        (Request(engine.render([Turn(Role.USER, text)]).tokens, GREEDY), StopFlag())
        for text in ("Hello", "My name is Ada.", "What is 3 + 4?")
    ]


def broken(engine, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(engine._decoder, "decode", lambda _batch: -3)
        with pytest.raises(EngineError, match="code -3"):
            list(engine.stream_many(iter(wishes(engine)), StopFlag(), 3))


def test_after_a_failure_all_spare_sequences_are_those_of_the_new_context(engine, monkeypatch):
    before = [spare.sequence for spare in engine._decoder.cache.spare]
    broken(engine, monkeypatch)
    cache = engine._decoder.cache
    assert sorted(spare.sequence for spare in cache.spare) == sorted(before)
    assert {spare._memory for spare in cache.spare} == {engine._llama.llama_get_memory(engine._decoder.context)}
    told = list(engine.stream_many(iter(wishes(engine)), StopFlag(), 3))
    assert sum(isinstance(one.event, Done) for one in told) == 3


def test_a_context_that_cannot_be_made_anew_is_not_written_down(engine, monkeypatch, tmp_path):
    engine.keep_in(str(tmp_path / "kv"), 10**9)
    list(engine.stream(Request(engine.render([Turn(Role.USER, "word " * 100)]).tokens, GREEDY, 5), StopFlag()))

    def no_room():
        raise ModelMemoryError("There is no room")

    monkeypatch.setattr(engine._decoder, "_make_context", no_room)
    with pytest.raises(ModelMemoryError):
        engine._decoder.begin_anew()
    engine.close()
    assert not (tmp_path / "kv").exists()

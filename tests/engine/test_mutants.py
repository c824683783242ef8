"""Files that almost fit: the header check lets them through or refuses them with a reason, and never stumbles."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from app.core.errors import AppError, ModelFileError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.host import HostedEngine
from app.engine.llama import load
from app.engine.loader import Loader
from app.engine.model_file import inspect
from tests.engine.mutants import mutant, taken_apart


def test_a_file_taken_apart_and_put_together_is_the_same(starter):
    good = starter.read_bytes()
    assert taken_apart(good).bytes() == good


def test_the_same_seed_makes_the_same_file(starter):
    good = starter.read_bytes()
    assert mutant(good, 7) == mutant(good, 7) != mutant(good, 8)


def test_three_hundred_mutants_are_refused_with_reasons_or_read(tmp_path, starter):
    good, path, outcomes = starter.read_bytes(), tmp_path / "mutant.gguf", Counter()
    told: list[tuple[str, ModelFileError]] = []
    for seed in range(300):
        what, data = mutant(good, seed)
        path.write_bytes(data)
        try:
            inspect(str(path))
            outcomes["read"] += 1
        except ModelFileError as error:
            told.append((what, error))
            outcomes["refused"] += 1
    assert [what for what, error in told if not all(error.parts()) or len(str(error)) >= 1000] == []
    assert outcomes["read"] > 20
    assert outcomes["refused"] > 100


@pytest.mark.skipif(sys.platform == "win32", reason="the deaths are told as signals")
def test_mutants_that_pass_the_header_check_end_in_a_model_or_a_sentence(tmp_path, starter, caplog):
    good, loader, tried, seed = starter.read_bytes(), Loader(load), 0, 1000
    titles: list[str] = []
    while tried < 5:
        seed += 1
        path = tmp_path / f"{seed}.gguf"
        path.write_bytes(mutant(good, seed)[1])
        try:
            inspect(str(path))
        except ModelFileError:
            continue
        tried += 1
        try:
            engine = loader(str(path), Loading(threads=1, context_tokens=256), StopFlag())
            assert isinstance(engine, HostedEngine)
            engine.close()
        except AppError as error:
            titles.append(error.title)
    assert all(titles)
    caplog.clear()

"""Real models for the engine's tests: the starter, and tiny ones with another kind of vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.llama import LlamaEngine, load
from tests.engine.gguf_writer import tiny_model


def loaded(path: Path, **loading: Any) -> LlamaEngine:
    engine = load(str(path), Loading(**{"threads": 1, **loading}), StopFlag())
    assert engine is not None
    return engine


@pytest.fixture
def open_model() -> Iterator[Callable[..., LlamaEngine]]:
    """Loads a model and closes it after the test."""
    engines: list[LlamaEngine] = []

    def opened(path: Path, **loading: Any) -> LlamaEngine:
        engines.append(loaded(path, **loading))
        return engines[-1]

    yield opened
    for engine in engines:
        engine.close()


@pytest.fixture(scope="session")
def starter_engine(starter: Path) -> Iterator[LlamaEngine]:
    """The starter with all its context; tests share it, and so its cache."""
    engine = loaded(starter)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with a SentencePiece vocabulary that has ChatML's two tokens as control tokens."""
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="session")
def tiny_engine(tiny: Path) -> Iterator[LlamaEngine]:
    engine = loaded(tiny)
    yield engine
    engine.close()

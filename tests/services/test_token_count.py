"""A text that is being typed is counted: about so at once, exactly where the model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.engine.scripted import Script
from app.services.token_count import Count, TokenCount


@pytest.fixture
def counter(build: Callable[..., Any]) -> Any:
    services = build(Script())
    count = TokenCount(services.models)
    count.services = services  # type: ignore[attr-defined]
    count.told = []  # type: ignore[attr-defined]
    count.counted.connect(count.told.append)  # type: ignore[attr-defined]
    return count


def test_without_a_loaded_model_it_is_a_guess_and_says_so(counter: Any, qtbot: Any):
    counter.count("word " * 100, "starter")
    (guess,) = counter.told
    assert not guess.exact
    assert 80 < guess.tokens < 160
    assert guess.words.startswith("about 1")
    qtbot.wait(400)  # the model is asked meanwhile, and knows nothing
    assert counter.told == [guess]


def test_the_loaded_model_counts_exactly_and_guesses_better_from_then_on(counter: Any):
    text = "word " * 100
    counter.count(text, "starter")
    counter.services.models.prepare("starter")
    counter.services.wait(lambda: counter.told[-1].exact)
    exact = counter.told[-1].tokens
    counter.count(text * 2, "starter")
    assert counter.told[-1] == Count(2 * exact, exact=False)
    counter.services.wait(lambda: counter.told[-1].exact)
    before = len(counter.told)
    counter.count(text * 2, "starter")
    assert len(counter.told) == before, "it was told"


def test_what_is_told_belongs_to_the_text_that_was_asked_for_last(counter: Any):
    counter.services.models.prepare("starter")
    counter.services.wait(lambda: counter.services.models.state("starter").kind == "ready")
    counter.count("one two three", "starter")
    counter.count("", "starter")
    assert counter.told[-1] == Count(0, exact=True)
    counter.count("one", "starter")
    counter.services.wait(lambda: counter.told[-1] == Count(1, exact=True))
    assert counter.told[-1].words == "1 token"
    assert all(one.tokens < 3 for one in counter.told if one.exact)

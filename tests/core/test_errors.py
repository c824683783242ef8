"""Errors are sentences for people, and survive a trip between processes."""

from __future__ import annotations

import copy

import pytest

from app.core import errors
from app.core.errors import AppError, HubBusyError, HubGatedError, NotRunnableError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AppError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_reads_as_sentences(kind):
    error = kind("It does not fit", "It needs 5 GB; 3 GB is free", "Choose a smaller quant.")
    assert str(error) == "It does not fit. It needs 5 GB; 3 GB is free. Choose a smaller quant."
    assert str(kind("Why?")) == "Why?"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_can_be_taken_apart_and_put_together_again(kind):
    error = kind("title", "detail", "hint")
    again = copy.copy(error)
    assert type(again) is kind
    assert again.parts() == error.parts()


def test_what_an_error_knows_beside_its_words_travels_too():
    assert copy.copy(HubBusyError("Busy", retry_after_s=3.0)).retry_after_s == 3.0
    assert copy.copy(HubGatedError("Gated", signed_in=True)).signed_in
    assert copy.copy(NotRunnableError("GPTQ", instead=("a/b",))).instead == ("a/b",)


def test_the_tree_at_the_top_of_the_module_names_every_kind():
    for kind in KINDS:
        assert kind.__name__ in (errors.__doc__ or "")

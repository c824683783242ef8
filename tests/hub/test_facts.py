"""What the Hub's JSON says of a repository: read as far as it is of the right kind, and no further."""

from __future__ import annotations

import pytest

from app.core.library import Gate
from app.hub import facts


@pytest.mark.parametrize(
    ("info", "licence"),
    [
        ({"cardData": {"license": "apache-2.0"}, "tags": ["license:mit"]}, "apache-2.0"),
        ({"cardData": {"license": ["mit", "apache-2.0"]}}, "mit"),
        ({"tags": ["gguf", "license:mit"]}, "mit"),
        ({"cardData": {"license": "other", "license_name": "llama3.2"}}, "llama3.2"),
        ({"cardData": {"license_name": "qwen-research"}, "tags": ["license:other"]}, "qwen-research"),
        ({"cardData": {"license": "other"}}, "other"),
        ({"cardData": {"license": {"name": "mit"}}}, ""),
        ({"cardData": None, "tags": None}, ""),
        ({}, ""),
        ({"cardData": {"license": "a\u202eb\nc" + "x" * 500}}, "abc" + "x" * 57),
    ],
)
def test_the_licence_is_read_in_every_form_it_comes_in(info, licence):
    assert facts.licence(info) == licence


@pytest.mark.parametrize(
    ("info", "names"),
    [
        ({"cardData": {"base_model": "a/b"}}, ("a/b",)),
        ({"cardData": {"base_model": ["a/b", "c/d", "no-owner", 5]}}, ("a/b", "c/d")),
        ({"tags": ["base_model:quantized:a/b", "base_model:a/b"]}, ("a/b",)),
        ({"tags": ["base_model:a/b"]}, ("a/b",)),
        ({}, ()),
    ],
)
def test_what_it_was_made_from_is_read_from_the_card_or_the_tags(info, names):
    assert facts.base_models(info) == names


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2024-01-02T03:04:05.000Z", 1_704_164_645_000),
        ("2024-01-02T03:04:05", 1_704_164_645_000),
        ("2024-01-02T04:04:05+01:00", 1_704_164_645_000),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_times_are_read_as_milliseconds_or_not_at_all(text, ms):
    assert facts.moment(text) == ms


@pytest.mark.parametrize(
    ("value", "gate"),
    [(False, Gate.OPEN), (None, Gate.OPEN), ("auto", Gate.AUTO), ("manual", Gate.MANUAL), (True, Gate.MANUAL)],
)
def test_a_gate_that_is_not_known_counts_as_the_stricter_one(value, gate):
    assert facts.gate(value) is gate


@pytest.mark.parametrize("value", [True, -1, 1.5, "5", None, [], 101])
def test_a_number_of_another_kind_or_size_is_none(value):
    assert facts.whole(value, 100) is None


def test_numbers_up_to_the_limit_are_kept():
    assert facts.whole(0, 100) == 0
    assert facts.whole(100, 100) == 100


@pytest.mark.parametrize("sha", ["a" * 40, "0123456789" * 4])
def test_a_commit_is_40_hex_digits(sha):
    assert facts.commit({"sha": sha}) == sha
    assert facts.commit({"sha": sha + "0"}) == ""
    assert facts.commit({}) == ""

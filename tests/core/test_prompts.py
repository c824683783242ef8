"""A version's hash says all of it, histories keep their order, and names can be told apart."""

from __future__ import annotations

import pytest

from app.core.prompts import (
    LONGEST_NAME,
    MOST_TAGS,
    ancestry,
    free_name,
    hash_of,
    is_hash,
    parents_first,
    same,
    tidy_name,
    tidy_tags,
    version_of,
)


def test_the_hash_is_the_same_on_every_computer():
    assert hash_of("Answer like a pirate.", "", "", 1_790_000_001_000).startswith("e7176955")
    assert is_hash(hash_of("\ud800", "", "", 0))


def test_the_hash_tells_apart_what_is_not_the_same():
    hashes = {
        hash_of("a", "", "", 1),
        hash_of("b", "", "", 1),
        hash_of("a", "p", "", 1),
        hash_of("a", "", "p", 1),
        hash_of("", "", "a", 1),
        hash_of("a", "", "", 2),
        hash_of("ap", "", "", 1),
    }
    assert len(hashes) == 7


@pytest.mark.parametrize("text", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 65])
def test_other_texts_are_no_hashes(text):
    assert not is_hash(text)


def test_the_line_of_a_version_leaves_its_siblings_out():
    first = version_of("1")
    second, side = version_of("2", first.hash), version_of("side", first.hash)
    third = version_of("3", second.hash)
    assert ancestry([third, side, first, second], third.hash) == (first, second, third)
    assert ancestry([third], third.hash) == (third,), "what is lost is left out"
    assert ancestry([third], "f" * 64) == ()


def test_parents_come_before_what_was_made_from_them_also_in_long_histories():
    versions = [version_of("0")]
    for number in range(1, 5000):
        versions.append(version_of(str(number), versions[-1].hash))
    assert parents_first(versions[::-1]) == tuple(versions)
    assert parents_first([*versions, *versions]) == tuple(versions)


def test_a_circle_of_parents_ends():
    one = version_of("1")
    circle = [type(one)("a" * 64, "b" * 64, "", "", 0), type(one)("b" * 64, "a" * 64, "", "", 0)]
    assert len(parents_first(circle)) == 2
    assert len(ancestry(circle, "a" * 64)) == 2


def test_a_name_that_is_taken_gets_a_number():
    assert free_name("Pirate", {same("PIRATE"), same("pirate 2")}) == "Pirate 3"
    assert free_name("  a \n b ", set()) == "a b"
    assert free_name("", set()) == "Untitled prompt"
    long = "x" * 500
    assert len(free_name(long, {same(long)})) == LONGEST_NAME
    assert same("Ｐｉｒａｔｅ") == same("pirate")
    assert tidy_name("\n") == ""


def test_tags_are_tidied():
    assert tidy_tags([" #Fun ", "fun", "", "a,b", "two  words"]) == ("Fun", "a b", "two words")
    assert len(tidy_tags(map(str, range(1000)))) == MOST_TAGS

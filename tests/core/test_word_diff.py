"""The word diff gives both texts back, finds what a person would, and is quick where texts are long."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from app.core.word_diff import Change, DiffPiece, word_diff

E, R, A = Change.EQUAL, Change.REMOVED, Change.ADDED


def both(pieces: tuple[DiffPiece, ...]) -> tuple[str, str]:
    old = "".join(piece.text for piece in pieces if piece.change is not A)
    new = "".join(piece.text for piece in pieces if piece.change is not R)
    return old, new


def plain(old: str, new: str) -> list[tuple[Change, str]]:
    return [(piece.change, piece.text) for piece in word_diff(old, new)]


def test_a_replaced_word_is_shown_removed_then_added():
    assert plain("Answer like a pirate.", "Answer like a poet.") == [
        (E, "Answer like a "),
        (R, "pirate"),
        (A, "poet"),
        (E, "."),
    ]


def test_neighbouring_replaced_words_are_one_change_with_the_blank_between_them():
    assert plain("a big dog barks", "a small cat barks") == [
        (E, "a "),
        (R, "big dog"),
        (A, "small cat"),
        (E, " barks"),
    ]


def test_lines_between_changes_stay_apart():
    assert plain("one\ntwo", "1\n2") == [(R, "one"), (A, "1"), (E, "\n"), (R, "two"), (A, "2")]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("", "", []),
        ("same", "same", [(E, "same")]),
        ("", "new", [(A, "new")]),
        ("old", "", [(R, "old")]),
        ("a b", "a  b", [(E, "a"), (R, " "), (A, "  "), (E, "b")]),
        ("Be brief", "Be brief and kind", [(E, "Be brief"), (A, " and kind")]),
        ("日本語で答えて", "英語で答えて", [(R, "日本"), (A, "英"), (E, "語で答えて")]),
        ("👨\u200d👩 hi", "👨\u200d👩 ho", [(E, "👨\u200d👩 "), (R, "hi"), (A, "ho")]),
    ],
)
def test_what_is_shown(old, new, wanted):
    assert plain(old, new) == wanted


def test_an_accent_stays_with_its_letter():
    assert plain("cafe\u0301", "cafe") == [(R, "cafe\u0301"), (A, "cafe")]


@pytest.mark.parametrize("seed", range(40))
def test_pieces_give_both_texts_back_whatever_they_hold(seed):
    rng = random.Random(seed)
    signs = ["a", "b", " ", "\n", "\r\n", "\t", "é", "e\u0301", "语", "👍🏽", "\ud800", "\0", "{{", "_", "1", "."]
    old = "".join(rng.choices(signs, k=rng.randrange(200)))
    new = old if seed % 5 == 0 else "".join(rng.choices(signs, k=rng.randrange(200)))
    pieces = word_diff(old, new)
    assert both(pieces) == (old, new)
    assert all(piece.text for piece in pieces)
    assert all(one.change is not other.change for one, other in pairwise(pieces))


def test_one_change_in_ten_thousand_words_is_that_change_alone():
    rng = random.Random(3)
    words = [rng.choice(["the", "a", "of", f"w{rng.randrange(3000)}"]) for _ in range(10_000)]
    changed = list(words)
    changed[5000] = "REPLACED"
    pieces = word_diff(" ".join(words), " ".join(changed))
    assert [(piece.change, piece.text) for piece in pieces[1:3]] == [(R, words[5000]), (A, "REPLACED")]
    assert len(pieces) == 4


@pytest.mark.parametrize("kind", ["rewritten", "two words", "moved"])
def test_long_texts_of_the_worst_kinds_still_come_out_exact(kind):
    rng = random.Random(4)
    if kind == "two words":  # the time limit of the suite would be passed by comparing all pairs
        old, new = (" ".join(rng.choice(["yes", "no"]) for _ in range(10_000)) for _ in range(2))
    elif kind == "rewritten":
        old, new = (" ".join(f"w{rng.randrange(2000)}" for _ in range(10_000)) for _ in range(2))
    else:
        words = [f"w{number}" for number in range(10_000)]
        old, new = " ".join(words), " ".join(words[5000:] + words[:5000])
    pieces = word_diff(old, new)
    assert both(pieces) == (old, new)
    if kind == "moved":
        assert max(len(piece.text) for piece in pieces if piece.change is E) > 20_000

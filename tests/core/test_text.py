"""Text from outside, cleaned."""

import random

import pytest
from markdown_it import MarkdownIt

from app.core.text import clean, closed


def test_plain_text_is_left_alone():
    for text in ("", "Hello.", "line\r\nbreak\t", "שלום", "é", "👩‍👩‍👧", "\ufeffx"):
        assert clean(text) == text


def test_nul_is_taken_out():
    assert clean("a\0b\0") == "ab"
    assert clean("ä\0b") == "äb"


def test_surrogate_pairs_become_the_character_they_stand_for():
    assert clean("\ud83d\ude00") == "😀"


def test_lone_surrogates_become_the_replacement_character():
    assert clean("a\ud83d") == "a\ufffd"
    assert clean("\ude00a") == "\ufffda"


def test_any_code_points_can_be_encoded_afterwards():
    chance = random.Random(1)
    for _ in range(10_000):
        text = "".join(map(chr, chance.choices([*range(0x20), *range(0xD7F0, 0xE010), 0x1F600, 0x41], k=12)))
        assert "\0" not in clean(text)
        assert clean(text).encode().decode() == clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(", "~~~\nx\n", "```\na\n```\nthen\n````\n```\n", "1. Do\n   ```sh\n   ls", "- ```\n  x",
        "  ```\n  x", "```\n~~~", "~~~ a`b\nx", "1. a\n   - b\n\n     ```\n     x",
    ],
)  # fmt: skip
def test_a_block_of_code_that_was_cut_off_takes_nothing_in_that_follows(text: str):
    assert closed(text).startswith(text)
    heading, said, *_ = MarkdownIt().parse(f"{closed(text)}\n\n## You\n\nmore")[-6:]
    assert (heading.type, heading.tag, said.content) == ("heading_open", "h2", "You")
    assert closed(closed(text)) == closed(text)


@pytest.mark.parametrize(
    "text", ["", "a ``` b", "```\nx\n```", "- ```\n  x\n  ```\n\nmore", "```a`b", "~~~\n```\n~~~~ "]
)
def test_what_is_whole_is_left_as_it_is(text: str):
    assert closed(text) == text

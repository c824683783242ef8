"""Colours for code."""

from __future__ import annotations

import pytest
from documents import new_document, rendered, shape

from app.ui.highlight import AT_ONCE_LINES, lexer_for, warm
from app.ui.theme import LIGHT

pytestmark = pytest.mark.usefixtures("qapp")


def code_lines(made) -> list[tuple]:
    card = made.cards[0]
    return shape(made)[card.first_block : card.first_block + card.count]


def coloured(made, line: int) -> dict[str, str]:
    text, *_, colours = code_lines(made)[line]
    return {text[start : start + length]: colour for start, length, colour in colours}


def test_words_of_a_language_have_their_colours():
    found = coloured(rendered("```python\ndef f(x): return 'y' + 1  # note\n```"), 0)
    assert found["def"] == LIGHT.syntax_keyword
    assert found["f"] == LIGHT.syntax_function
    assert found["1"] == LIGHT.syntax_number
    assert found["# note"] == LIGHT.syntax_comment


def test_characters_outside_the_basic_plane_do_not_shift_the_colours():
    made = rendered("```python\nx = '🦈🦈' + 12\n```")
    text, *_, colours = code_lines(made)[0]
    start, length, colour = colours[-1]
    assert text.encode("utf-16-le")[2 * start : 2 * (start + length)].decode("utf-16-le") == "12"
    assert colour == LIGHT.syntax_number


@pytest.mark.parametrize("language", ["", "text", "no-such-language", "../../etc", "PYTHON3"])
def test_any_word_behind_a_fence_is_taken(language):
    made = rendered(f"```{language}\nx = 1\n```")
    assert [card.text for card in made.cards] == ["x = 1"]


def test_languages_go_by_many_names_in_any_case():
    assert lexer_for("py").name == lexer_for("Python").name == "Python"
    assert lexer_for("no-such-language") is None


def test_long_code_is_coloured_to_its_last_line():
    lines = "def f(): pass\n" * (AT_ONCE_LINES + 40)
    made = rendered(f"```python\n{lines}```")
    assert all(block[-1] for block in code_lines(made))


def test_a_text_over_several_lines_has_its_colour_once_the_block_is_closed():
    inside = "".join(f"line {number}\n" for number in range(40))
    made = new_document()
    for piece in ('```python\nx = """', *inside.splitlines(keepends=True), '"""\n```\n\nafter'):
        made.append(piece)
    assert coloured(made, 35) == {"line 35": LIGHT.syntax_string}


def test_common_lexers_can_be_loaded_one_by_one():
    assert len(list(warm(("python", "no-such-language")))) == 2

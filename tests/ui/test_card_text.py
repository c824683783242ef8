"""Model cards without their HTML."""

from __future__ import annotations

import pytest

from app.ui.card_text import without_html


def test_words_stay_and_tags_go():
    text = (
        '<div align="center"><img src="https://evil.example/x.png" alt="x"></div>\n# Title\n<b>bold</b> and <br/>next'
    )
    assert without_html(text) == "# Title\nbold and \nnext"


def test_code_and_addresses_are_left_alone():
    text = "Use `<b>` here.\n\n```html\n<div>code</div>\n```\n\n<https://example.org> and a < b > c"
    assert without_html(text) == text


def test_comments_go_also_where_they_never_end():
    assert without_html("a<!-- hidden -->b") == "ab"
    assert without_html("a\n<!-- never ends <b>") == "a"


@pytest.mark.parametrize("piece", ["<!--", "<a ", "`", "<div", "```\n", "</", "<a b='", "<b>"])
def test_cards_made_of_nothing_but_beginnings_come_to_an_end(piece):
    assert len(without_html(piece * (200_000 // len(piece)))) <= 250_000

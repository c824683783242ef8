"""Where formulas begin and end."""

from __future__ import annotations

import pytest

from app.ui.markdown_parse import parse


def formulas(text: str) -> list[tuple[str, str]]:
    found = []
    for token in parse(text):
        parts = [token, *(token.children or [])]
        found += [(part.type, part.content) for part in parts if part.type.startswith("formula")]
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a $x^2$ b", [("formula", "x^2")]),
        ("a \\(x_1\\) b", [("formula", "x_1")]),
        ("$a*b$ and $c*d$", [("formula", "a*b"), ("formula", "c*d")]),
        ("$$\nE = mc^2\n$$", [("formula_block", "E = mc^2")]),
        ("so:\n\\[\na\n\\]\nthen", [("formula_block", "a")]),
        ("$$a$$", [("formula_block", "a")]),
        ("$$a$$ and more", [("formula", "a")]),
        ("1. step\n   $$\n   x\n   $$", [("formula_block", "x")]),
        ("$5 and $10", []),
        ("$5-$10", []),
        ("\\$x\\$", []),
        ("`$x$`", []),
        ("$$\nnever closed\n\nnext", []),
        ("$ x$ and $x $", []),
    ],
)
def test_formulas_are_told_from_money_and_code(text, found):
    assert formulas(text) == found

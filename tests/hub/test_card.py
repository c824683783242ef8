"""The text of a model card, from whatever bytes a repository holds."""

from __future__ import annotations

import pytest

from app.hub.card import card_text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"---\nlicense: apache-2.0\ntags:\n- gguf\n---\n\n# Title\n\nText\n", "# Title\n\nText"),
        (b"\xef\xbb\xbf---\r\nlicense: mit\r\n---\r\n# Title\r\n", "# Title"),
        (b"---\nlicense: mit\n---", ""),
        (b"# Title\n\n---\n\nA rule, not metadata\n---\n", "# Title\n\n---\n\nA rule, not metadata\n---"),
        (b"---\nnever closed\n# Title", "---\nnever closed\n# Title"),
        (b"---\na: |\n  --- not the end\n---\nText", "Text"),
        (b"", ""),
        (b"caf\xe9 \0 text", "caf\ufffd  text"),
    ],
)
def test_the_metadata_is_left_out_and_the_markdown_kept(content, text):
    assert card_text(content) == text


def test_a_card_that_nobody_could_read_to_the_end_is_cut_between_lines():
    text = card_text(b"0123456789\n" * 100_000)
    assert len(text) < 210_000
    assert text.endswith("0123456789\n\n…")

"""A model card as text: the Markdown below its metadata block, still a stranger's words."""

from __future__ import annotations

import re

CARD_BYTES = 2 * 2**20
_CHARS = 200_000
_METADATA = re.compile(r"\A\s*---[ \t]*\n.*?^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def card_text(content: bytes) -> str:
    """The card without its YAML block, with plain line ends, and cut where it is longer than anyone reads."""
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    body = _METADATA.sub("", text, count=1).strip()
    if len(body) <= _CHARS:
        return body
    return body[:_CHARS].rsplit("\n", 1)[0] + "\n\n…"

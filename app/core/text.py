"""Text from outside, made safe to store, show and encode."""

from __future__ import annotations

import re

_FENCE = re.compile(r"(?P<before>\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*)(?P<marks>`{3,}(?=[^`]*$)|~{3,})(?P<rest>.*)")
"""A line that begins or ends a block of code in Markdown, maybe in a list."""


def clean(text: str) -> str:
    """The text without NUL, with surrogate pairs joined and lone surrogates turned into U+FFFD.

    Run it wherever text enters: typed, pasted, read from a file, the command line or JSON. Nothing else is changed.
    """
    if text.isascii():
        return text.replace("\0", "")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def closed(markdown: str) -> str:
    """Markdown whose block of code ends where it does: one that was cut off takes nothing in that is put behind it."""
    before = marks = ""
    for line in markdown.splitlines():
        found = _FENCE.fullmatch(line)
        if found is None:
            continue
        if not marks:
            before, marks = " " * len(found["before"]), found["marks"]
        elif found["marks"].startswith(marks) and not found["rest"].strip():
            marks = ""
    if not marks:
        return markdown
    break_ = "" if markdown.endswith("\n") else "\n"
    return f"{markdown}{break_}{before}{marks}"

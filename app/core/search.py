"""What a person types into the search field, as a query, and what is found, as a line to show."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK_START, MARK_END = "\x01", "\x02"
"""Stand around each hit in a snippet as the index gives it."""

# scripts written without spaces: the index sees a whole sentence there as one word
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_AROUND = 40


@dataclass(frozen=True, slots=True)
class Found:
    """One chat that a search found.

    `message_id` is the newest message with the words, None when the title has them. `marks` are the hits in `snippet`
    as (start, end) in characters.
    """

    chat_id: int
    title: str
    message_id: int | None
    snippet: str
    marks: tuple[tuple[int, int], ...] = ()


def pieces(typed: str) -> list[str]:
    """The parts of a search between blanks; all of them have to be found."""
    return typed.split()


def index_query(typed: str) -> str:
    """The search as a query of FTS5, the last word as a beginning.

    Empty when words do not help: for signs alone, and for scripts without spaces. Then `pieces` are to be looked for
    as they are.
    """
    parts = pieces(typed)
    if _UNSPACED.search(typed) or not parts or not all(any(map(str.isalnum, part)) for part in parts):
        return ""
    quoted = ['"' + part.replace('"', '""') + '"' for part in parts]
    return " ".join(quoted) + "*"


def marked(snippet: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A snippet with marks in it as one line without them, and where they stood."""
    text, marks, start = "", [], -1
    for part in re.split(f"([{MARK_START}{MARK_END}])", " ".join(snippet.split())):
        if part == MARK_START:
            start = len(text)
        elif part == MARK_END:
            if 0 <= start < len(text):
                marks.append((start, len(text)))
            start = -1
        else:
            text += part
    return text, tuple(marks)


def cut_out(text: str, parts: list[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line of `text` around the first of `parts` in it, and where they stand in that line."""
    pattern = re.compile("|".join(re.escape(part) for part in sorted(parts, key=len, reverse=True)), re.IGNORECASE)
    hit = pattern.search(text)
    at = hit.start() if hit else 0
    begin, end = max(0, at - _AROUND), at + 2 * _AROUND
    line = " ".join(text[begin:end].split())
    line = ("…" if begin else "") + line + ("…" if end < len(text) else "")
    return line, tuple(found.span() for found in pattern.finditer(line) if found.group())

"""What changed between two texts, word by word; the pieces always give both texts back, sign for sign."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# scripts written without spaces are compared sign by sign; accents and emoji's modifiers stay with what they change
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_ON_TOP = "[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]*"
_TOKEN = re.compile(rf"[{_UNSPACED}]{_ON_TOP}|(?:(?![{_UNSPACED}])\w{_ON_TOP})+|\n|[^\S\n]+|[^\w\s]{_ON_TOP}")
_CAREFUL = 40_000
"""Pairs of words up to which a stretch without landmarks is compared in full; beyond it, frequent words are no help."""
_DEEPEST = 20


class Change(StrEnum):
    """What became of a piece of text."""

    EQUAL = "equal"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """A stretch of text that both have, or that only the old (REMOVED) or only the new (ADDED) has."""

    change: Change
    text: str


def word_diff(old: str, new: str) -> tuple[DiffPiece, ...]:
    """The pieces in reading order; where something was replaced, what was removed stands before what was added.

    EQUAL and REMOVED joined give `old`, EQUAL and ADDED give `new`. Ten thousand words take well under a second.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces = _Pieces()
    for change, tokens in _compare(before, after):
        pieces.add(change, "".join(tokens))
    return pieces.all()


Step = tuple[Change, Sequence[str]]


def _compare(old: Sequence[str], new: Sequence[str], depth: int = 0) -> Iterator[Step]:
    """Landmarks first: words that each text has exactly once, in the order both have them. Then what is in between."""
    at_old = at_new = 0
    for mark_old, mark_new in (*_landmarks(old, new), (len(old), len(new))):
        yield from _between(old[at_old:mark_old], new[at_new:mark_new], depth)
        yield Change.EQUAL, old[mark_old : mark_old + 1]
        at_old, at_new = mark_old + 1, mark_new + 1


def _landmarks(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Places of words that occur once in each text, as many as keep their order: the longest rising row."""
    once_new = {token for token, count in Counter(new).items() if count == 1}
    once = {token for token, count in Counter(old).items() if count == 1} & once_new
    place = {token: at for at, token in enumerate(new) if token in once}
    pairs = [(at, place[token]) for at, token in enumerate(old) if token in once]
    ends: list[int] = []  # per length, the lowest place in the new text at which a row of it ends
    last: list[int] = []
    before: list[int] = []
    for number, (_, at_new) in enumerate(pairs):
        length = bisect_left(ends, at_new)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [at_new]
        last[length : length + 1] = [number]
    row: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]


def _between(old: Sequence[str], new: Sequence[str], depth: int) -> Iterator[Step]:
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    end = next((at for at in range(shorter - start) if old[-1 - at] != new[-1 - at]), shorter - start)
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    yield Change.EQUAL, old[:start]
    if middle_old and middle_new:
        yield from _matched(middle_old, middle_new, depth)
    else:
        yield Change.REMOVED, middle_old
        yield Change.ADDED, middle_new
    yield Change.EQUAL, old[len(old) - end :]


def _matched(old: Sequence[str], new: Sequence[str], depth: int) -> Iterator[Step]:
    careful = len(old) * len(new) <= _CAREFUL
    if not careful and depth < _DEEPEST and _landmarks(old, new):
        yield from _compare(old, new, depth + 1)
        return
    matcher = SequenceMatcher(None, old, new, autojunk=not careful)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            yield Change.EQUAL, old[old_start:old_end]
        else:
            yield Change.REMOVED, old[old_start:old_end]
            yield Change.ADDED, new[new_start:new_end]


class _Pieces:
    """Gathers pieces: neighbours of a kind are one, and blanks between two changes belong to the change."""

    def __init__(self) -> None:
        self._done: list[DiffPiece] = []
        self._open: dict[Change, list[str]] = {change: [] for change in Change}

    def add(self, change: Change, text: str) -> None:
        if not text:
            return
        if change is not Change.EQUAL and self._open[Change.EQUAL]:
            self._take_in_or_close()
        self._open[change].append(text)

    def all(self) -> tuple[DiffPiece, ...]:
        self._close()
        return tuple(self._done)

    def _take_in_or_close(self) -> None:
        equal = "".join(self._open[Change.EQUAL])
        replaced = self._open[Change.REMOVED] and self._open[Change.ADDED]
        # one blank left standing between replaced words says nothing and makes both hard to read
        if replaced and equal.isspace() and "\n" not in equal:
            self._open[Change.REMOVED].append(equal)
            self._open[Change.ADDED].append(equal)
            self._open[Change.EQUAL].clear()
        else:
            self._close()

    def _close(self) -> None:
        # what is open is a change and what was equal behind it
        for change in (Change.REMOVED, Change.ADDED, Change.EQUAL):
            if self._open[change]:
                self._done.append(DiffPiece(change, "".join(self._open[change])))
                self._open[change].clear()

"""One question with its one right answer, before any style is laid over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["prose", "bare", "list", "block", "code"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A user's text and the plain answer to it.

    short: the answer in one word. kind: what the answer is made of, because styles treat sentences, repeated words,
    lists, other Markdown blocks and code differently. topic: names the task in statistics.
    """

    user: str
    answer: str
    short: str
    kind: Kind = "prose"
    topic: str = ""

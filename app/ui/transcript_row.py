"""What the transcript shows of one turn: a light, frozen value, so that ten thousand of them cost next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["user", "assistant", "marker"]
State = Literal["done", "streaming", "stopped", "interrupted", "failed"]

# A person who pastes a book wants to see the conversation, not the book
COLLAPSE_OVER_CHARACTERS = 20_000
COLLAPSED_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One turn, or a thin line between two.

    `id` is unique in a transcript. `title` is the model's name, `footer` the small print under a reply, such as
    "214 tokens · 48.0 tok/s · 4.5 s". `version` counts from 1 among `versions`. `can_go_on`: the reply was cut off and
    nothing follows it. `mark` is what the person thinks of a reply: "good", "bad" or ""; None where nobody can say so.
    A marker says its `text` on a line between turns.
    """

    kind: Kind
    id: int
    text: str
    title: str = ""
    footer: str = ""
    state: State = "done"
    version: int = 1
    versions: int = 1
    can_go_on: bool = False
    mark: str | None = None

    @property
    def is_long_paste(self) -> bool:
        """Whether a person's text is shown shortened at first."""
        return self.kind == "user" and len(self.text) > COLLAPSE_OVER_CHARACTERS

    @property
    def speaker(self) -> str:
        """Who speaks, in words."""
        return "You" if self.kind == "user" else self.title or "Assistant"


def estimated_height(row: Row, column_px: int) -> int:
    """About how tall `row` will be in pixels, without laying it out."""
    if row.kind == "marker":
        return 48
    length = min(len(row.text), COLLAPSED_CHARACTERS) if row.is_long_paste else len(row.text)
    per_line = max(20.0, column_px / (9.5 if row.kind == "user" else 7.5))
    lines = length / per_line + row.text.count("\n", 0, length) * 0.8 + 1
    return int(76 + 23 * lines)

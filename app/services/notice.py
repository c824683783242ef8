"""What the window tells the person without a dialog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.core.errors import AppError

LONGEST_TEXT = 4_000_000
"""Characters of one message; far above any context, it only keeps a pasted file from stalling the window."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A bar in the window: what happened, what to do, and buttons that do it."""

    title: str
    detail: str = ""
    hint: str = ""
    level: Literal["info", "warning", "error"] = "info"
    actions: tuple[tuple[str, Callable[[], None]], ...] = ()
    report: str = ""
    """What a developer would ask for; there is a button that copies it."""
    once: bool = False
    """Told only the first time while the program runs."""

    @classmethod
    def of(cls, error: AppError, actions: tuple[tuple[str, Callable[[], None]], ...] = (), report: str = "") -> Notice:
        """The notice that shows an error."""
        return cls(error.title, error.detail, error.hint, "error", actions, report)


def too_long(characters: int) -> Notice:
    """What to tell about a message that no model could read at once."""
    title = f"This message is too long: {characters:,} characters"
    detail = f"No model could read it at once; {LONGEST_TEXT:,} characters is the most that can be sent."
    return Notice(title, detail, "Nothing was sent. Shorten it, or send it in parts.", "warning")


def not_pasted(characters: int) -> Notice:
    """What to tell about a text that no field could show without stalling the window."""
    detail = "Nothing you wrote was changed. Paste a shorter piece of it."
    return Notice(f"That text is too long to paste: {characters:,} characters", detail, level="warning")

"""What the window tells the person without a dialog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.core.errors import AppError


@dataclass(frozen=True, slots=True)
class Notice:
    """A bar in the window: what happened, what to do, and buttons that do it."""

    title: str
    detail: str = ""
    hint: str = ""
    level: Literal["info", "warning", "error"] = "info"
    actions: tuple[tuple[str, Callable[[], None]], ...] = ()

    @classmethod
    def of(cls, error: AppError, actions: tuple[tuple[str, Callable[[], None]], ...] = ()) -> Notice:
        """The notice that shows an error."""
        return cls(error.title, error.detail, error.hint, "error", actions)

"""What becomes of a chat that has outgrown the context: the settings of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.settings import Kind, Scope, declared, setting


class WhenFull(StrEnum):
    """What is done when a chat and its next reply no longer fit into the context together."""

    DROP_OLDEST = "drop_oldest"
    """The oldest exchanges go whole."""
    FIRST_AND_LATEST = "first_and_latest"
    """The first exchange stays, those behind it go."""
    ASK = "ask"
    """Nothing is sent before the person has chosen."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """What is left out when the context is full, and how the rest gets to its new place."""

    when_full: str = setting(
        WhenFull.DROP_OLDEST.value,
        kind=Kind.CHOICE,
        scope=Scope.CHAT,
        part="Context",
        label="When the context is full",
        choices=(
            (WhenFull.DROP_OLDEST.value, "Drop the oldest turns"),
            (WhenFull.FIRST_AND_LATEST.value, "Keep the first and the latest"),
            (WhenFull.ASK.value, "Stop and ask"),
        ),
        help="The system prompt and your question are always sent. Turns go whole, several at once, so that the next "
        "ones need not be read anew each time; they stay in the chat.",
    )
    move_kept: bool = setting(
        True,
        kind=Kind.BOOL,
        scope=Scope.CHAT,
        part="Context",
        label="Move what was read",
        help="When turns are dropped, what the model has read of the others is moved up instead of being read again. "
        "That saves the wait, but is not exact: the others were read with the dropped ones before them, and something "
        "of those stays in how the model understands them. Off reads them again, as if the dropped turns had never "
        "been. Models that cannot move it read again in any case.",
    )

    @property
    def asks(self) -> bool:
        """Whether nothing may be left out without a word."""
        return self.when_full == WhenFull.ASK


def words_of(when_full: str) -> str:
    """A choice of what is done when the context is full, as the window words it."""
    return dict(declared(Overflow)["when_full"].choices)[when_full]

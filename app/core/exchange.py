"""A question to several system prompts at once, and what one of them answered."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.chat import MessageState, Provenance


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what one column answered, or has answered so far."""

    question: str
    text: str = ""
    state: MessageState = MessageState.STREAMING
    token_ids: tuple[int, ...] = ()
    provenance: Provenance | None = None

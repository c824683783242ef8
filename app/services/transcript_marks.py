"""What stands between the messages of a transcript: where the system prompt changed, and what the model cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.core.chat import Message, Role


@dataclass(frozen=True, slots=True)
class Marker:
    """A line in the transcript, before the message `before_id`; None puts it at the end."""

    before_id: int | None
    kind: Literal["system_prompt", "context"]
    text: str


def markers(path: Sequence[Message], system_prompt: str) -> tuple[Marker, ...]:
    """The lines to draw in this path, whose next reply would use `system_prompt`."""
    found: list[Marker] = []
    before: str | None = None
    first_sent_id = 0
    for index, message in enumerate(path):
        if message.role is not Role.ASSISTANT or message.provenance is None:
            continue
        used = message.provenance.system_prompt
        if before is not None and used != before:
            question = path[index - 1].id if index else message.id
            found.append(Marker(question, "system_prompt", f"System prompt changed: {excerpt(used)}"))
        before = used
        first_sent_id = message.provenance.first_sent_id
    if before is not None and system_prompt != before:
        text = "System prompt changed: used from the next reply"
        found.append(Marker(None, "system_prompt", text))
    if first_sent_id and any(message.id == first_sent_id for message in path[1:]):
        text = "Nothing above this line was sent with the last question: the context is full"
        found.append(Marker(first_sent_id, "context", text))
    return tuple(found)


def excerpt(text: str, characters: int = 60) -> str:
    """The start of a text on one line, in quotes; "none" for an empty one."""
    line = " ".join(text.split())
    if not line:
        return "none"
    return f"“{line}”" if len(line) <= characters else f"“{line[: characters - 1].rstrip()}…”"

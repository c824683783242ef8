"""What stands between the messages of a transcript: where the system prompt changed, and what the model cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.core.chat import Message
from app.core.role import Role


@dataclass(frozen=True, slots=True)
class Marker:
    """A line in the transcript, before the message `before_id`; None puts it at the end."""

    before_id: int | None
    kind: Literal["system_prompt", "context", "gap"]
    text: str


def markers(path: Sequence[Message], system_prompt: str) -> tuple[Marker, ...]:
    """The lines to draw in this path, whose next reply would use `system_prompt`."""
    found: list[Marker] = []
    before: str | None = None
    left_out_from_id = first_sent_id = 0
    for index, message in enumerate(path):
        if message.role is not Role.ASSISTANT or message.provenance is None:
            continue
        used = message.provenance.system_prompt
        if before is not None and used != before:
            question = path[index - 1].id if index else message.id
            found.append(Marker(question, "system_prompt", f"System prompt changed: {excerpt(used)}"))
        before = used
        if message.provenance.prompt_tokens:
            left_out_from_id, first_sent_id = message.provenance.left_out_from_id, message.provenance.first_sent_id
    if before is not None and system_prompt != before:
        text = "System prompt changed: used from the next reply"
        found.append(Marker(None, "system_prompt", text))
    return (*found, *_gap(path, left_out_from_id, first_sent_id))


def _gap(path: Sequence[Message], left_out_from_id: int, first_sent_id: int) -> tuple[Marker, ...]:
    """Where the turns are that the last question was sent without: one line, or two where the first ones were sent."""
    if not first_sent_id or all(message.id != first_sent_id for message in path[1:]):
        return ()
    if any(message.id == left_out_from_id for message in path[1:]):
        above = "Not sent with the last question, down to the next line: the context is full"
        below = "Everything below this line was sent with the last question"
        return Marker(left_out_from_id, "gap", above), Marker(first_sent_id, "context", below)
    text = "Nothing above this line was sent with the last question: the context is full"
    return (Marker(first_sent_id, "context", text),)


def excerpt(text: str, characters: int = 60) -> str:
    """The start of a text on one line, in quotes; "none" for an empty one."""
    line = " ".join(text.split())
    if not line:
        return "none"
    return f"“{line}”" if len(line) <= characters else f"“{line[: characters - 1].rstrip()}…”"

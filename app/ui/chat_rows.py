"""A chat's messages as rows of the transcript: who speaks, the small print under a reply, and the lines between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from app.core.chat import Message, MessageState, MessageTree, Provenance
from app.core.role import Role
from app.core.text import closed
from app.ui.transcript_row import Row

_ENDS: Mapping[str, str] = {
    "length": "cut off at its longest reply",
    "context": "cut off: the context is full",
    "stop_string": "ended by a stop string",
    "repeated": "the model repeated itself, so it was stopped",
}
_MARKER_IDS = {"system_prompt": 1, "context": 2, "gap": 3}


class Marker(Protocol):
    """A line between two messages."""

    @property
    def before_id(self) -> int | None:
        """The message it stands before; None for the end."""

    @property
    def kind(self) -> Literal["system_prompt", "context", "gap"]:
        """What it marks."""

    @property
    def text(self) -> str:
        """Its words."""


def footer(message: Message) -> str:
    """The small print under a reply: how long, how fast, and how it ended if not by itself."""
    how = message.provenance
    parts = [] if how is None else _figures(how)
    if message.state is MessageState.FAILED and how is not None and how.error:
        parts.append(how.error)
    elif message.state is MessageState.DONE and how is not None and how.stop_reason in _ENDS:
        parts.append(_ENDS[how.stop_reason])
    return " · ".join(parts)


def _figures(how: Provenance) -> list[str]:
    parts = []
    if how.completion_tokens:
        parts.append("1 token" if how.completion_tokens == 1 else f"{how.completion_tokens:,} tokens")
    if how.tokens_per_s:
        parts.append(f"{how.tokens_per_s:,.1f} tok/s" if how.tokens_per_s < 1000 else f"{how.tokens_per_s:,.0f} tok/s")
    if how.duration_ms:
        parts.append(duration(how.duration_ms))
    if how.dropped_turns:
        parts.append(f"{how.dropped_turns:,} turns dropped: {_reading(how)}")
    return parts


def _reading(how: Provenance) -> str:
    """How the turns that stayed got to their new place in the context."""
    read = f"{how.prompt_tokens - how.cached_tokens:,}"
    return f"{how.moved_tokens:,} tokens moved, {read} read" if how.moved_tokens else f"{read} tokens read"


def duration(milliseconds: float) -> str:
    """A time as people say it: "0.04 s", "4.5 s", "12 s", "2 min 5 s"."""
    seconds = milliseconds / 1000
    if seconds < 0.995:
        return f"{max(seconds, 0.01):.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def row_of(message: Message, tree: MessageTree, model_name: str) -> Row:
    """One message as a row. `model_name` speaks for replies that do not say which model gave them."""
    versions = tree.siblings(message.id)
    if message.role is Role.USER:
        return Row(
            "user", message.id, message.text, version=versions.index(message.id) + 1, versions=len(versions), footer=""
        )
    named = message.provenance.model_name if message.provenance else ""
    return Row(
        "assistant",
        message.id,
        message.text,
        title=named or model_name,
        footer=footer(message),
        state=message.state.value,
        version=versions.index(message.id) + 1,
        versions=len(versions),
        can_go_on=_was_cut_off(message) and tree.newest_leaf(message.id) == message.id,
        mark=str(message.mark or ""),
    )


def _was_cut_off(message: Message) -> bool:
    if message.state is MessageState.DONE:
        return message.provenance is not None and message.provenance.stop_reason in ("length", "repeated")
    if message.state is MessageState.FAILED:
        return bool(message.text)
    return message.state in (MessageState.STOPPED, MessageState.INTERRUPTED)


def rows_of(path: Sequence[Message], tree: MessageTree, markers: Sequence[Marker], model_name: str) -> list[Row]:
    """All rows of a path, the lines between them in their places."""
    before: dict[int | None, list[Marker]] = {}
    for marker in markers:
        before.setdefault(marker.before_id, []).append(marker)
    rows: list[Row] = []
    for message in path:
        rows += [marker_row(marker) for marker in before.get(message.id, ())]
        rows.append(row_of(message, tree, model_name))
    return rows + [marker_row(marker) for marker in before.get(None, ())]


def marker_row(marker: Marker) -> Row:
    """A line between two messages; its id is below zero and the same as long as it stands in the same place."""
    return Row("marker", -(10 * (marker.before_id or 0) + _MARKER_IDS[marker.kind]), marker.text)


def conversation_text(path: Sequence[Message], model_name: str) -> str:
    """A chat as Markdown text, each turn under the name of who spoke."""
    return "\n\n".join(
        f"**{'You' if message.role is Role.USER else _speaker(message, model_name)}**\n\n{closed(message.text.strip())}"
        for message in path
    )


def _speaker(message: Message, model_name: str) -> str:
    return (message.provenance.model_name if message.provenance else "") or model_name

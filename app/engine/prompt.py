"""A conversation as token ids in ChatML, for a vocabulary that knows its control tokens and for one that does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.core.chatml import IM_END, IM_START, Part, parts
from app.engine.base import Prompt, Segment, Turn

_JOINER = "\u2060"
"""An invisible character that breaks what looks like a control token, where those are plain text."""


class Tokens(Protocol):
    """What rendering needs of a vocabulary."""

    @property
    def adds_bos(self) -> bool:
        """Whether a prompt begins with the BOS token."""
        ...

    @property
    def bos(self) -> int:
        """The BOS token's id, or -1."""
        ...

    def text_tokens(self, text: str) -> tuple[int, ...]:
        """The ids of a literal text, as after a control token."""
        ...

    def following_tokens(self, text: str) -> tuple[int, ...]:
        """The ids of a literal text in the middle of one."""
        ...

    def id_of(self, text: str) -> int | None:
        """The id of the token with exactly this text."""
        ...

    def says(self, tokens: Sequence[int]) -> str | None:
        """The text of ids that control nothing; None where one does or is not known."""
        ...


class ChatMLRenderer:
    """Writes ChatML. Control ids come from here alone; texts go through the vocabulary's guard."""

    def __init__(self, vocabulary: Tokens) -> None:
        self._vocabulary = vocabulary
        start, end = vocabulary.id_of(IM_START), vocabulary.id_of(IM_END)
        self.control_ids: dict[str, int] = (
            {IM_START: start, IM_END: end} if start is not None and end is not None else {}
        )
        """The ids of the two control tokens; empty where the vocabulary lacks one, and they are written as text."""

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """The exact prompt for these turns."""
        segments = beginning(self._vocabulary)
        for part in parts(((turn.role, turn.text) for turn in turns), reply=reply):
            turn = turns[part.turn] if part.turn >= 0 else None
            if self.control_ids:
                segments.append(self._segment(part, turn))
            else:
                segments.append(self._plain_segment(part, first=not segments))
        return Prompt(tuple(segments))

    def _segment(self, part: Part, turn: Turn | None) -> Segment:
        if part.kind == "control":
            return Segment("control", part.role, part.text, (self.control_ids[part.text],), part.turn)
        head, text = part.text[: part.head], part.text[part.head :]
        if turn is not None and text and wrote(self._vocabulary, turn.token_ids, text):
            tokens = self._vocabulary.text_tokens(head) + turn.token_ids
        else:
            tokens = self._vocabulary.text_tokens(part.text)
        return Segment("text", part.role, part.text, tokens, part.turn)

    def _plain_segment(self, part: Part, *, first: bool) -> Segment:
        text = part.text
        if part.kind == "text":
            for control in (IM_START, IM_END):
                text = text.replace(control, control[0] + _JOINER + control[1:])
        tokens = self._vocabulary.text_tokens(text) if first else self._vocabulary.following_tokens(text)
        return Segment("text", part.role, text, tokens, part.turn)


def beginning(vocabulary: Tokens) -> list[Segment]:
    """BOS where the vocabulary wants it. No template writes it, so it has no text."""
    return [Segment("control", "", "", (vocabulary.bos,))] if vocabulary.adds_bos else []


def wrote(vocabulary: Tokens, tokens: Sequence[int], text: str) -> bool:
    """Whether the ids that came with a text say that text: they do not after an edit, or with another model."""
    said = vocabulary.says(tokens) if tokens else None
    return said is not None and said.removeprefix(" ") == text.removeprefix(" ")

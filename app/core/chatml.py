r"""A conversation as ChatML: control tokens and literal text kept apart, never one string.

One turn is `<|im_start|>` + "role\ncontent" + `<|im_end|>` + "\n"; a prompt for a reply ends in `<|im_start|>` +
"assistant\n".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.core.role import Role

IM_START = "<|im_start|>"
IM_END = "<|im_end|>"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the prompt before it is tokenized.

    A "control" part is exactly one control token. A "text" part is tokenized as one piece; its first `head` characters
    come from the template, the rest from the message. `turn` counts from 0; -1 is the template's own.
    """

    kind: Literal["control", "text"]
    role: str
    text: str
    turn: int
    head: int = 0


def parts(turns: Iterable[tuple[Role, str]], *, reply: bool = True) -> list[Part]:
    """The parts of a conversation; with `reply`, up to where the assistant's next words begin.

    An answer that stands last then is left open: it goes on.
    """
    found: list[Part] = []
    goes_on = False
    for index, (role, text) in enumerate(turns):
        head = f"{role}\n"
        goes_on = role is Role.ASSISTANT and reply
        found += [
            Part("control", role, IM_START, index),
            Part("text", role, head + text, index, len(head)),
            Part("control", role, IM_END, index),
            Part("text", role, "\n", index, 1),
        ]
    if goes_on:
        return found[:-2]
    if reply:
        head = f"{Role.ASSISTANT}\n"
        found += [
            Part("control", Role.ASSISTANT, IM_START, -1),
            Part("text", Role.ASSISTANT, head, -1, len(head)),
        ]
    return found

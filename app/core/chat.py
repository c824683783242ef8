"""Chats and messages as plain values: a chat is a tree of messages, and one path through it is on screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.core.role import Role

TRASH_DAYS = 30
"""So long a deleted chat can be brought back."""


class Mark(StrEnum):
    """What a person thinks of an answer."""

    GOOD = "good"
    BAD = "bad"


class MessageState(StrEnum):
    """How far a message got."""

    DONE = "done"
    """Complete: sent by the person, or ended by the model itself or by its longest reply."""
    STREAMING = "streaming"
    """Growing now; found at start, it was cut off and becomes INTERRUPTED."""
    STOPPED = "stopped"
    """The person pressed Stop; what had come is kept."""
    INTERRUPTED = "interrupted"
    """The app or the engine went away in the middle; what had come is kept."""
    FAILED = "failed"
    """The engine reported an error; what had come is kept."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How an answer came about, kept with it for good.

    Times are milliseconds, counts are tokens. `sampling` holds every sampler value by setting key.
    """

    model_name: str = ""
    model_path: str = ""
    model_quant: str = ""
    model_size_bytes: int = 0
    model_mtime_ns: int = 0
    """The file as it was when it was loaded: all its parts together, and the newest one's time."""
    model_sha256: tuple[str, ...] = ()
    """Of the file's parts, in order; empty while nobody has read it through."""
    engine: str = ""
    """Which release of which library wrote it."""
    running: Mapping[str, Any] = field(default_factory=dict)
    """How the model ran, as `services.provenance.running` puts it: devices, layers, threads, KV cache and so on."""
    system_prompt: str = ""
    prompt_version: str = ""
    """Hash of the version that the system prompt was taken from, and perhaps edited since; "" for none."""
    template: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    context_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    ttft_ms: float = 0.0
    tokens_per_s: float = 0.0
    duration_ms: float = 0.0
    stop_reason: str = ""
    moved_tokens: int = 0
    """Those of the cached ones that were moved to their place when turns before them were dropped."""
    dropped_turns: int = 0
    """Turns that were left out with this answer and had still been sent with the one before."""
    left_out_from_id: int = 0
    """Id of the first message that was left out; 0 for the chat's first, or when nothing was left out."""
    first_sent_id: int = 0
    """Id of the first message that was sent behind what was left out; 0 when nothing was left out."""
    at_once: int = 0
    """So many answers at most were written side by side in the call that gave this one; 0 where it was a chat's own."""
    continued_chars: int = 0
    """Of the answer, so many characters were there before, and this tells how the rest came; 0 for a whole answer."""
    continued_tokens: int = 0
    """The same in ids; 0 where those of the beginning were not kept."""
    made_ms: int = 0
    """When it was done, in milliseconds since 1970; 0 where that was not kept."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `id` rises with time; `parent_id` is the turn before it (None: the first).

    `token_ids` are the ids the model generated for an answer: tokenizing its text again may give others, and the KV
    cache knows these. They are empty for what a person wrote. `mark` is what the person thinks of an answer.
    """

    id: int
    chat_id: int
    parent_id: int | None
    role: Role
    text: str
    state: MessageState = MessageState.DONE
    created_ms: int = 0
    token_ids: tuple[int, ...] = ()
    provenance: Provenance | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """What is known of a chat without its messages.

    `model_id` names a model ("starter", or the path of a GGUF file). `overrides` holds only what differs from the
    model's settings, by setting key. `leaf_id` is the last message of the path on screen. `deleted_ms` is set while the
    chat is in the trash. `prompt_version` is the hash of the version that the system prompt was taken from and perhaps
    edited since, "" for none. `variables` are the values for the variables in it, by name; date and time are among them
    once they were sent, and stay as they were.
    """

    id: int
    title: str
    model_id: str
    system_prompt: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    pinned: bool = False
    titled_by_person: bool = False
    leaf_id: int | None = None
    created_ms: int = 0
    updated_ms: int = 0
    deleted_ms: int | None = None
    prompt_version: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatRow:
    """As much of a chat as a list of many shows."""

    id: int
    title: str
    model_id: str
    pinned: bool
    updated_ms: int
    deleted_ms: int | None = None


class MessageTree:
    """The messages of one chat, and the questions asked of their tree."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._by_id: dict[int, Message] = {}
        self._children: dict[int | None, list[int]] = {}
        for message in messages:
            self._insert(message)

    def _insert(self, message: Message) -> None:
        if message.id not in self._by_id:
            self._children.setdefault(message.parent_id, []).append(message.id)
        self._by_id[message.id] = message

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._by_id

    def __getitem__(self, message_id: int) -> Message:
        return self._by_id[message_id]

    def put(self, message: Message) -> None:
        """Add a message, or replace the one with its id."""
        self._insert(message)

    def path(self, leaf_id: int | None) -> list[Message]:
        """From the first turn down to `leaf_id`; empty for None or an unknown id."""
        found: list[Message] = []
        while leaf_id is not None and leaf_id in self._by_id:
            found.append(self._by_id[leaf_id])
            leaf_id = self._by_id[leaf_id].parent_id
        found.reverse()
        return found

    def siblings(self, message_id: int) -> Sequence[int]:
        """Ids of all versions of this turn, oldest first, itself among them."""
        return tuple(self._children[self._by_id[message_id].parent_id])

    def take_back(self, reply_id: int) -> tuple[list[int], str, int | None]:
        """Take out a reply that was refused, and its question if nothing else answers it.

        Returns:
            The ids taken out, the question's text (empty where it stays), and the leaf to show instead.
        """
        reply = self._by_id[reply_id]
        gone, text, leaf_id = [reply_id], "", reply.parent_id
        if reply.parent_id is not None and len(self._children[reply.parent_id]) == 1:
            question = self._by_id[reply.parent_id]
            gone, text, leaf_id = [reply_id, question.id], question.text, question.parent_id
        for message_id in gone:
            self._children[self._by_id.pop(message_id).parent_id].remove(message_id)
        return gone, text, self.newest_leaf(leaf_id)

    def newest_leaf(self, message_id: int | None) -> int | None:
        """The end of the newest path that goes through this message; None asks for the newest path of all."""
        while children := self._children.get(message_id):
            message_id = children[-1]
        return message_id

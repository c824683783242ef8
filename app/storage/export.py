"""Chats as files for people and other programs: Markdown shows the path on screen, JSON holds every version."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.core.chat import Chat, Message, MessageTree, Provenance
from app.core.made_answers import line_below, numbered, state_words, told_once
from app.core.made_by import file_name, handed_on
from app.core.prompt_variables import MODEL, resolve
from app.core.role import Role
from app.core.text import closed
from app.storage.backups import sync_file, sync_folder
from app.storage.chats import ChatStore
from app.storage.trouble import told

FORMAT = "orcinus-chats"
VERSION = 1
_NAMES = {Role.USER: "You", Role.ASSISTANT: "Assistant", Role.SYSTEM: "System"}


def export(chats: ChatStore, chat_id: int | None, path: Path, version: Callable[[Provenance], str]) -> None:
    """Write one chat, or all that are not in the trash, to a file: JSON if its name ends so, else Markdown.

    The file is there whole or not at all, and one of that name is replaced only by a whole one. version: how people
    name the prompt's version that an answer was given by, "" for no name.

    Raises:
        StorageError: it could not be written.
    """
    ids = [row.id for row in chats.rows()] if chat_id is None else [chat_id]
    content = [(chats.chat(one), chats.messages(one)) for one in ids]
    text = as_json(content) if path.suffix.lower() == ".json" else as_markdown(content, version)
    write_whole(path, text.encode())


def as_json(content: Iterable[tuple[Chat, list[Message]]]) -> str:
    """All that is known of these chats, every version of every message; of model files only their names."""
    chats = [
        {
            **_plain(chat),
            "model_id": file_name(chat.model_id),
            "messages": [_plain(_handed_on(message), without="chat_id") for message in messages],
        }
        for chat, messages in content
    ]
    return json.dumps({"format": FORMAT, "version": VERSION, "chats": chats}, ensure_ascii=False, indent=1) + "\n"


def as_markdown(content: Iterable[tuple[Chat, list[Message]]], version: Callable[[Provenance], str]) -> str:
    """The path on screen of each chat, its system prompt first, and what made the answers."""
    return "\n".join(_chat_markdown(chat, messages, version) for chat, messages in content)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place, wait until the disk has it, then put it there."""
    unfinished = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}")
    with told():
        try:
            unfinished.write_bytes(data)
            sync_file(unfinished)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)


def _plain(value: Chat | Message, without: str = "") -> dict[str, Any]:
    return {name: held for name, held in dataclasses.asdict(value).items() if name != without}


def _handed_on(message: Message) -> Message:
    how = message.provenance
    return message if how is None else dataclasses.replace(message, provenance=handed_on(how))


def _chat_markdown(chat: Chat, messages: list[Message], version: Callable[[Provenance], str]) -> str:
    title = " ".join(chat.title.split()) or "Chat"
    parts = [f"# {title}", f"*{file_name(chat.model_id)}, {_date(chat.created_ms)}*"]
    if chat.system_prompt:
        parts += ["## System prompt", closed(chat.system_prompt)]
        values = [f"- {name}: {' '.join(text.split())}" for name, text in sorted(chat.variables.items())]
        parts += ["\n".join(values)] if values else []
    path = MessageTree(messages).path(chat.leaf_id)
    for message, below in zip(path, _lines_below(path), strict=True):
        said = [words] if (words := state_words(message.state)) else []
        said += [f"marked as {message.mark}"] if message.mark else []
        told = f" ({', '.join(said)})" if said else ""
        parts += [f"## {_NAMES[message.role]}{told}", closed(message.text)]
        parts += [below] if below else []
    return "\n\n".join([*parts, *_made_by(chat, path, version)]) + "\n"


def _lines_below(path: Sequence[Message]) -> Iterator[str]:
    """What each answer has of its own; below what a person wrote there is nothing."""
    answers = [message for message in path if message.role is Role.ASSISTANT]
    number, before = 0, None
    for message in path:
        if message.role is not Role.ASSISTANT:
            yield ""
            continue
        name = numbered([number]) if len(answers) > 1 else ""
        yield line_below(message.provenance, before, name)
        number, before = number + 1, message.provenance or before


def _made_by(chat: Chat, path: Sequence[Message], version: Callable[[Provenance], str]) -> list[str]:
    """What made the answers of a path, told once for all that were made alike."""
    answers = [message.provenance for message in path if message.role is Role.ASSISTANT]

    def is_shown(place: int, prompt: str) -> bool:
        how = answers[place]
        model = {MODEL: how.model_name} if how is not None else {}
        return resolve(chat.system_prompt, {**chat.variables, **model}).text.strip() == prompt.strip()

    told = told_once(answers, numbered, is_shown, version)
    return [f"## What made {'these answers' if len(answers) > 1 else 'this answer'}", told] if told else []


def _date(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):  # a clock gone wild
        return ""

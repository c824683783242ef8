"""Chats as files for people and other programs: Markdown shows the path on screen, JSON holds every version."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.core.chat import Chat, Message, MessageState, MessageTree, Role
from app.core.made_by import brief_markdown, listed, shared
from app.storage.backups import sync_file, sync_folder
from app.storage.chats import ChatStore
from app.storage.trouble import told

FORMAT = "orcinus-chats"
VERSION = 1
_NAMES = {Role.USER: "You", Role.ASSISTANT: "Assistant", Role.SYSTEM: "System"}
_ENDS = {
    MessageState.STOPPED: "stopped",
    MessageState.INTERRUPTED: "interrupted",
    MessageState.FAILED: "failed",
    MessageState.STREAMING: "still being written",
}


def export(chats: ChatStore, chat_id: int | None, path: Path) -> None:
    """Write one chat, or all that are not in the trash, to a file: JSON if its name ends so, else Markdown.

    The file is there whole or not at all, and one of that name is replaced only by a whole one.

    Raises:
        StorageError: it could not be written.
    """
    ids = [row.id for row in chats.rows()] if chat_id is None else [chat_id]
    content = [(chats.chat(one), chats.messages(one)) for one in ids]
    text = as_json(content) if path.suffix.lower() == ".json" else as_markdown(content)
    write_whole(path, text.encode())


def as_json(content: Iterable[tuple[Chat, list[Message]]]) -> str:
    """All that is known of these chats, every version of every message."""
    chats = [
        {**_plain(chat), "messages": [_plain(message, without="chat_id") for message in messages]}
        for chat, messages in content
    ]
    return json.dumps({"format": FORMAT, "version": VERSION, "chats": chats}, ensure_ascii=False, indent=1) + "\n"


def as_markdown(content: Iterable[tuple[Chat, list[Message]]]) -> str:
    """The path on screen of each chat, its system prompt first."""
    return "\n".join(_chat_markdown(chat, messages) for chat, messages in content)


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


def _chat_markdown(chat: Chat, messages: list[Message]) -> str:
    title = " ".join(chat.title.split()) or "Chat"
    parts = [f"# {title}", f"*{chat.model_id}, {_date(chat.created_ms)}*"]
    if chat.system_prompt:
        parts += ["## System prompt", chat.system_prompt]
        values = [f"- {name}: {' '.join(text.split())}" for name, text in sorted(chat.variables.items())]
        parts += ["\n".join(values)] if values else []
    path = MessageTree(messages).path(chat.leaf_id)
    for message in path:
        said = [_ENDS[message.state]] if message.state in _ENDS else []
        said += [f"marked as {message.mark}"] if message.mark else []
        told = f" ({', '.join(said)})" if said else ""
        parts += [f"## {_NAMES[message.role]}{told}", message.text]
        if made := brief_markdown(message.provenance):
            parts.append(made)
    return "\n\n".join([*parts, *_made_by(path)]) + "\n"


def _made_by(path: Sequence[Message]) -> list[str]:
    """What made the answers of a path, told once for all that were made alike."""
    answers = [one for one in path if one.role is Role.ASSISTANT]
    alike: dict[str, list[int]] = {}
    for number, answer in enumerate(answers, 1):
        if answer.provenance is not None and (told := listed(shared(answer.provenance))):
            alike.setdefault(told, []).append(number)
    parts = ["## What made these answers"] if alike else []
    for told, numbers in alike.items():
        if len(numbers) < len(answers):
            parts.append(f"{'Answer' if len(numbers) == 1 else 'Answers'} {', '.join(map(str, numbers))}:")
        parts.append(told)
    return parts


def _date(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):  # a clock gone wild
        return ""

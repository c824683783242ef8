"""What the program wants to know at its start of what is kept; the command line reads it beside an open window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.chat import ChatRow
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.downloads import DownloadStore, SavedDownload
from app.storage.model_notes import ModelFileStore, ModelNote
from app.storage.opening import open_to_read
from app.storage.settings import KnownModel, ModelStore, SettingsStore, StateStore

LAST_CHAT = "last_chat"
LAST_MODEL = "last_model"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What there was when the app was used last. `settings`: scope -> key -> value."""

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    models: tuple[KnownModel, ...] = ()
    chats: tuple[ChatRow, ...] = ()
    last_chat_id: int | None = None
    last_model_id: str = ""
    downloads: tuple[SavedDownload, ...] = ()
    model_files: Mapping[str, ModelNote] = field(default_factory=dict)
    """What is known of model files, by path."""
    notices: tuple[str, ...] = ()
    """Sentences for the window, such as that a damaged file was mended."""


def remembered(database: Database) -> Remembered:
    """What is remembered there."""
    state = StateStore(database)
    last_chat_id, last_model_id = state.get(LAST_CHAT), state.get(LAST_MODEL)
    return Remembered(
        SettingsStore(database).all(),
        tuple(ModelStore(database).all()),
        tuple(ChatStore(database).rows()),
        last_chat_id if isinstance(last_chat_id, int) else None,
        last_model_id if isinstance(last_model_id, str) else "",
        tuple(DownloadStore(database).all()),
        ModelFileStore(database).all(),
        database.take_notices(),
    )


def read_remembered(database: Path | None) -> Remembered:
    """What is remembered, read beside a window that may be open; nothing is changed. Empty when there is nothing yet.

    Raises:
        StorageError: it cannot be read.
    """
    if database is None or not database.exists():
        return Remembered()
    opened = open_to_read(database)
    try:
        return remembered(opened)
    finally:
        opened.close()

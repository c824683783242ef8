"""What is known of a model's file, and how that is kept: as rows of the database, and as notes in the models folder.

The database belongs to the one window that may write. A note is a small file in <models>/.known, written whole or not
at all, so the command line can keep what it found out beside an open window, a finished download is known for good
before the database hears of it, and a models folder that moves to another computer takes along what was proven of it.
Whoever looks takes whichever of the two is newer, and only as long as the file's size and time are those it tells of.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.core.library import LocalModel
from app.core.text import clean
from app.storage.chats import now_ms
from app.storage.database import Database
from app.storage.trouble import told

FOLDER = ".known"
_LONGEST_NOTE_BYTES = 64 * 1024
_TEXTS = ("name", "quant", "architecture", "licence", "repo_id", "commit", "inexact")
_NUMBERS = ("n_params", "n_ctx_train")
_LARGEST = 1 << 62


@dataclass(frozen=True, slots=True)
class ModelNote:
    """A model with the time of its file (the newest of its parts) at which that was so, and when it was noted.

    `model.managed` and `model.present` are not kept: they are seen again each time. forgotten: the person does not want
    this file offered.
    """

    model: LocalModel
    mtime_ns: int = 0
    noted_ms: int = 0
    forgotten: bool = False

    @property
    def seen(self) -> tuple[int, int]:
        """Size and time of the file that this tells of."""
        return self.model.size_bytes, self.mtime_ns


class ModelFileStore:
    """What is known of model files, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, ModelNote]:
        """Every note by path; a damaged one is left out, as the file itself tells most of it again."""
        found = self._database.rows("SELECT path, size_bytes, mtime_ns, verified_ms, noted_ms, details FROM model_file")
        notes = {}
        for path, size_bytes, mtime_ns, verified_ms, noted_ms, text in found:
            if (details := _parsed(text)) is not None:
                model = _model(path, size_bytes, verified_ms, details)
                notes[path] = ModelNote(model, mtime_ns, noted_ms, details.get("forgotten") is True)
        return notes

    def keep(self, note: ModelNote) -> None:
        """Know this of a file from now on.

        Raises:
            StorageError: it cannot be written.
        """
        model = note.model
        self._database.run(
            "INSERT INTO model_file (path, size_bytes, mtime_ns, verified_ms, noted_ms, details)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET size_bytes = excluded.size_bytes,"
            " mtime_ns = excluded.mtime_ns, verified_ms = excluded.verified_ms, noted_ms = excluded.noted_ms,"
            " details = excluded.details",
            clean(model.path),
            model.size_bytes,
            note.mtime_ns,
            model.verified_ms,
            note.noted_ms,
            _text(_details(note)),
        )

    def remove(self, path: str) -> None:
        """Forget what is known of a file."""
        self._database.run("DELETE FROM model_file WHERE path = ?", clean(path))


def read_notes(folder: str) -> dict[str, ModelNote]:
    """Every note in a models folder by absolute path; what cannot be read, or is no note, is passed over."""
    notes: dict[str, ModelNote] = {}
    with suppress(OSError):
        for file in Path(folder, FOLDER).glob("*.json"):
            if (note := _read(file, folder)) is not None and file.name == _name(folder, note.model.path):
                notes[note.model.path] = note
    return notes


def write_note(folder: str, note: ModelNote) -> None:
    """Keep a note in a models folder.

    Raises:
        StorageError: it cannot be written there.
    """
    model = note.model
    table = {
        "path": _relative(folder, model.path),
        "size_bytes": model.size_bytes,
        "mtime_ns": note.mtime_ns,
        "verified_ms": model.verified_ms,
        "noted_ms": note.noted_ms,
        **_details(note),
    }
    with told():
        notes = Path(folder, FOLDER)
        notes.mkdir(parents=True, exist_ok=True)
        target = notes / _name(folder, model.path)
        unready = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        try:
            with unready.open("w", encoding="utf-8") as file:
                file.write(_text(table))
                file.flush()
                os.fsync(file.fileno())
            os.replace(unready, target)
        finally:
            unready.unlink(missing_ok=True)


def remove_note(folder: str, path: str) -> None:
    """Take a note out of a models folder, if there is one that can be taken out."""
    with suppress(OSError):
        Path(folder, FOLDER, _name(folder, path)).unlink()


def noted_now(note: ModelNote, *, forgotten: bool = False) -> ModelNote:
    """The same as of this moment."""
    return replace(note, noted_ms=now_ms(), forgotten=forgotten)


def _read(file: Path, folder: str) -> ModelNote | None:
    try:
        if file.stat().st_size > _LONGEST_NOTE_BYTES:
            return None
        table = _parsed(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    if table is None or not isinstance(table.get("path"), str) or "\0" in table["path"]:
        return None
    path = os.path.normpath(os.path.join(folder, table["path"]))
    size_bytes, mtime_ns, verified_ms, noted_ms = (
        _number(table.get(key)) for key in ("size_bytes", "mtime_ns", "verified_ms", "noted_ms")
    )
    model = _model(path, size_bytes, verified_ms, table)
    return ModelNote(model, mtime_ns, noted_ms, table.get("forgotten") is True)


def _details(note: ModelNote) -> dict[str, Any]:
    model = note.model
    details: dict[str, Any] = {key: getattr(model, key) for key in (*_TEXTS, *_NUMBERS)}
    details["sha256"] = list(model.sha256)
    return details | ({"damaged": True} if model.damaged else {}) | ({"forgotten": True} if note.forgotten else {})


def _model(path: str, size_bytes: int, verified_ms: int, details: Mapping[str, Any]) -> LocalModel:
    text = {key: value if isinstance(value := details.get(key), str) else "" for key in _TEXTS}
    sums = details.get("sha256")
    return LocalModel(
        path,
        text["name"] or Path(path).stem,
        size_bytes,
        text["quant"],
        text["architecture"],
        _number(details.get("n_params")),
        _number(details.get("n_ctx_train")),
        text["licence"],
        text["repo_id"],
        text["commit"],
        tuple(part for part in sums if isinstance(part, str)) if isinstance(sums, list) else (),
        verified_ms,
        damaged=details.get("damaged") is True,
        inexact=text["inexact"],
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else 0


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return table if isinstance(table, dict) else None


def _text(table: Mapping[str, Any]) -> str:
    return clean(json.dumps(table, ensure_ascii=False))


def _relative(folder: str, path: str) -> str:
    """Within the folder a path goes along when the folder moves."""
    return Path(path).relative_to(folder).as_posix() if Path(path).is_relative_to(folder) else path


def _name(folder: str, path: str) -> str:
    return hashlib.sha256(_relative(folder, path).encode("utf-8", "replace")).hexdigest()[:32] + ".json"

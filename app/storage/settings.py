"""What a person changed (settings), what the app remembers (state), and the model files it knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.core.errors import StorageError
from app.core.text import clean
from app.storage.chats import now_ms
from app.storage.database import Database


class SettingsStore:
    """Changed values by scope ("app", "model:<id>") and key. A default is never kept: callers clear instead."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, dict[str, Any]]:
        """Every changed value: scope -> key -> value. One that is damaged is left out and a notice tells so."""
        found: dict[str, dict[str, Any]] = {}
        for scope, key, text in self._database.rows("SELECT scope, key, value FROM setting"):
            try:
                found.setdefault(scope, {})[key] = json.loads(text)
            except ValueError:
                self._database.tell(f"The setting “{key}” was damaged; its default is used.")
        return found

    def values(self, scope: str) -> dict[str, Any]:
        """The changed values of one scope by key."""
        return self.all().get(scope, {})

    def set(self, scope: str, key: str, value: Any) -> None:
        """Keep one changed value: None, a bool, number, text, or a sequence of texts."""
        self._database.run(
            "INSERT OR REPLACE INTO setting (scope, key, value) VALUES (?, ?, ?)",
            clean(scope),
            clean(key),
            _json(value),
        )

    def clear(self, scope: str, key: str) -> None:
        """Forget one, so that its default holds again."""
        self._database.run("DELETE FROM setting WHERE scope = ? AND key = ?", clean(scope), clean(key))

    def clear_all(self, scope: str) -> None:
        """Forget all of a scope."""
        self._database.run("DELETE FROM setting WHERE scope = ?", clean(scope))


class StateStore:
    """What the app remembers by itself, such as the chat that was open last. Never a setting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """The value kept under a key; the default where there is none or it is damaged."""
        found = self._database.row("SELECT value FROM state WHERE key = ?", clean(key))
        try:
            return json.loads(found[0]) if found else default
        except ValueError:
            return default

    def set(self, key: str, value: Any) -> None:
        """Keep anything that JSON can hold."""
        self._database.run("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", clean(key), _json(value))


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model file opened from disk; `path` is its id."""

    path: str
    name: str
    added_ms: int = 0
    last_used_ms: int = 0


class ModelStore:
    """The model files that were opened from disk."""

    def __init__(self, database: Database, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    def all(self) -> list[KnownModel]:
        """The known files, the one used last first."""
        found = self._database.rows("SELECT path, name, added_ms, last_used_ms FROM model ORDER BY used DESC, id DESC")
        return [KnownModel(*row) for row in found]

    def add(self, path: str, name: str) -> None:
        """Know a file from now on, and count this as use of it.

        Raises:
            StorageError: the path holds bytes that are no text.
        """
        if clean(path) != path:
            raise StorageError(
                "This file's name cannot be read", f"{clean(path)} is not valid text.", "Rename it, then open it again."
            )
        now = self._clock()
        self._database.run(
            "INSERT INTO model (path, name, added_ms, last_used_ms, used)"
            " VALUES (?1, ?2, ?3, ?3, (SELECT coalesce(max(used), 0) + 1 FROM model)) ON CONFLICT (path) DO UPDATE SET"
            " name = excluded.name, last_used_ms = excluded.last_used_ms, used = excluded.used",
            path,
            clean(name),
            now,
        )

    def used(self, path: str) -> None:
        """The file was used now; does nothing for one that is not known."""
        self._database.run(
            "UPDATE model SET last_used_ms = ?, used = (SELECT max(used) + 1 FROM model) WHERE path = ?",
            self._clock(),
            clean(path),
        )

    def remove(self, path: str) -> None:
        """Forget a file; the file itself stays."""
        self._database.run("DELETE FROM model WHERE path = ?", clean(path))


def _json(value: Any) -> str:
    return clean(json.dumps(value, ensure_ascii=False))

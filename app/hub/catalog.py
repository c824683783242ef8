"""The models Orcinus knows by name (resources/catalog.toml) and what each asks for of its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One known model. `file` is set where the model comes with the app; `sampling` holds values by setting key."""

    id: str
    name: str
    note: str = ""
    file: Path | None = None
    match: tuple[str, ...] = ()
    system_prompt: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)


class Catalog:
    """Every known model, in the order of the file."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._by_id = {entry.id: entry for entry in entries}

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with this id, if there is one."""
        return self._by_id.get(entry_id)

    def recognise(self, *names: str) -> Entry | None:
        """The entry that one of these names (a file's name, its general.name) belongs to."""
        for name in names:
            plain = _plain(name)
            for entry in self.entries:
                if any(part in plain for part in entry.match):
                    return entry
        return None


def _plain(name: str) -> str:
    return re.sub(r"[-_.\s]+", " ", name).strip().lower()


def read_catalog(resources: Path) -> Catalog:
    """Read resources/catalog.toml; `file` is relative to the resources folder."""
    with (resources / "catalog.toml").open("rb") as file:
        tables = tomllib.load(file)["model"]
    return Catalog(
        tuple(
            Entry(
                id=table["id"],
                name=table["name"],
                note=table.get("note", ""),
                file=resources / table["file"] if "file" in table else None,
                match=tuple(_plain(part) for part in table.get("match", ())),
                system_prompt=table.get("system_prompt", ""),
                sampling=table.get("sampling", {}),
            )
            for table in tables
        )
    )

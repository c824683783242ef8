"""The models Orcinus knows by name (resources/catalog.toml), what they are, and what each asks for of its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.core.known import Entry, Score


class Catalog:
    """Every known model, in the order of the file."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._by_id = {entry.id: entry for entry in entries}
        self._by_repo = {entry.repo.casefold(): entry for entry in entries if entry.repo}

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with this id, if there is one."""
        return self._by_id.get(entry_id)

    def of_repo(self, repo_id: str) -> Entry | None:
        """The entry whose GGUF files are in this repository, if there is one."""
        return self._by_repo.get(repo_id.casefold())

    def offered(self) -> tuple[Entry, ...]:
        """Those that can be downloaded, the first of them first."""
        return tuple(entry for entry in self.entries if entry.repo)

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
    return Catalog(tuple(_entry(table, resources) for table in tables))


def _entry(table: Mapping[str, Any], resources: Path) -> Entry:
    """One entry; a key that Entry does not know is a mistake in the file, and raises TypeError."""
    values = dict(table)
    scores = values.pop("scores", {})
    if "file" in values:
        values["file"] = resources / values["file"]
    for text in ("blurb", "citation"):
        values[text] = values.get(text, "").strip()
    values["match"] = tuple(_plain(part) for part in values.get("match", ()))
    values["authors"] = tuple(values.get("authors", ()))
    return Entry(
        **values,
        scores=tuple(Score(**row) for row in scores.get("rows", ())),
        scores_source=scores.get("source", ""),
        scores_url=scores.get("url", ""),
    )

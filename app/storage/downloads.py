"""The queue of downloads, so that it is there again after any end of the program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.library import Download, DownloadState, RemoteFile, Trouble, Wanted
from app.core.text import clean
from app.storage.database import Database


@dataclass(frozen=True, slots=True)
class SavedDownload:
    """A row of the queue and the models folder that it goes to."""

    download: Download
    folder: str


class DownloadStore:
    """Downloads that are not done. Progress is not kept: the part files tell it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SavedDownload]:
        """Every download, in the order of the queue. One that is damaged is left out and a notice tells so."""
        found = []
        for row in self._database.rows(
            "SELECT id, position, state, folder, wanted, trouble FROM download ORDER BY position, id"
        ):
            try:
                found.append(_saved(*row))
            except (ValueError, TypeError, KeyError, RecursionError):
                self._database.tell("A download in the queue was damaged. Start it again: what has come is still used.")
        return found

    def save(self, download: Download, folder: str) -> None:
        """Keep a download as it is now.

        Raises:
            StorageError: it cannot be written.
        """
        self._database.run(
            "INSERT INTO download (id, position, state, folder, wanted, trouble) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET position = excluded.position, state = excluded.state,"
            " folder = excluded.folder, wanted = excluded.wanted, trouble = excluded.trouble",
            download.id,
            download.position,
            str(download.state),
            clean(folder),
            _json(dataclasses.asdict(download.wanted)),
            _json(dataclasses.asdict(download.trouble) if download.trouble else {}),
        )

    def place(self, positions: Mapping[int, int]) -> None:
        """Put downloads (by id) at these positions."""
        with self._database.transaction():
            for download_id, position in positions.items():
                self._database.run("UPDATE download SET position = ? WHERE id = ?", position, download_id)

    def remove(self, download_id: int) -> None:
        """Take a download out of the queue."""
        self._database.run("DELETE FROM download WHERE id = ?", download_id)


def _saved(download_id: int, position: int, state: str, folder: str, wanted: str, trouble: str) -> SavedDownload:
    told = json.loads(trouble)
    return SavedDownload(
        Download(
            download_id,
            _wanted(json.loads(wanted)),
            DownloadState(state),
            position,
            Trouble(**{key: str(value) for key, value in told.items()}) if told else None,
        ),
        folder,
    )


def _wanted(table: Any) -> Wanted:
    files = tuple(RemoteFile(str(f["path"]), _size(f["size_bytes"]), str(f["sha256"])) for f in table["files"])
    if not files:
        raise ValueError("nothing to download")
    # what a later version added has its default
    texts = {f.name: str(table[f.name]) for f in dataclasses.fields(Wanted) if f.name in table and f.name != "files"}
    return Wanted(files=files, **texts)


def _size(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("no size")
    return value


def _json(value: object) -> str:
    return clean(json.dumps(value, ensure_ascii=False))

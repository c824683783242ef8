"""Copies of the database, the newest few, each proved readable before it counts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw

from app.core.errors import StorageError
from app.storage.database import connect
from app.storage.trouble import told

KEPT = 3
INTERVAL_S = 7 * 24 * 3600
# damaged, or of a version that keeps its chats otherwise
_UNUSABLE = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError)


class Backups:
    """A folder of copies, named so that the newest sorts last whatever the clock says."""

    def __init__(self, folder: Path, *, vfs: str = "") -> None:
        self._folder = folder
        self._vfs = vfs

    def all(self) -> list[Path]:
        """The copies, oldest first."""
        return sorted(self._folder.glob("orcinus-[0-9]*.db"))

    def is_due(self) -> bool:
        """Whether the newest copy is a week old, or from the future, or there is none."""
        copies = self.all()
        return not copies or not 0 <= time.time() - copies[-1].stat().st_mtime < INTERVAL_S

    def make(self, source: apsw.Connection) -> Path:
        """Copy the whole database, prove the copy good, and drop the oldest copies beyond three.

        Raises:
            StorageError: no good copy could be made; the older ones are still there.
        """
        with told():
            self._folder.mkdir(parents=True, exist_ok=True)
            target = self._folder / f"orcinus-{self._next_number():06}.db"
            unproved = target.with_suffix(".unproved")
            remove_database(unproved)
            try:
                self._copy(source, unproved)
                sync_file(unproved)
                os.replace(unproved, target)
            finally:
                remove_database(unproved)
            sync_folder(self._folder)
            for old in self.all()[:-KEPT]:
                old.unlink(missing_ok=True)
        return target

    def forget_chats(self, chat_ids: Sequence[int]) -> bool:
        """Take deleted chats out of every copy; whether a copy in which that failed was thrown away."""
        return self._forget(lambda connection: forget_rows(connection, chat_ids))

    def forget_prompts(self, prompt_ids: Sequence[int]) -> bool:
        """Take deleted prompts out of every copy; whether a copy in which that failed was thrown away."""
        return self._forget(lambda connection: forget_prompt_rows(connection, prompt_ids))

    def forget_run(self, run_id: int) -> bool:
        """Take a deleted experiment out of every copy; whether a copy in which that failed was thrown away."""
        return self._forget(lambda connection: forget_run_rows(connection, run_id))

    def forget_comparison(self) -> bool:
        """Take what was said side by side out of every copy; whether a copy in which that failed was thrown away."""
        return self._forget(forget_comparison_rows)

    def _forget(self, forget: Callable[[apsw.Connection], None]) -> bool:
        dropped = False
        for copy in self.all():
            with told():
                try:
                    self._forget_in(copy, forget)
                except _UNUSABLE:
                    remove_database(copy)
                    dropped = True
        return dropped

    def _forget_in(self, copy: Path, forget: Callable[[apsw.Connection], None]) -> None:
        connection = connect(copy, vfs=self._vfs)
        try:
            forget(connection)
        finally:
            connection.close()

    def _next_number(self) -> int:
        return max((int(copy.stem.split("-")[1]) for copy in self.all()), default=0) + 1

    def _copy(self, source: apsw.Connection, target: Path) -> None:
        destination = connect(target, vfs=self._vfs)
        try:
            backup = destination.backup("main", source, "main")
            try:
                while not backup.done:
                    backup.step()
            finally:
                backup.close(True)
            destination.pragma("journal_mode", "delete")
            if not is_sound(destination):
                raise StorageError(
                    "The backup of the chats is not readable",
                    "A copy was made, but it does not read as it was written.",
                    "Check the disk. The chats themselves are untouched.",
                )
        finally:
            destination.close()


def is_sound(connection: apsw.Connection) -> bool:
    """Whether every page of a database reads as it should."""
    return bool(connection.pragma("quick_check") == "ok")


def forget_rows(connection: apsw.Connection, chat_ids: Sequence[int]) -> None:
    """Delete chats with all that belongs to them, so that no trace of their words stays in the file."""
    with connection:
        connection.executemany("DELETE FROM chat WHERE id = ?", [(chat_id,) for chat_id in chat_ids])
        connection.execute(
            "DELETE FROM wording WHERE id NOT IN (SELECT prompt_id FROM answer WHERE prompt_id IS NOT NULL"
            " UNION SELECT setup_id FROM answer WHERE setup_id IS NOT NULL)"
        )
        # the index only marks words as deleted; merging it into one leaves them out
        connection.execute("INSERT INTO message_words (message_words) VALUES ('optimize')")
        connection.execute("INSERT INTO title_words (title_words) VALUES ('optimize')")


def forget_prompt_rows(connection: apsw.Connection, prompt_ids: Sequence[int]) -> None:
    """Delete prompts with all their versions, so that no trace of their words stays in the file."""
    # a copy from before there were prompts holds none
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'prompt'").get is not None:
        with connection:
            connection.executemany("DELETE FROM prompt WHERE id = ?", [(prompt_id,) for prompt_id in prompt_ids])


def forget_run_rows(connection: apsw.Connection, run_id: int) -> None:
    """Delete an experiment with all its answers and votes."""
    # a copy from before there were experiments holds none
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'run'").get is not None:
        with connection:
            connection.execute("DELETE FROM run WHERE id = ?", (run_id,))


def forget_comparison_rows(connection: apsw.Connection) -> None:
    """Delete what was said side by side."""
    # a copy from before it was kept holds none
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'column_answer'").get is not None:
        with connection:
            connection.execute("DELETE FROM column_answer")


def remove_database(path: Path) -> None:
    """Remove a database file with what SQLite puts beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Wait until new and changed names in a folder are on the disk; Windows does that by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

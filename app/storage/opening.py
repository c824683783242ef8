"""Opens the database whatever state it is in: new, older, newer, damaged or half mended."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from app.core.errors import NewerDataError
from app.storage.backups import Backups, remove_database, sync_file, sync_folder
from app.storage.database import Database, Row, connect, not_ours, prepare_to_write
from app.storage.migrations import APPLICATION_ID, NEWEST, STEPS, migrate
from app.storage.search_index import QUICK_BYTES, mend_index
from app.storage.trouble import told

if TYPE_CHECKING:
    from app.storage.salvage import Salvaged

_PLAUSIBLE_VERSIONS = 10_000
"""A higher version than this is damage, not a program from the future."""
_SMALLEST_BYTES = 512
_BESIDE = ("-wal", "-journal", "-shm")
# texts of the index's own tables belong to SQLite and may differ between its versions
_SCHEMA = (
    "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    " AND name NOT LIKE '%\\_words\\_%' ESCAPE '\\' ORDER BY name"
)


class _DamagedError(Exception):
    """The file is not a sound database of ours."""


def open_database(path: Path | None, *, backups: Backups | None = None, vfs: str = "") -> Database:
    """Open or make the database; None keeps it in memory.

    A damaged file is set aside, never deleted, and what can be read of it and of the newest good copy is brought back;
    notices say so. An older one is copied, then migrated.

    Raises:
        NewerDataError: a newer version of the app wrote it; the file is left as it is.
        StorageError: it cannot be opened or written to.
    """
    with told():
        if path is None:
            connection = connect(None)
            prepare_to_write(connection, None)
            migrate(connection, 0)
            return Database(connection, None)
        path.parent.mkdir(parents=True, exist_ok=True)
        _finish_mending(path)
        try:
            return Database(_opened(path, backups, vfs), path)
        except (_DamagedError, apsw.CorruptError, apsw.NotADBError):
            notice = _mend(path, backups, vfs)
        database = Database(_opened(path, backups, vfs), path)
    database.tell(notice)
    return database


def open_to_read(path: Path) -> Database:
    """Open beside a window that may be writing; nothing is changed or mended. An older one is migrated in memory.

    Raises:
        NewerDataError: a newer version of the app wrote it.
        StorageError: there is no database that can be read.
    """
    with told():
        if not path.is_file():
            raise not_ours(path)
        connection = connect(path, read_only=True)
        try:
            version = _sound_version(connection, check_all=False)
            if not version:
                raise not_ours(path)
            if version < NEWEST:
                connection = _migrated_in_memory(connection, version)
        except _DamagedError:
            connection.close()
            raise not_ours(path) from None
        except BaseException:
            connection.close()
            raise
        return Database(connection, path)


def _migrated_in_memory(connection: apsw.Connection, version: int) -> apsw.Connection:
    """A copy with the newest schema; the file was not opened by this version of the app yet."""
    copy = connect(None)
    with copy.backup("main", connection, "main") as backup:
        backup.step()
    connection.close()
    # the window may have brought the file a step further since its version was looked at
    migrate(copy, max(version, copy.pragma("user_version")))
    return copy


def _opened(path: Path, backups: Backups | None, vfs: str) -> apsw.Connection:
    # a missing file was taken away on purpose, an empty one was not
    if backups is not None and path.exists() and path.stat().st_size < _SMALLEST_BYTES and backups.all():
        raise _DamagedError
    connection = connect(path, vfs=vfs)
    try:
        version = _sound_version(connection)
        prepare_to_write(connection, path)
        if version and path.stat().st_size <= QUICK_BYTES:
            mend_index(connection)
        if 0 < version < NEWEST and backups is not None:
            backups.make(connection)
        migrate(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _sound_version(connection: apsw.Connection, *, check_all: bool = True) -> int:
    """The version of the schema, 0 for a file with nothing in it yet.

    Raises:
        _DamagedError: what is in there is not whole, or not ours.
    """
    version = connection.pragma("user_version")
    if not version and connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
        return 0
    if connection.pragma("application_id") != APPLICATION_ID or not 0 < version < _PLAUSIBLE_VERSIONS:
        raise _DamagedError
    if version > NEWEST:
        raise NewerDataError(
            "These chats are from a newer version",
            f"{connection.filename} was written by a newer version of this app. It is left as it is.",
            "Update the app to open them.",
        )
    try:
        if connection.execute(_SCHEMA).fetchall() != _schema_of(version):
            raise _DamagedError
        if check_all:
            for (name,) in connection.execute(_TABLES).fetchall():
                if connection.execute(f'PRAGMA integrity_check("{name}")').fetchall() != [("ok",)]:
                    raise _DamagedError
    except (apsw.SQLError, UnicodeDecodeError) as error:  # the schema itself does not read
        raise _DamagedError from error
    return int(version)


# the whole file's check would read the search index too, which takes far longer and can be rebuilt at any time
_TABLES = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name <> 'sqlite_schema'"


def _schema_of(version: int) -> list[Row]:
    connection = apsw.Connection(":memory:")
    try:
        for step in STEPS[:version]:
            step(connection)
        return connection.execute(_SCHEMA).fetchall()
    finally:
        connection.close()


def _mend(path: Path, backups: Backups | None, vfs: str) -> str:
    """Set the damaged file aside and put one in its place with what can be brought back; says so in a sentence.

    Stopped at any point, the next start goes on: the new file gets its name only when it is whole, and the old one is
    moved only then.
    """
    from app.storage.salvage import salvage

    mending, mended = _mending(path), _mended(path)
    remove_database(mending)
    remove_database(mended)
    connection = connect(mending, vfs=vfs)
    try:
        connection.pragma("synchronous", "extra")
        migrate(connection, 0)
        brought = salvage(path, connection, copies=backups.all()[::-1] if backups is not None else [])
    finally:
        connection.close()
    sync_file(mending)
    os.replace(mending, mended)
    sync_folder(path.parent)
    aside = _finish_mending(path, set_aside=True)
    return _notice(brought, aside)


def _finish_mending(path: Path, *, set_aside: bool = False) -> Path | None:
    """Set the damaged file aside and put the mended one in its place, or go on with that after a cut."""
    mended = _mended(path)
    if not mended.exists():
        return None
    if path.exists() and not set_aside:
        remove_database(mended)  # the damaged file was not moved yet: all of it is looked at again
        return None
    aside = _free_name(path)
    for suffix in ("", *_BESIDE):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            os.replace(beside, aside.with_name(aside.name + suffix))
    sync_folder(path.parent)
    os.replace(mended, path)
    sync_folder(path.parent)
    return aside


def _mending(path: Path) -> Path:
    return path.with_name(f"{path.stem}.mending")


def _mended(path: Path) -> Path:
    return path.with_name(f"{path.stem}.mended")


def _free_name(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{stamp}-{number}{path.suffix}")).exists():
        number += 1
    return aside


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def _notice(brought: Salvaged, aside: Path | None) -> str:
    where = f" The damaged file is kept as {aside.name}." if aside is not None else ""
    what = (
        f"{_count(brought.messages, 'message')} in {_count(brought.chats, 'chat')} came back"
        if brought.chats
        else "No chats could be read in it"
    )
    copy = ", some of them from an earlier copy" if brought.from_copy else ""
    prompts = f" {_count(brought.prompts, 'prompt')} of your own came back." if brought.prompts else ""
    return f"The file with your chats was damaged. {what}{copy}.{prompts}{where}"

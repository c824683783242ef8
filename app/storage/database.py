"""One connection to the database, and the ways it is read and written; used from one thread."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from app.core.errors import StorageError
from app.storage.trouble import told

Row = tuple[Any, ...]

# before it, two connections that write and checkpoint at once can damage the file: https://sqlite.org/wal.html
_WAL_IS_SAFE_SINCE = (3, 51, 3)
_JOURNAL_LIMIT_BYTES = 16 * 1024 * 1024
_BUSY_MS = 5000
_REMOTE_DRIVE = 4  # DRIVE_REMOTE of GetDriveTypeW
_REMOTE_KINDS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "davfs", "fuse.davfs2"})


class Database:
    """The open database. Everything that goes wrong comes out as a StorageError; nothing is half written.

    A write is on the disk for good when the call, or the outermost `transaction()` around it, has returned.
    """

    def __init__(self, connection: apsw.Connection, path: Path | None) -> None:
        self._connection = connection
        self._notices: list[str] = []
        self.path = path

    @property
    def connection(self) -> apsw.Connection:
        """The bare connection, for copying and checking."""
        return self._connection

    def rows(self, sql: str, *bindings: Any) -> list[Row]:
        """All rows that a statement yields."""
        with told():
            try:
                return self._connection.execute(sql, bindings).fetchall()
            except UnicodeDecodeError:
                mended = self._mend_texts()
            self.tell(f"{mended} damaged texts were found. What can be read of them is kept.")
            return self._connection.execute(sql, bindings).fetchall()

    def row(self, sql: str, *bindings: Any) -> Row | None:
        """The first row that a statement yields, if any."""
        found = self.rows(sql, *bindings)
        return found[0] if found else None

    def stream(self, sql: str, *bindings: Any) -> Generator[Row, None, None]:
        """Rows one at a time, for a reader that may stop early."""
        with told():
            yield from self._connection.execute(sql, bindings)

    def run(self, sql: str, *bindings: Any) -> int:
        """Do one statement; how many rows it changed."""
        with told():
            self._connection.execute(sql, bindings).fetchall()
            return int(self._connection.changes())

    def insert(self, sql: str, *bindings: Any) -> int:
        """Do one INSERT; the id of the new row."""
        with told():
            self._connection.execute(sql, bindings).fetchall()
            return int(self._connection.last_insert_rowid())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside come to stay together or not at all. One inside another belongs to the outer one."""
        if self._is_in_transaction():
            yield
            return
        with told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                # some errors have rolled back already, and a failed COMMIT leaves the transaction open
                if self._is_in_transaction():
                    self._connection.execute("ROLLBACK")

    def empty_journal(self) -> None:
        """Bring everything into the main file and cut the write-ahead log to nothing."""
        with told():
            if self._connection.pragma("journal_mode") == "wal":
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def tell(self, notice: str) -> None:
        """Keep a sentence for the window."""
        if notice not in self._notices:
            self._notices.append(notice)

    def take_notices(self) -> tuple[str, ...]:
        """Sentences for the window that have gathered since the last call."""
        taken, self._notices = tuple(self._notices), []
        return taken

    def close(self) -> None:
        """Close for good; any number of times."""
        with told():
            self._connection.close()

    def _is_in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def _mend_texts(self) -> int:
        """Make every text readable again where bytes went bad under it; how many there were."""
        mended = 0
        with self.transaction():
            for table, column in self.rows(
                "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c"
                " WHERE t.schema = 'main' AND t.type = 'table' AND t.strict AND c.type = 'TEXT'"
            ):
                bad = [
                    (rowid, raw.decode(errors="replace"))
                    for rowid, raw in self.stream(f'SELECT rowid, CAST("{column}" AS BLOB) FROM "{table}"')
                    if raw is not None and not _is_text(raw)
                ]
                for rowid, text in bad:
                    # a key may clash with a readable one; then that one stands
                    self.run(f'UPDATE OR REPLACE "{table}" SET "{column}" = ? WHERE rowid = ?', text, rowid)
                mended += len(bad)
        return mended


def connect(path: Path | None, *, vfs: str = "", read_only: bool = False) -> apsw.Connection:
    """Open the file without reading it yet, or memory for None.

    Args:
        path: the file; made when it is missing, unless `read_only`.
        vfs: a file system registered with apsw, for tests. Such a one has no shared memory, so the file is locked.
        read_only: for a second reader beside the window.
    """
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path) if path else ":memory:", flags=flags, vfs=vfs or None)
    connection.set_busy_timeout(_BUSY_MS)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    # until the file is known to be ours and of a version we know, closing must leave it as it is
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    if vfs:
        connection.pragma("locking_mode", "exclusive")
    for name, value in {
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "temp_store": "memory",
        "mmap_size": 0,
        "secure_delete": 1,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
    }.items():
        connection.pragma(name, value)
    return connection


def prepare_to_write(connection: apsw.Connection, path: Path | None) -> None:
    """Choose how the file keeps what was saved: a write-ahead log, or a rollback journal where that is not safe."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    if path is None:
        return
    safe = apsw.sqlite_lib_version() and _version() >= _WAL_IS_SAFE_SINCE and not on_network_drive(path)
    if safe and connection.pragma("journal_mode", "wal") == "wal":
        connection.pragma("synchronous", "full")
        connection.pragma("journal_size_limit", _JOURNAL_LIMIT_BYTES)
    else:
        connection.pragma("journal_mode", "delete")
        connection.pragma("synchronous", "extra")


def on_network_drive(path: Path) -> bool:
    """Whether the file lies on another computer, as far as this system tells."""
    if sys.platform == "win32":
        import ctypes  # only Windows needs it here

        return bool(ctypes.windll.kernel32.GetDriveTypeW(path.absolute().anchor) == _REMOTE_DRIVE)
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return remote_in(mounts, path)


def remote_in(mounts: list[str], path: Path) -> bool:
    """Whether `path` lies on a network file system by these lines: device, folder, kind and more, as in fstab."""
    best, kind = -1, ""
    for line in mounts:
        fields = line.split()
        if len(fields) < 3:
            continue
        folder = fields[1].replace("\\040", " ")
        if path.absolute().is_relative_to(folder) and len(folder) >= best:
            best, kind = len(folder), fields[2]
    return kind in _REMOTE_KINDS


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def not_ours(path: Path) -> StorageError:
    """There is no database to read."""
    return StorageError("There are no chats yet", f"{path} cannot be read as a database.", "Start the app once.")

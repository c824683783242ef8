"""Turns what SQLite and the file system complain about into words for people."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from app.core.errors import DiskFullError, StorageError

_DISK_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# SQLError, ConstraintError, MisuseError and RangeError are missing on purpose: those are mistakes of ours
_FORESEEN = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
    apsw.CantOpenError,
    apsw.AuthError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.FormatError,
    apsw.NoMemError,
    apsw.TooBigError,
)


@contextmanager
def told() -> Iterator[None]:
    """Run a step on the database or a file of ours.

    Raises:
        StorageError: it could not be done, DiskFullError for want of room; anything that is a mistake of ours comes
            out as it is.
    """
    try:
        yield
    except _FORESEEN as error:
        raise _of_sqlite(error) from error
    except OSError as error:
        raise _of_system(error) from error


def _of_sqlite(error: Exception) -> StorageError:
    if isinstance(error, apsw.FullError):
        return disk_full()
    if isinstance(error, apsw.ReadOnlyError | apsw.PermissionsError | apsw.CantOpenError | apsw.AuthError):
        return _not_allowed("Its file cannot be opened or written to.")
    if isinstance(error, apsw.BusyError | apsw.LockedError | apsw.ProtocolError):
        return StorageError(
            "The chats are in use",
            "Another program holds their file.",
            "Close other windows of this app, or wait until a backup program is done, then try again.",
        )
    if isinstance(error, apsw.CorruptError | apsw.NotADBError | apsw.FormatError):
        return StorageError(
            "The file with the chats is damaged",
            "A part of it does not read as it was written.",
            "Start the app again: it sets the damaged file aside and brings back what can be read.",
        )
    if isinstance(error, apsw.TooBigError | apsw.NoMemError):
        return StorageError("This is too large to be kept", "There is no room for it in memory.", "Use a shorter text.")
    return StorageError(
        "The disk does not work as it should",
        f"Saving failed: {error}.",
        "Nothing saved before is lost. Check the disk or its connection, then try again.",
    )


def _of_system(error: OSError) -> StorageError:
    if error.errno in _DISK_FULL:
        return disk_full()
    reason = error.strerror or str(error)
    if error.errno in _NOT_ALLOWED:
        return _not_allowed(f"{reason}: {error.filename}." if error.filename else f"{reason}.")
    return StorageError(
        "A file cannot be read or written",
        f"{reason}: {error.filename}." if error.filename else f"{reason}.",
        "Check that its folder exists and can be written to.",
    )


def disk_full() -> DiskFullError:
    """The disk has no room left."""
    return DiskFullError(
        "The disk is full",
        "The last change could not be saved; everything saved before is safe.",
        "Free some room on the disk, then try again.",
    )


def _not_allowed(detail: str) -> StorageError:
    return StorageError(
        "Chats cannot be saved here",
        detail,
        "Check the permissions of the folder, or set ORCINUS_HOME to one that can be written to.",
    )

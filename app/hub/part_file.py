"""What is held of a file that is being downloaded, so that neither a pause nor a kill loses any of it.

`<sha256>.part` is the file from its first byte on; bytes that came ahead of it lie in `<sha256>.<offset>.ahead` until
the part has grown up to them. Files only grow, so their lengths are the whole truth: there is no journal that could
disagree. `<sha256>.ready` is a whole and verified file that waits for the other parts of its model.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from app.core.errors import DownloadBusyError, StorageError
from app.hub.download_folder import kept

_TAKEN = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}
_SEND_OUT_BYTES = 8 * 2**20
STEP_BYTES = 512 * 1024
"""What is hashed or moved at once: some milliseconds, so that a pause is never late."""


class FileLock:
    """Held by one download in one process; the system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Raises DownloadBusyError where somebody else has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(file)
            except OSError as error:
                if error.errno not in _TAKEN:  # a share that knows no locks: better unlocked than not at all
                    self._file = file
                    return
                os.close(file)
                raise DownloadBusyError(
                    "This model is already being downloaded",
                    "Another window or program of Orcinus is fetching the same file.",
                    "Wait for it, or stop it there.",
                ) from error
            if _is_still(file, self._path):
                self._file = file
                return
            os.close(file)  # whoever had it removed the file after we opened it

    def drop(self) -> None:
        """Let go; the lock's file disappears."""
        if self._file is None:
            return
        if sys.platform == "win32":  # removes no open file; and none that somebody else has opened since
            os.close(self._file)
        with contextlib.suppress(OSError):
            self._path.unlink()
        if sys.platform != "win32":
            os.close(self._file)
        self._file = None


def lock_of(folder: Path, sha256: str) -> FileLock:
    """The lock of everything that is held of a file."""
    return FileLock(folder / f"{sha256}.lock")


class Part:
    """One unfinished file, for whoever has its lock. Every method raises AppErrors for trouble with the disk.

    length: so many bytes from the first one on are held without a gap. hashed: the SHA-256 is known up to here.
    """

    def __init__(self, folder: Path, sha256: str, size: int) -> None:
        self._folder = folder
        self._sha256 = sha256
        self.size = size
        self._file: int | None = None
        self._ahead: dict[int, int] = {}
        """Where a piece ahead begins -> where it ends."""
        self._ahead_files: dict[int, int] = {}
        self._hash = hashlib.sha256()
        self.length = 0
        self.hashed = 0
        self._sent_out = 0

    @property
    def path(self) -> Path:
        """The growing file."""
        return self._folder / f"{self._sha256}.part"

    @property
    def ready_path(self) -> Path:
        """Where the file waits once it is whole and verified."""
        return self._folder / f"{self._sha256}.ready"

    def __enter__(self) -> Part:
        with kept():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._take_stock()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files; what is held stays."""
        for file in self._ahead_files.values():
            os.close(file)
        self._ahead_files.clear()
        if self._file is None:
            return
        os.close(self._file)
        self._file = None
        if self.length == 0:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def held(self) -> list[tuple[int, int]]:
        """(start, end) of everything that is on disk."""
        return [(0, self.length), *self._ahead.items()]

    @property
    def held_bytes(self) -> int:
        """How much is on disk, every byte counted once."""
        return self.length + sum(max(0, end - max(start, self.length)) for start, end in self._ahead.items())

    @property
    def is_whole(self) -> bool:
        """Whether the part has every byte, in order."""
        return self.length == self.size

    @property
    def has_steps(self) -> bool:
        """Whether `step` may have something to do."""
        return bool(self._ahead) or self.hashed < self.length

    def write(self, at: int, data: bytes) -> None:
        """Keep bytes that belong at `at`. What is held already is left out."""
        with kept():
            if at < self.length:
                data, at = data[self.length - at :], self.length
            if at == self.length:
                self._append(data)
                return
            start = next((start for start, end in self._ahead.items() if end == at), at)
            file = self._ahead_files.get(start)
            if file is None:
                file = self._ahead_files[start] = _open(self._ahead_path(start))
            _write_all(file, data)
            self._ahead[start] = at + len(data)

    def step(self) -> bool:
        """Do a little of what is due: move bytes from ahead into the part, hash. False when nothing is."""
        with kept():
            due = [start for start in self._ahead if start <= self.length]
            if due:
                self._move_from(due[0])
                return True
            if self.hashed < self.length and self._file is not None:
                data = _read_at(self.path, self.hashed, min(STEP_BYTES, self.length - self.hashed))
                self._hash.update(data)
                self.hashed += len(data)
                return True
        return False

    def is_right(self) -> bool:
        """Whether the content is the one that was listed; asked once everything is held and hashed."""
        return self.hashed == self.size and self._hash.hexdigest() == self._sha256

    def drop_ahead(self) -> None:
        """Forget the pieces ahead."""
        with kept():
            for start in tuple(self._ahead):
                self._forget(start)

    def restart(self) -> None:
        """Forget everything."""
        self.drop_ahead()
        with kept():
            if self._file is not None:
                os.close(self._file)
                self._file = None
            self.path.unlink(missing_ok=True)
            self._file = _open(self.path)
        self._hash = hashlib.sha256()
        self.length = self.hashed = self._sent_out = 0

    def finish(self) -> None:
        """Make the whole, verified part safe from a power cut and call it ready."""
        with kept():
            assert self._file is not None
            os.fsync(self._file)
            os.close(self._file)
            self._file = None
            os.replace(self.path, self.ready_path)

    def _take_stock(self) -> None:
        if self.path.exists() and self.path.stat().st_size > self.size:
            self.path.unlink()
        self._file = _open(self.path)
        self.length = self._sent_out = os.fstat(self._file).st_size
        for start, path in _pieces(self._folder, self._sha256):
            end = start + path.stat().st_size
            if end > self.size or end <= self.length:
                path.unlink()
            else:
                self._ahead[start] = end

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        _write_all(self._file, data)
        if self.hashed == self.length:
            self._hash.update(data)
            self.hashed += len(data)
        self.length += len(data)
        if self.length - self._sent_out >= _SEND_OUT_BYTES:
            _send_out(self._file, self._sent_out, self.length - self._sent_out)
            self._sent_out = self.length

    def _move_from(self, start: int) -> None:
        end = self._ahead[start]
        if end > self.length:
            path = self._ahead_path(start)
            self._append(_read_at(path, self.length - start, min(STEP_BYTES, end - self.length)))
        if end <= self.length:
            self._forget(start)

    def _forget(self, start: int) -> None:
        file = self._ahead_files.pop(start, None)
        if file is not None:
            os.close(file)
        del self._ahead[start]
        self._ahead_path(start).unlink(missing_ok=True)

    def _ahead_path(self, start: int) -> Path:
        return self._folder / f"{self._sha256}.{start}.ahead"


def held_bytes(folder: Path, sha256: str, size: int) -> int:
    """How much of a file is on disk, without touching it."""
    with contextlib.suppress(OSError):
        if (folder / f"{sha256}.ready").is_file():
            return size
    spans = []
    with contextlib.suppress(OSError):
        spans.append((0, (folder / f"{sha256}.part").stat().st_size))
    with contextlib.suppress(OSError):
        spans += [(start, start + path.stat().st_size) for start, path in _pieces(folder, sha256)]
    total = at = 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, at))
        at = max(at, end)
    return min(total, size)


def drop_unfinished(folder: Path, sha256: str) -> None:
    """Remove the part and the pieces ahead of it, not what is ready. For whoever has the lock."""
    with kept():
        (folder / f"{sha256}.part").unlink(missing_ok=True)
        for _, path in _pieces(folder, sha256):
            path.unlink(missing_ok=True)


def discard(folder: Path, sha256: str) -> None:
    """Remove everything that is held of a file. Raises DownloadBusyError while it is being downloaded."""
    if not folder.is_dir():
        return
    with kept():
        lock = lock_of(folder, sha256)
        lock.take()
        try:
            drop_unfinished(folder, sha256)
            (folder / f"{sha256}.ready").unlink(missing_ok=True)
        finally:
            lock.drop()
        with contextlib.suppress(OSError):  # not empty: other downloads
            folder.rmdir()


def _pieces(folder: Path, sha256: str) -> Iterator[tuple[int, Path]]:
    for path in sorted(folder.glob(f"{sha256}.*.ahead")):
        found = re.fullmatch(r"[0-9a-f]{64}\.(\d{1,15})\.ahead", path.name)
        if found:
            yield int(found[1]), path


def _open(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags, 0o644)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _read_at(path: Path, at: int, length: int) -> bytes:
    with open(path, "rb", buffering=0) as file:
        file.seek(at)
        data = file.read(length)
    if not data:
        raise StorageError(
            "The unfinished download was changed",
            "Another program cut off the file while it was being filled.",
            "Try again; what is left of it is kept.",
        )
    return data


def _is_still(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


if sys.platform == "linux":
    _sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if _sync_file_range is not None:
        _sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]

    def _send_out(file: int, start: int, length: int) -> None:
        """Let the system begin to write to the disk now and not wait: the fsync at the end is then soon over."""
        if _sync_file_range is not None:
            _sync_file_range(file, start, length, 2)  # SYNC_FILE_RANGE_WRITE; a refusal does no harm
else:

    def _send_out(file: int, start: int, length: int) -> None:
        """Nothing to do: there is no such call."""


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

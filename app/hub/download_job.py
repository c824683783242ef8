"""All files of one quant: what is here already, what is fetched, and how it gets to its place once it is right."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import AppError, DownloadError, MismatchError, StorageError
from app.core.library import DownloadState, RemoteFile, Wanted
from app.hub import part_file
from app.hub.download_file import FileDownload, Patience
from app.hub.download_folder import PARTIAL, check_folder, check_room, destination, kept
from app.hub.download_source import Source
from app.hub.part_file import STEP_BYTES, Part, lock_of
from app.hub.reuse import candidates, known_places, link
from app.hub.session import Hub

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx

log = logging.getLogger(__name__)

_REPLACE_TRIES = 20
_REPLACE_WAIT_S = 0.1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(eq=False, slots=True)
class _Item:
    """One file on its way: where it shall be, how much of it is on disk, and whether it is whole and verified."""

    file: RemoteFile
    final: Path
    have: int
    whole: bool = False


class Job:
    """One run of a download; the properties tell how it goes while `run` does.

    places: where else to look for the files; None means the folders of other programs on this computer.
    """

    def __init__(
        self,
        hub: Hub,
        wanted: Wanted,
        models_dir: Path,
        *,
        connections: int,
        places: tuple[Path, ...] | None,
        patience: Patience,
    ) -> None:
        self._hub = hub
        self._wanted = wanted
        self._models_dir = models_dir
        self._connections = connections
        self._places = places
        self._patience = patience
        self._partial = models_dir / PARTIAL
        self._items: list[_Item] = []
        self._hashed: int | None = None
        """Of a file that lies somewhere already; None while none is being looked at."""
        self._part: Part | None = None
        self._fetching: FileDownload | None = None

    @property
    def state(self) -> DownloadState:
        """RUNNING, WAITING or VERIFYING."""
        if self._hashed is not None or (self._part is not None and self._part.held_bytes == self._part.size):
            return DownloadState.VERIFYING
        return DownloadState.RUNNING if self.trouble is None else DownloadState.WAITING

    @property
    def have_bytes(self) -> int:
        """Of all files together; while VERIFYING, so many are hashed."""
        if self._hashed is not None:
            return sum(item.have for item in self._items if item.whole) + self._hashed
        others = sum(item.have for item in self._items if item.whole or self._part is None)
        if self._part is None:
            return others
        return others + (self._part.hashed if self.state is DownloadState.VERIFYING else self._part.held_bytes)

    @property
    def trouble(self) -> AppError | None:
        """Why it waits."""
        return self._fetching.trouble if self._fetching else None

    @property
    def retry_in_s(self) -> float:
        """When it tries again."""
        return self._fetching.retry_in_s if self._fetching else 0.0

    def nudge(self) -> None:
        """Try again now."""
        if self._fetching:
            self._fetching.nudge()

    async def run(self) -> str:
        """Do everything; returns the path of the first file."""
        _check_listing(self._wanted.files)
        finals = [destination(self._models_dir, self._wanted.repo_id, file.path) for file in self._wanted.files]
        check_folder(self._models_dir, max(file.size_bytes for file in self._wanted.files))
        with self._locked():
            for file, final in zip(self._wanted.files, finals, strict=True):
                held = part_file.held_bytes(self._partial, file.sha256, file.size_bytes)
                self._items.append(_Item(file, final, held))
            for item in self._items:
                item.whole = self._is_ready(item) or await self._is_right(item.final, item.file)
                item.have = item.file.size_bytes if item.whole else item.have
            elsewhere = await self._reuse()
            if elsewhere is None:
                await self._fetch_missing()
                for item in reversed(self._items):  # the first last: it is what a model is opened by
                    await self._promote(item)
        return str(finals[0] if elsewhere is None else elsewhere)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other programs, and other downloads of ours, off these files."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._tidy)
            for sha256 in sorted({file.sha256 for file in self._wanted.files}):
                lock = lock_of(self._partial, sha256)
                with kept():
                    lock.take()
                stack.callback(lock.drop)
            yield

    def _tidy(self) -> None:
        with contextlib.suppress(OSError):  # not empty: there is something to go on with
            self._partial.rmdir()

    def _ready(self, item: _Item) -> Path:
        return self._partial / f"{item.file.sha256}.ready"

    def _is_ready(self, item: _Item) -> bool:
        try:
            return self._ready(item).stat().st_size == item.file.size_bytes
        except OSError:
            return False

    async def _is_right(self, path: Path, file: RemoteFile) -> bool:
        """Whether this file has the wanted content; hashes it if its size is right."""
        digest = hashlib.sha256()
        self._hashed = 0
        try:
            if not path.is_file() or path.stat().st_size != file.size_bytes:
                return False
            with open(path, "rb", buffering=0) as opened:
                while data := opened.read(STEP_BYTES):
                    digest.update(data)
                    self._hashed += len(data)
                    await asyncio.sleep(0)
        except OSError:
            return False  # another program's file, or one of ours that cannot be read: it is fetched anew
        finally:
            self._hashed = None
        return digest.hexdigest() == file.sha256

    async def _reuse(self) -> Path | None:
        """Link what lies on this computer already. Returns the first file's path if the files are used in place."""
        places = (self._models_dir, *(known_places() if self._places is None else self._places))
        found: list[Path] = []
        for item in self._items:
            if item.whole or item.have >= item.file.size_bytes:
                continue
            for path in candidates(item.file, places):
                if path != item.final and await self._is_right(path, item.file):
                    found.append(path)
                    item.whole = link(path, self._ready(item))
                    break
            if item.whole:
                item.have = item.file.size_bytes
        if len(found) == len(self._items) and not any(item.whole for item in self._items):
            return found[0] if _can_stay(found, self._wanted.files) else None
        return None

    async def _fetch_missing(self) -> None:
        missing = [item for item in self._items if not item.whole]
        check_room(self._models_dir, sum(item.file.size_bytes - item.have for item in missing))
        if not missing:
            return
        async with self._hub.client() as client:
            for item in missing:
                await self._fetch(client, item)
                item.have, item.whole = item.file.size_bytes, True

    async def _fetch(self, client: httpx.AsyncClient, item: _Item) -> None:
        source = Source(self._hub, client, self._wanted, item.file)
        with Part(self._partial, item.file.sha256, item.file.size_bytes) as part:
            self._part = part
            try:
                for _ in range(2):
                    self._fetching = FileDownload(source, part, self._connections, self._patience)
                    await self._fetching.fetch()
                    if part.is_right():
                        part.finish()
                        return
                    log.warning("The bytes of %s were not the listed ones; starting over", item.file.path)
                    part.restart()
            finally:
                self._part = self._fetching = None
        raise MismatchError(
            "The file came damaged twice",
            f"What the Hub sent for {item.file.path} is not what it lists, so it was thrown away.",
            "Try again later, or on another network: a proxy or virus scanner can be the cause.",
        )

    async def _promote(self, item: _Item) -> None:
        """Move a verified file to its place. A file of another content there gives way only now."""
        part_file.drop_unfinished(self._partial, item.file.sha256)
        ready = self._ready(item)
        if not self._is_ready(item):
            return
        with kept():
            item.final.parent.mkdir(parents=True, exist_ok=True)
            for attempt in range(_REPLACE_TRIES):
                try:
                    os.replace(ready, item.final)
                    break
                except PermissionError:  # Windows: a virus scanner looks at it, or a loaded model lies there
                    if attempt == _REPLACE_TRIES - 1:
                        raise _in_use(item.final) from None
                await asyncio.sleep(_REPLACE_WAIT_S)
            _make_durable(item.final.parent)


def _check_listing(files: tuple[RemoteFile, ...]) -> None:
    """Raises DownloadError for a list of files that no Hub would have written."""
    names = {file.path.casefold() for file in files}
    contents = {file.sha256 for file in files}
    plausible = all(_SHA256.fullmatch(file.sha256) and file.size_bytes > 0 for file in files)
    if files and plausible and len(names) == len(contents) == len(files):
        return
    raise DownloadError(
        "This model cannot be downloaded",
        "The Hub's list of its files is not usable: sizes or checksums are missing, or names come twice.",
        "Look at the repository again, or choose another one.",
    )


def _can_stay(found: list[Path], files: tuple[RemoteFile, ...]) -> bool:
    """Whether files can be loaded from where they are: by llama.cpp's rule, parts lie together under their names."""
    if len(files) == 1:
        return found[0].suffix.lower() == ".gguf"
    together = {path.parent for path in found}
    names = all(path.name == Path(file.path).name for path, file in zip(found, files, strict=True))
    return len(together) == 1 and names


def _in_use(path: Path) -> StorageError:
    return StorageError(
        "The model's place is in use",
        f"{path} is held open by a program, so the new file cannot be put there.",
        "Unload the model, or close the other program, and try again: the download itself is complete.",
    )


def _make_durable(folder: Path) -> None:
    """Let the new name survive a power cut, where the system has a way for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Disks for tests: one that loses power at any moment, and one that fails at any write."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

SECTOR_BYTES = 512


class Disk(apsw.VFS):
    """A file system that tells each change before the real one makes it; leaving the block takes it away again."""

    def __init__(self, name: str, change: Callable[..., None]) -> None:
        self.disk_name = name
        self.change = change
        super().__init__(name, "")

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *_: object) -> None:
        self.unregister()

    def xOpen(self, name: Any, flags: list[int]) -> DiskFile:
        return DiskFile(name, flags, self.change)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        self.change("delete", Path(name).name)
        super().xDelete(name, sync_folder)


class DiskFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], change: Callable[..., None]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.name = Path(path).name if path else ""
        self.change = change
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self.change("write", self.name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self.change("truncate", self.name, size)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        self.change("sync", self.name)
        super().xSync(flags)


class PowerCuts:
    """A log of everything a disk was told and of what was promised, and what a power cut at a point may leave.

    What was synced is there. Of the rest, each write may be there, missing, cut short or torn between sectors,
    whatever the order they came in.
    """

    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []

    def record(self, *change: Any) -> None:
        self.log.append(change)

    def promise(self, key: Any, value: Any) -> None:
        """From this point on, `key` has to read `value` after any cut."""
        self.log.append(("promise", key, value))

    def cuts(self, points: list[int], rng: random.Random) -> Iterator[tuple[dict[str, bytes], dict[Any, Any]]]:
        """For each point in rising order: the files as they may be then, and what was promised until then."""
        synced: dict[str, bytearray] = {}
        loose: dict[str, list[tuple[Any, ...]]] = {}
        promised: dict[Any, Any] = {}
        done = 0
        for point in points:
            for kind, key, *more in self.log[done:point]:
                if kind == "promise":
                    promised[key] = more[0]
                elif kind == "delete":
                    synced.pop(key, None)
                    loose.pop(key, None)
                elif kind == "sync":
                    content = synced.setdefault(key, bytearray())
                    for change in loose.pop(key, []):
                        _apply(content, change)
                else:
                    loose.setdefault(key, []).append((kind, *more))
            done = point
            files = {name: bytes(content) for name, content in synced.items()}
            for name, changes in loose.items():
                files[name] = _left_over(synced.get(name, bytearray()), changes, rng)
            yield files, dict(promised)


def _left_over(synced: bytearray, changes: list[tuple[Any, ...]], rng: random.Random) -> bytes:
    content = bytearray(synced)
    kept = [_damaged(change, rng) for change in changes if rng.random() < 0.6]
    if rng.random() < 0.5:
        rng.shuffle(kept)
    for change in kept:
        _apply(content, change)
    return bytes(content)


def _damaged(change: tuple[Any, ...], rng: random.Random) -> tuple[Any, ...]:
    if change[0] != "write" or rng.random() < 0.5:
        return change
    _, offset, data = change
    if rng.random() < 0.5:
        return "write", offset, data[: rng.randrange(len(data) + 1)]
    sectors = [data[at : at + SECTOR_BYTES] for at in range(0, len(data), SECTOR_BYTES)]
    first = rng.randrange(len(sectors))
    last = rng.randrange(first, len(sectors)) + 1
    return "write", offset + first * SECTOR_BYTES, b"".join(sectors[first:last])


def _apply(content: bytearray, change: tuple[Any, ...]) -> None:
    if change[0] == "truncate":
        del content[change[1] :]
        return
    _, offset, data = change
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class Failing:
    """Lets `good` changes of the disk through and fails from then on, or that one time only."""

    def __init__(self, good: int, error: type[apsw.Error], *, lasting: bool) -> None:
        self.left = good
        self.error = error
        self.lasting = lasting
        self.failed = False

    def change(self, kind: str, *_: Any) -> None:
        if self.error is apsw.FullError and kind != "write":
            return
        self.left -= 1
        if self.left < 0 and (self.lasting or not self.failed):
            self.failed = True
            raise self.error("this disk was told to fail")

"""What was read of chats, kept on disk, so that an old chat answers at once after a restart.

A cache: bounded, never needed for correctness, and trusted only when everything fits. llama.cpp accepts damaged states
without a word, so the bytes are held against a SHA-256 of our own before it sees them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

DEFAULT_LIMIT_BYTES = 4_000_000_000
_MAGIC = b"ORCNKV1\n"
_LENGTH = struct.Struct("<I")
_NAME = re.compile(r"(\d+)\.kv")
_MAX_HEAD = 16 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state that fits: the ids that are in it, how many first ones were never moved, and its bytes, proven right."""

    tokens: tuple[int, ...]
    state: bytes
    exact: int


class Snapshots:
    """The snapshots of one model in one way of loading, a file for each conversation. Never raises for a bad disk."""

    def __init__(self, folder: Path, identity: str, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        """`identity` tells a state apart from all that would not fit: model, context, types, library.

        `limit_bytes` bounds the folder, whichever model the snapshots in it are of; 0 keeps none.
        """
        self._folder = folder
        self._identity = identity
        self._limit = limit_bytes

    def save(
        self,
        conversation: int,
        tokens: Sequence[int],
        state: bytes | memoryview,
        exact: int | None = None,
        used_ns: int | None = None,
    ) -> bool:
        """Keep a conversation's state in place of the one before; whether it was kept. Written whole or not at all.

        `exact` is how many of the first ids were read after just those before them; all where it is left out.
        `used_ns` is when the conversation was used, now where it is left out: none that was used later makes room.
        """
        size = len(state)
        if size > self._limit or conversation <= 0:
            return False
        head = json.dumps(
            {
                "identity": self._identity,
                "sha256": hashlib.sha256(state).hexdigest(),
                "size": size,
                "tokens": list(tokens),
                "exact": len(tokens) if exact is None else exact,
            }
        ).encode()
        path, new = self._path(conversation), self._path(conversation).with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._make_room(size + len(head), path, used_ns):
                return False
            with open(new, "wb", opener=_for_this_person_alone) as file:
                for part in (_MAGIC, _LENGTH.pack(len(head)), hashlib.sha256(head).digest(), head, state):
                    file.write(part)
            if used_ns is not None:
                os.utime(new, ns=(used_ns, used_ns))
            os.replace(new, path)
        except OSError as error:
            log.warning("What was read of a chat could not be kept: %s", error)
            with contextlib.suppress(OSError):
                new.unlink()
            return False
        return True

    def held(self, conversation: int) -> tuple[tuple[int, ...], int]:
        """The ids that a conversation's snapshot holds, if it is one of this model, and how many of them are exact."""
        try:
            with open(self._path(conversation), "rb") as file:
                head = self._head(file)
        except OSError:
            return (), 0
        return (tuple(head["tokens"]), _exact(head)) if head is not None else ((), 0)

    def load(self, conversation: int) -> Snapshot | None:
        """A conversation's state, proven right; one that is not is deleted."""
        path = self._path(conversation)
        try:
            with open(path, "rb") as file:
                head = self._head(file)
                if head is None:
                    return None
                state = file.read(int(head["size"]) + 1)
            if len(state) == head["size"] and hashlib.sha256(state).hexdigest() == head["sha256"]:
                os.utime(path)  # used last
                return Snapshot(tuple(head["tokens"]), state, _exact(head))
            log.warning("What was kept of chat %s is damaged and was deleted", conversation)
            path.unlink()
        except OSError as error:
            log.warning("What was kept of a chat cannot be read: %s", error)
        return None

    def forget(self, conversation: int) -> None:
        """Delete what was kept of a conversation, of whichever model."""
        forget(self._folder, conversation)

    def _path(self, conversation: int) -> Path:
        return self._folder / f"{conversation}.kv"

    def _head(self, file: Any) -> dict[str, Any] | None:
        """What a file says of itself; None where it is damaged or of another model."""
        try:
            if file.read(len(_MAGIC)) != _MAGIC:
                return None
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            digest = file.read(32)
            raw = file.read(min(length, _MAX_HEAD))
            if hashlib.sha256(raw).digest() != digest:
                return None
            head = json.loads(raw)
        except (ValueError, struct.error):
            return None
        return head if head["identity"] == self._identity else None

    def _make_room(self, size: int, besides: Path, used_ns: int | None) -> bool:
        """Delete what was used longest ago until so many bytes more stay within the limit.

        False, with nothing deleted, where something would have to go that was used later than `used_ns`.
        """
        kept = sorted((found for found in _files(self._folder) if found[2] != besides), reverse=True)
        room, doomed = self._limit - size, []
        for found in kept:
            room -= found[1]
            if room < 0:
                doomed.append(found)
        if used_ns is not None and any(used > used_ns for used, _size, _path in doomed):
            return False
        for _used, _size, path in doomed:
            with contextlib.suppress(OSError):
                path.unlink()
        return True


def _exact(head: dict[str, Any]) -> int:
    """How many first ids are exact; all of them in a file from before they could be moved."""
    return int(head.get("exact", len(head["tokens"])))


def forget(folder: Path, conversation: int) -> None:
    """Delete what was kept of a conversation: it is gone with its chat."""
    with contextlib.suppress(OSError):
        (folder / f"{conversation}.kv").unlink()


def forget_all_but(folder: Path, conversations: Sequence[int], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
    """Delete what belongs to no chat any more, what was left half written, and what is over the limit."""
    known = set(conversations)
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            named = _NAME.fullmatch(path.name)
            if named is None or int(named[1]) not in known:
                path.unlink()
    total = 0
    for _used, size, path in sorted(_files(folder), reverse=True):
        total += size
        if total > limit_bytes:
            with contextlib.suppress(OSError):
                path.unlink()


def size_of(folder: Path) -> int:
    """Bytes that all snapshots take."""
    return sum(size for _used, size, _path in _files(folder))


def _files(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """When each was used last (ns), its size in bytes, and where it is."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            with contextlib.suppress(OSError):
                found = path.stat()
                yield found.st_mtime_ns, found.st_size, path


def _for_this_person_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

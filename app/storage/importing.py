"""Brings a model's files into the models folder by link, copy or move, and reads them through for their SHA-256."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from app.core.errors import ModelFileError, NoRoomError, StorageError
from app.core.split_names import file_names
from app.core.stopping import StopFlag
from app.storage.backups import sync_folder
from app.storage.model_folder import free_bytes, is_inside
from app.storage.trouble import told

How = Literal["link", "copy", "move", "use"]

PARTIAL = ".partial"
"""What is not whole yet lies there, inside the models folder."""
_BUFFER_BYTES = 1 << 20
_TOLD_BYTES = 16 << 20
_FORGOTTEN_S = 24 * 3600
"""A copy that nobody has written to for so long is not being made any more."""


class Stopped(Exception):  # noqa: N818  (stopping is not an error)
    """The person stopped it; nothing is left of it."""


Progress = Generator[tuple[int, int], None, str]
"""Yields bytes done and to do; returns the path of the first file."""


def bring_in(path: str, folder: str, how: How, stop: StopFlag) -> Progress:
    """Put a model's files into `folder`/local/<name>/ unless they lie in the models folder already.

    Raises:
        StorageError: it cannot be done; NoRoomError for want of room. What was there before is untouched.
        Stopped: `stop` was set.
    """
    if how == "use" or is_inside(path, folder):
        return path
    parts = file_names(path)
    if missing := [part for part in parts if not os.path.isfile(part)]:
        raise ModelFileError(
            "A part of this model is missing", f"{missing[0]} is not there.", "Put it beside the first."
        )
    target = _place(Path(folder, "local"), Path(path))
    if (target / Path(path).name).exists():
        return str(target / Path(path).name)
    made: list[Path] = []
    try:
        with told():
            target.mkdir(parents=True, exist_ok=True)
            yield from _bring(parts, target, Path(folder, PARTIAL), how, stop, made)
            sync_folder(target)
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        for empty in (target, target.parent):
            with suppress(OSError):
                empty.rmdir()
        raise
    finally:
        with suppress(OSError):  # not empty: unfinished downloads
            Path(folder, PARTIAL).rmdir()
    if how == "move":
        with told():
            for part in parts:
                Path(part).unlink(missing_ok=True)
    return str(target / Path(path).name)


def _bring(
    parts: tuple[str, ...], target: Path, partial: Path, how: How, stop: StopFlag, made: list[Path]
) -> Generator[tuple[int, int], None, None]:
    whole = sum(os.path.getsize(part) for part in parts)
    linked = how in ("link", "move")
    done = 0
    for part in parts:
        new = target / Path(part).name
        # a moved file is a second name for the same bytes until all of them are there
        if linked and _hard_link(part, new):
            made.append(new)
        elif how == "link":
            _soft_link(part, new)
            made.append(new)
        else:
            if not done:
                _check_room(partial.parent, whole)
            partial.mkdir(parents=True, exist_ok=True)
            for copied in _copy(part, new, partial / f"{uuid.uuid4().hex}.import", stop):
                yield done + copied, whole
            made.append(new)
        done += os.path.getsize(part)
        yield done, whole
        if stop.is_set() and done < whole:
            raise Stopped


def _check_room(folder: Path, needed_bytes: int) -> None:
    room = free_bytes(str(folder))
    if room is not None and needed_bytes > room:
        raise NoRoomError(
            "There is not enough room on the disk",
            f"{needed_bytes / 1e9:.1f} GB are needed, {room / 1e9:.1f} GB are free in {folder}.",
            "Free some room, choose another models folder, or use the file where it is.",
        )


def _hard_link(part: str, new: Path) -> bool:
    """A second name for the same bytes; whether that can be had: not from disk to disk, and not on FAT."""
    try:
        os.link(os.path.realpath(part), new)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        return False
    return True


def _soft_link(part: str, new: Path) -> None:
    try:
        new.symlink_to(os.path.abspath(part))
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno == errno.EEXIST:
            raise
        raise StorageError(
            "This file cannot be linked",
            "It lies on another disk, and this system makes no links from disk to disk.",
            "Copy or move it instead, or use it where it is.",
        ) from error


def _copy(part: str, new: Path, unready: Path, stop: StopFlag) -> Generator[int, None, None]:
    copied = 0
    try:
        with open(part, "rb") as source, unready.open("xb") as target:
            while chunk := source.read(_BUFFER_BYTES):
                target.write(chunk)
                copied += len(chunk)
                if stop.is_set():
                    raise Stopped
                if copied % _TOLD_BYTES == 0:
                    yield copied
            target.flush()
            os.fsync(target.fileno())
        with suppress(OSError):
            shutil.copystat(part, unready)
        os.replace(unready, new)
    finally:
        unready.unlink(missing_ok=True)


def sum_up(path: str, stop: StopFlag) -> tuple[str, ...]:
    """The SHA-256 of each of a model's files, all read in one go; raises as `sums`."""
    reading = sums(path, stop)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            return tuple(end.value)


def sums(path: str, stop: StopFlag) -> Generator[tuple[int, int], None, tuple[str, ...]]:
    """Read all of a model's files: yields bytes done and to do, returns the SHA-256 of each.

    Raises:
        StorageError: one cannot be read.
        Stopped: `stop` was set.
    """
    found: list[str] = []
    with told():
        parts = file_names(path)
        whole = sum(os.path.getsize(part) for part in parts)
        done = 0
        for part in parts:
            hashed = hashlib.sha256()
            with open(part, "rb", buffering=0) as file:
                while chunk := file.read(_BUFFER_BYTES):
                    hashed.update(chunk)
                    done += len(chunk)
                    if stop.is_set():
                        raise Stopped
                    if done % _TOLD_BYTES < _BUFFER_BYTES:
                        yield done, whole
            found.append(hashed.hexdigest())
        yield done, whole
    return tuple(found)


def _place(local: Path, path: Path) -> Path:
    """A folder for this model: one in which nothing lies yet, or in which this very file lies already."""
    split = re.fullmatch(r"(.*)-\d{5}-of-\d{5}", path.stem)
    stem = (split[1] if split else path.stem).strip(" .") or "model"
    number = 1
    while True:
        place = local / (stem if number == 1 else f"{stem} {number}")
        here = place / path.name
        if not place.is_dir() or not any(place.iterdir()) or (here.exists() and here.samefile(path)):
            return place
        number += 1


def sweep(folder: str) -> None:
    """Remove copies that a killed program left half done; the files they were made from are whole."""
    with suppress(OSError):
        for left in Path(folder, PARTIAL).glob("*.import"):
            if time.time() - left.stat().st_mtime > _FORGOTTEN_S:
                left.unlink(missing_ok=True)

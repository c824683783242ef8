"""Model files on disk: finds those in a folder, tells their size and age, and takes them away."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.core.split_names import file_names, part_of
from app.core.stopping import StopFlag
from app.storage.trouble import told

_NOT_A_MODEL = re.compile(r"mmproj|imatrix", re.IGNORECASE)
_DEEPEST = 8
_LET_GO_S = 2.0
"""Windows holds on to a file for a moment after a model was unloaded or a virus scanner looked at it."""


def models_in(folder: str, stop: StopFlag | None = None) -> Iterator[str]:
    """The first file of every model in a folder and below, whoever put it there; hidden folders are passed over."""
    seen: set[tuple[int, int]] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        if stop is not None and stop.is_set():  # somebody may have chosen a whole disk
            return
        depth = len(Path(here).relative_to(folder).parts)
        with suppress(OSError):
            place = os.stat(here)
            if (place.st_dev, place.st_ino) in seen:  # a link back up
                folders.clear()
                continue
            seen.add((place.st_dev, place.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _DEEPEST else []
        for name in sorted(files):
            if _is_first_of_a_model(name):
                yield os.path.join(here, name)


def _is_first_of_a_model(name: str) -> bool:
    if not name.lower().endswith(".gguf") or name.startswith(".") or _NOT_A_MODEL.search(name):
        return False
    part = part_of(name)
    return part is None or part.number == 1


def look(path: str) -> tuple[int, int] | None:
    """Size of a model's files together and the newest one's time in ns; None where one is missing."""
    size_bytes = mtime_ns = 0
    try:
        for part in file_names(path):
            found = os.stat(part)
            size_bytes += found.st_size
            mtime_ns = max(mtime_ns, found.st_mtime_ns)
    except (OSError, ValueError):
        return None
    return size_bytes, mtime_ns


def is_inside(path: str, folder: str) -> bool:
    """Whether a file lies in a folder, so that it is ours to delete; one behind a link to another folder does not."""
    if not folder or Path(path) == Path(folder) or not Path(path).is_relative_to(folder):
        return False
    try:
        return Path(path).parent.resolve().is_relative_to(Path(folder).resolve())
    except (OSError, RuntimeError):  # links that go round
        return False


def freed_by_removing(path: str) -> int:
    """So many bytes more are free once a model's files are gone: a file that has another name elsewhere frees none."""
    freed = 0
    for part in file_names(path):
        with suppress(OSError, ValueError):
            found = os.lstat(part)
            freed += found.st_size if found.st_nlink == 1 and not os.path.islink(part) else 0
    return freed


def delete(path: str, folder: str) -> None:
    """Delete a model's files, and the folders in the models folder that become empty with it.

    Raises:
        StorageError: one cannot be deleted.
    """
    with told():
        for part in file_names(path):
            _unlink(part)
        above = Path(path).parent
        while is_inside(str(above), folder):
            try:
                above.rmdir()
            except OSError:  # something else lies in it
                break
            above = above.parent


def _unlink(path: str) -> None:
    until = time.monotonic() + _LET_GO_S
    while True:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def free_bytes(folder: str) -> int | None:
    """Room left where a folder is or will be; None where that cannot be told."""
    place = Path(folder)
    while not place.exists() and place.parent != place:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None

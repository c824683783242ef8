"""The files of a model that is split over several: have they changed?"""

from __future__ import annotations

from pathlib import Path

from app.core.split_names import file_names


def stamps(path: str) -> str:
    """Size and time (ns) of a model's file, or of each of its parts up to the first that is missing.

    Raises:
        OSError, ValueError: there is no file at this path.
    """
    first = Path(path)
    found = [_stamp(first)]
    for name in file_names(first.name)[1:]:
        try:
            found.append(_stamp(first.with_name(name)))
        except OSError:
            break
    return " ".join(found)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"

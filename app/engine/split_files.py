"""The files of a model that is split over several, named as llama.cpp's own tool names them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_NAME = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)


class Part(NamedTuple):
    """What a file's name says: of which part of how many it is, and what all their names begin with."""

    start: str
    number: int
    n_parts: int


def part_of(name: str) -> Part | None:
    """What a file's name says; None where it is not that of a part."""
    found = _NAME.fullmatch(name)
    return Part(found[1], int(found[2]), int(found[3])) if found else None


def parts(path: Path, named: Part) -> list[Path]:
    """Where all the parts of a model should lie, in order."""
    return [
        path.with_name(f"{named.start}-{part:05}-of-{named.n_parts:05}.gguf") for part in range(1, named.n_parts + 1)
    ]


def stamps(path: str) -> str:
    """Size and time (ns) of a model's file, or of each of its parts up to the first that is missing.

    Raises:
        OSError, ValueError: there is no file at this path.
    """
    named = part_of(Path(path).name)
    found = [_stamp(Path(path))]
    for part in parts(Path(path), named)[1:] if named is not None and named.number == 1 else ():
        try:
            found.append(_stamp(part))
        except OSError:
            break
    return " ".join(found)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"

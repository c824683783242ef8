"""The names of a model that is split over several files, as llama.cpp's own tool and the Hub give them."""

from __future__ import annotations

import re
from typing import NamedTuple

# The same pattern as the Hub's own: https://github.com/huggingface/huggingface.js/tree/main/packages/gguf
_NAME = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE | re.DOTALL)
_MOST_PARTS = 9999


class Part(NamedTuple):
    """What a file's name says: of which part of how many it is, and what all their names begin and end with."""

    start: str
    number: int
    n_parts: int
    ending: str

    def names(self) -> tuple[str, ...]:
        """The names of all parts, in order; none where there cannot be so many."""
        n_parts = self.n_parts if self.n_parts <= _MOST_PARTS else 0
        return tuple(f"{self.start}-{part:05}-of-{self.n_parts:05}{self.ending}" for part in range(1, n_parts + 1))


def part_of(name: str) -> Part | None:
    """What a file's name, or its path, says; None where it is not that of a part."""
    found = _NAME.fullmatch(name)
    return Part(found[1], int(found[2]), int(found[3]), found[4]) if found else None


def file_names(name: str) -> tuple[str, ...]:
    """The names, or paths, of all files of the model whose first file this is, in order; mostly it is the only one."""
    part = part_of(name)
    return (part.names() if part is not None and part.number == 1 else ()) or (name,)

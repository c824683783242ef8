"""LoRA adapters: small files that change what a model says, each taken with a weight."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_WEIGHT = 2.0
"""Above this a model says nothing sensible any more."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter's file, and how much of it is added: 0 is nothing, 1 is as its authors meant it."""

    path: str
    weight: float = 1.0

    def __str__(self) -> str:
        """The line that `adapter_of` reads."""
        return f"{self.weight:g} {self.path}"


def adapter_of(line: str) -> Adapter:
    """The adapter that a line stands for: "0.8 /path/to/adapter.gguf", or the path alone for a weight of 1.

    Raises:
        ValueError: there is no path in it, or the weight is not from 0 to 2.
    """
    first, _, rest = line.strip().partition(" ")
    try:
        weight, path = float(first), rest.strip()
    except ValueError:
        weight, path = 1.0, line.strip()
    if not path or not 0 <= weight <= MOST_WEIGHT:
        raise ValueError(line)
    return Adapter(path, weight)


def paths_of(lines: Iterable[str]) -> tuple[str, ...]:
    """The files of adapters, given the lines that stand for them."""
    return tuple(adapter_of(line).path for line in lines)

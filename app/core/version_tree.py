"""How the versions of a prompt are drawn as a tree: the newest at the top, what led to the current one at the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.prompts import PromptVersion, ancestry


@dataclass(frozen=True, slots=True)
class Place:
    """A version in the drawing. Rows count from 0 at the top, lanes from 0 at the left.

    `number` is how people count, 1 for the first. `parent_row` is that of the version it was made from, -1 where there
    is none, or where a part of the history was lost.
    """

    version: PromptVersion
    number: int
    lane: int
    parent_row: int


def version_tree(versions: Sequence[PromptVersion], current: str) -> tuple[Place, ...]:
    """Places for versions given in the order they came.

    Lane 0 belongs to the current version and what it was made from. Each other line has a lane of its own from its
    newest version down to where it leaves another; lanes are used again where they are free.
    """
    rows = {version.hash: len(versions) - 1 - at for at, version in enumerate(versions)}
    lanes = {version.hash: 0 for version in ancestry(versions, current)}
    taken: list[list[tuple[int, int]]] = []
    by_hash = {version.hash: version for version in versions}
    for version in reversed(versions):
        if version.hash not in lanes:
            line, end = _line(version, by_hash, lanes, rows)
            lane = _free_lane(taken, rows[version.hash], end)
            lanes |= dict.fromkeys(line, lane + 1)
    return tuple(
        Place(version, at + 1, lanes[version.hash], _below(rows, version))
        for at, version in reversed(tuple(enumerate(versions)))
    )


def _below(rows: dict[str, int], version: PromptVersion) -> int:
    """The row of the parent, where that stands lower."""
    row = rows.get(version.parent, -1)
    return row if row > rows[version.hash] else -1


def _line(
    newest: PromptVersion, by_hash: dict[str, PromptVersion], placed: dict[str, int], rows: dict[str, int]
) -> tuple[list[str], int]:
    """The versions from here down to where the line leaves one that has its place, and the row of that."""
    line = [newest.hash]
    version = newest
    while (row := _below(rows, version)) >= 0:
        if version.parent in placed:
            return line, row
        version = by_hash[version.parent]
        line.append(version.hash)
    return line, rows[version.hash]


def _free_lane(taken: list[list[tuple[int, int]]], first: int, last: int) -> int:
    for lane, stretches in enumerate(taken):
        if all(last <= start or first >= end for start, end in stretches):
            stretches.append((first, last))
            return lane
    taken.append([(first, last)])
    return len(taken) - 1

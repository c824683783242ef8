"""What the cells of a run's grid can look like, and what filters look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Which(StrEnum):
    """Which cells a filter looks for."""

    ALL = "All"
    FAILED = "Failed"
    RUNNING = "Running"
    QUEUED = "Queued"
    RATED = "Rated"
    CHANGED = "Changed"


class Shape(StrEnum):
    """What a cell is told by, besides its colour."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    """A check failed."""
    PLAIN = "plain"
    """There is an answer, and nothing is looked for in it."""
    ERROR = "error"
    """There is none, and none will come."""


class Change(StrEnum):
    """How a cell stands beside that of an earlier run."""

    NONE = ""
    SAME = "same"
    OTHER = "other"
    BETTER = "better"
    WORSE = "worse"


CHANGE_WORDS: Mapping[Change, str] = {
    Change.SAME: "as in the earlier run",
    Change.OTHER: "another answer than in the earlier run",
    Change.BETTER: "passes now, failed in the earlier run",
    Change.WORSE: "fails now, passed in the earlier run",
}


@dataclass(frozen=True, slots=True)
class CellLook:
    """One cell as it is shown: a shape, a few words behind it, all of it as a sentence, and what has changed."""

    shape: Shape
    words: str
    spoken: str
    change: Change = Change.NONE

"""How tall each row is and where it begins, kept so that a change at the end costs nothing."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Heights:
    """Pixel heights of rows in order. Positions are summed again only from the first changed row on."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._tops = [0]
        self._valid = 0  # tops up to this row are right

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, row: int) -> int:
        return self._heights[row]

    def set(self, row: int, height: int) -> bool:
        """Say how tall a row is; True if that is news."""
        if self._heights[row] == height:
            return False
        self._heights[row] = height
        self._valid = min(self._valid, row)
        return True

    def splice(self, start: int, end: int, heights: Iterable[int]) -> None:
        """Put other rows in the place of start..end."""
        self._heights[start:end] = heights
        self._valid = min(self._valid, start)

    @property
    def total(self) -> int:
        """All rows together."""
        return self.top(len(self._heights))

    def top(self, row: int) -> int:
        """Where `row` begins; for the number of rows, where the last one ends."""
        self._sum()
        return self._tops[row]

    def row_at(self, y: int) -> int:
        """The row at a height, the first or last one outside."""
        self._sum()
        return min(max(0, bisect_right(self._tops, y) - 1), max(0, len(self._heights) - 1))

    def _sum(self) -> None:
        if self._valid < len(self._heights) or len(self._tops) != len(self._heights) + 1:
            del self._tops[self._valid + 1 :]
            self._tops[self._valid :] = accumulate(self._heights[self._valid :], initial=self._tops[self._valid])
            self._valid = len(self._heights)

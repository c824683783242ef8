"""Where the parts of a row lie: what does not fit beside the name goes into the line below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetrics

from app.ui.row_list import Column

SIDE_PX = 16
GAP_PX = 18
ICON_PX = 16
_LEAST_LETTERS = 32
_LEAST_LETTERS_ALONE = 20
_TILE_FROM_PX = 560


_MARGIN_PX = 28
_WIDEST_PX = 1400


def page_margin(width_px: int) -> int:
    """The margin at each side of a page with lists."""
    return max(_MARGIN_PX, (width_px - _WIDEST_PX) // 2)


@dataclass(frozen=True, slots=True)
class RowLayout:
    """The columns that show, by place in the list's columns, with left edge and width; the rest in pixels too.

    `tile_px` is 0 where there is no room for pictures, `button_px` where the list has no buttons.
    """

    width_px: int
    columns: tuple[tuple[int, int, int], ...]
    tile_px: int
    button_px: int

    @classmethod
    def of(
        cls, width_px: int, columns: Sequence[Column], metrics: QFontMetrics, *, tiles: bool, button: str
    ) -> RowLayout:
        """Lay out a list: the columns that matter most stay. `button` is the longest text on a button.

        Names in lists with pictures are longer.
        """
        tile_px = metrics.height() * 2 + 2 if tiles and width_px >= _TILE_FROM_PX else 0
        button_px = metrics.horizontalAdvance(button) + 30 if button else 0
        left = (
            SIDE_PX
            + (tile_px + 12 if tile_px else 0)
            + metrics.averageCharWidth() * (_LEAST_LETTERS if tile_px else _LEAST_LETTERS_ALONE)
        )
        room = width_px - left - SIDE_PX - (button_px + GAP_PX if button_px else 0)
        widths = [metrics.horizontalAdvance(max(column.sample, column.title, key=len)) + 4 for column in columns]
        kept: set[int] = set()
        for place in sorted(range(len(columns)), key=lambda place: -columns[place].keep):
            needed = widths[place] + GAP_PX
            if needed > room:
                break
            room -= needed
            kept.add(place)
        right = width_px - SIDE_PX - (button_px + GAP_PX if button_px else 0)
        placed: list[tuple[int, int, int]] = []
        for place in reversed(range(len(columns))):
            if place in kept:
                placed.insert(0, (place, right - widths[place], widths[place]))
                right -= widths[place] + GAP_PX
        return cls(width_px, tuple(placed), tile_px, button_px)

    @property
    def shown(self) -> frozenset[int]:
        """The places of the columns that have room of their own."""
        return frozenset(place for place, _, _ in self.columns)

    def name_box(self, row: QRect) -> QRect:
        """Where title and note go."""
        left = row.left() + SIDE_PX + (self.tile_px + 12 if self.tile_px else 0)
        end = self.columns[0][1] if self.columns else self.width_px - SIDE_PX - self.button_px
        return QRect(left, row.top(), max(0, row.left() + end - GAP_PX - left), row.height())

    def tile_box(self, row: QRect) -> QRect:
        """Where the picture goes."""
        return QRect(row.left() + SIDE_PX, row.center().y() - self.tile_px // 2, self.tile_px, self.tile_px)

    def cell_box(self, row: QRect, left_px: int, width_px: int) -> QRect:
        """Where a column's cell goes."""
        return QRect(row.left() + left_px, row.top(), width_px, row.height())

    def button_box(self, row: QRect, metrics: QFontMetrics) -> QRect:
        """Where the button goes; empty where the list has none."""
        height = min(row.height() - 8, metrics.height() + 16)
        left = row.left() + self.width_px - SIDE_PX - self.button_px
        return QRect(left, row.center().y() - height // 2, self.button_px, height)

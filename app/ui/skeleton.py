"""The outlines of the window, on screen while what belongs in them is still being loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QWidget

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings
    from PySide6.QtGui import QResizeEvent

# ground, sides, edges, fields, their edges: the theme itself is loaded later, and a test holds the two together
_COLOURS = {
    False: ("#ffffff", "#f6f7f9", "#fafbfc", "#e4e7ec", "#ffffff", "#d3d8e0"),
    True: ("#1a1b1e", "#131416", "#17181b", "#2b2e33", "#212327", "#3a3e45"),
}
LEFT_PX = (210, 268, 420)
"""Least, usual and most width of the left side."""
RIGHT_PX = (318, 326, 520)
LEAST_MIDDLE_PX = 400
_HEADER_PX = 56
_COMPOSER_PX = 84
_HINT_PX = 32
_DARK_BELOW = 110


def kept_width(state: QSettings | None, key: str, widths: tuple[int, int, int]) -> int:
    """The width of a side when the window was last closed; the usual one where none was kept."""
    least, usual, most = widths
    kept = str(state.value(key, "")) if state is not None else ""
    # the file may have been written by hand; and asking Qt for a type costs five milliseconds
    return min(max(int(kept), least), most) if kept.isdecimal() else usual


def kept_shown(state: QSettings | None, key: str) -> bool:
    """Whether a side was wanted when the window was last closed."""
    return state is None or str(state.value(key, "true")).lower() != "false"


def skeleton_colours(state: QSettings | None) -> tuple[str, ...]:
    """The colours when the window was last closed: window, sidebar, panel, border, raised, control.

    At the first start the desktop's palette decides: asking for its colour scheme would cost twenty milliseconds.
    """
    kept = str(state.value("window/dark", "")).lower() if state is not None else ""
    dark = kept == "true" if kept else QGuiApplication.palette().window().color().lightness() < _DARK_BELOW
    return _COLOURS[dark]


class Skeleton(QWidget):
    """Grounds and edges where sides, header and composer will be.

    Frames with a style sheet: the first call of a QPainter makes PySide load all of Qt's enums, thirty milliseconds.
    """

    def __init__(self, state: QSettings | None) -> None:
        super().__init__()
        self._left_px = kept_width(state, "window/sidebar_px", LEFT_PX) if kept_shown(state, "window/sidebar") else 0
        self._right_px = (
            kept_width(state, "window/inspector_px", RIGHT_PX) if kept_shown(state, "window/inspector") else 0
        )
        ground, sidebar, panel, border, raised, control = skeleton_colours(state)
        self._ground = self._frame(f"background: {ground};")
        self._left = self._frame(f"background: {sidebar}; border-right: 1px solid {border};")
        self._right = self._frame(f"background: {panel}; border-left: 1px solid {border};")
        self._header = self._frame(f"border-bottom: 1px solid {border};")
        self._composer = self._frame(f"background: {raised}; border: 1px solid {control}; border-radius: 16px;")

    def _frame(self, style: str) -> QFrame:
        frame = QFrame(self)
        frame.setStyleSheet(style)
        return frame

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the frames as the real parts will stand."""
        super().resizeEvent(event)
        width, height = self.width(), self.height()
        left, right = self._left_px, self._right_px
        if left and right and width < LEAST_MIDDLE_PX + left + right:
            right = 0
        room = width - left - right
        column = min(room - 64, 812)
        self._ground.setGeometry(0, 0, width, height)
        self._left.setGeometry(0, 0, left, height)
        self._right.setGeometry(width - right, 0, right, height)
        self._header.setGeometry(left, 0, room, _HEADER_PX)
        self._composer.setGeometry(left + (room - column) // 2, height - _COMPOSER_PX - _HINT_PX, column, _COMPOSER_PX)

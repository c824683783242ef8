"""The outlines of the window, painted while what belongs in them is still being loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPen

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QWidget

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


def paint_skeleton(window: QWidget, colours: tuple[str, ...], state: QSettings | None) -> None:
    """Paint grounds and edges where sides, header and composer will be."""
    ground, sidebar, panel, border, raised, control = colours
    left = kept_width(state, "window/sidebar_px", LEFT_PX) if kept_shown(state, "window/sidebar") else 0
    right = kept_width(state, "window/inspector_px", RIGHT_PX) if kept_shown(state, "window/inspector") else 0
    width, height = window.width(), window.height()
    if left and right and width < LEAST_MIDDLE_PX + left + right:
        right = 0
    painter = QPainter(window)
    painter.fillRect(window.rect(), QColor(ground))
    painter.fillRect(0, 0, left, height, QColor(sidebar))
    painter.fillRect(width - right, 0, right, height, QColor(panel))
    painter.setPen(QColor(border))
    for x in (left - 1, width - right):
        painter.drawLine(x, 0, x, height)
    painter.drawLine(left, _HEADER_PX - 1, width - right - 1, _HEADER_PX - 1)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(control), 1))
    painter.setBrush(QColor(raised))
    room = width - left - right
    column = min(room - 64, 812)
    box = QRectF(left + (room - column) / 2, height - _COMPOSER_PX - 32, column, _COMPOSER_PX)
    painter.drawRoundedRect(box, 16, 16)
    painter.end()

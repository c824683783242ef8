"""A colour for each prompt of an experiment: always beside its name, never told by colour alone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from app.ui.theme import Theme

# those of the report's plots, in their order
_LIGHT = ("#b0379b", "#0f8073", "#b85c00", "#2f5fe0", "#6b46d6", "#64707d", "#a33a4a", "#4d7a1f")
_DARK = ("#e27fd0", "#4cc4b4", "#f0a055", "#86a8ff", "#ab92ff", "#a3afbd", "#f08a98", "#a2d06a")


def contestant_colour(place: int, theme: Theme) -> QColor:
    """The colour of the prompt at this place of the plan; after eight they begin anew."""
    colours = _DARK if theme.dark else _LIGHT
    return QColor(colours[place % len(colours)])


def paint_mark(painter: QPainter, box: QRectF, place: int, theme: Theme) -> None:
    """Paint the square that stands before a prompt's name."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(contestant_colour(place, theme))
    painter.drawRoundedRect(box, 2.5, 2.5)
    painter.restore()


def mark_pixmap(place: int, theme: Theme, side_px: int = 10, scale: float = 2.0) -> QPixmap:
    """The square as a picture, for labels and menus."""
    made = QPixmap(round(side_px * scale), round(side_px * scale))
    made.fill(Qt.GlobalColor.transparent)
    made.setDevicePixelRatio(scale)
    painter = QPainter(made)
    paint_mark(painter, QRectF(0, 0, side_px, side_px), place, theme)
    painter.end()
    return made

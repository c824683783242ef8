"""A colour for each prompt of an experiment: always beside its name, never told by colour alone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from app.ui.theme import Theme

_LIGHT = ("#3561e8", "#0f8a78", "#b0399c", "#c2620c", "#6d48d8", "#5d6673", "#a8324a", "#4d7c0f")
_DARK = ("#7f9cff", "#2fc4ad", "#e07ad0", "#f0964a", "#a68bff", "#9aa4b2", "#ff8296", "#a3c95a")


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

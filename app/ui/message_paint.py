"""What is painted around the text of a message: marker lines, avatars and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QLinearGradient, QPainter, QPen

from app.ui.icons import icon

if TYPE_CHECKING:
    from app.ui.theme import Theme
    from app.ui.transcript_row import Row

COLUMN_PX = 800
TOP, NAME_HEIGHT, TEXT_LEFT = 12, 27, 44
_MARGIN, _NARROW_MARGIN = 32, 14
_AVATAR = 28
_AVATAR_COLOURS = ("#5b86ff", "#8a5bff")


def column(width: int) -> tuple[int, int]:
    """Left edge and width of the text column in a transcript this wide, in pixels."""
    margin = _MARGIN if width > 560 else _NARROW_MARGIN
    wide = max(80, min(width - 2 * margin, COLUMN_PX))
    return (width - wide) // 2, wide


def paint_marker(painter: QPainter, row: Row, theme: Theme, size: QSize) -> None:
    """A line with words in its middle."""
    left, wide = column(size.width())
    font = _font(theme, theme.small_pt)
    middle = size.height() // 2
    text = QFontMetrics(font).elidedText(row.text, Qt.TextElideMode.ElideRight, wide - 80)
    half = QFontMetrics(font).horizontalAdvance(text) / 2 + 14
    painter.setFont(font)
    painter.setPen(QPen(QColor(theme.control), 1))
    centre = left + wide / 2
    painter.drawLine(QPointF(left, middle + 0.5), QPointF(centre - half, middle + 0.5))
    painter.drawLine(QPointF(centre + half, middle + 0.5), QPointF(left + wide, middle + 0.5))
    painter.setPen(QColor(theme.muted))
    painter.drawText(QRect(left, 0, wide, size.height()), Qt.AlignmentFlag.AlignCenter, text)


def paint_name(painter: QPainter, row: Row, theme: Theme, width: int) -> None:
    """The avatar and the name beside it; three dots while there is nothing to read yet."""
    left = column(width)[0]
    shade = QLinearGradient(left, TOP, left + _AVATAR, TOP + _AVATAR)
    shade.setColorAt(0, QColor(_AVATAR_COLOURS[0]))
    shade.setColorAt(1, QColor(_AVATAR_COLOURS[1]))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade)
    painter.drawEllipse(QRectF(left, TOP, _AVATAR, _AVATAR))
    icon("spark", "#ffffff", 16).paint(painter, QRect(left + 6, TOP + 6, 16, 16))
    font = _font(theme, theme.chrome_pt)
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(QColor(theme.text))
    place = QRect(left + TEXT_LEFT, TOP - 1, column(width)[1] - TEXT_LEFT, 24)
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, row.speaker)
    if row.state == "streaming" and not row.text:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.faint))
        for number in range(3):
            painter.drawEllipse(QPointF(left + TEXT_LEFT + 4 + 11 * number, TOP + NAME_HEIGHT + 12), 3, 3)


def _font(theme: Theme, size_pt: float) -> QFont:
    font = QFont(theme.body_font)
    font.setPointSizeF(size_pt)
    return font

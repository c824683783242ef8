"""A word with a shape before it on a coloured ground: a state at a glance, never told by colour alone."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme

_ICON_PX, _GAP_PX, _SIDE_PX = 14, 5, 9
_LEVELS = {
    "good": ("fit-gpu", "ok", "hover"),
    "accent": ("fit-partly", "accent", "accent_soft"),
    "warn": ("warning", "warn", "warn_bg"),
    "bad": ("fit-no", "danger", "danger_bg"),
    "plain": ("", "muted", "hover"),
}


class Badge(QWidget):
    """Shows a word or two. Levels: good, accent, warn, bad, plain."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words = ""
        self._level = "plain"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_theme(theme)

    def show_words(self, words: str, level: str) -> None:
        """Say this; "" hides it."""
        self._words, self._level = words, level
        self.setAccessibleName(words)
        self.setVisible(bool(words))
        self.updateGeometry()
        self.update()

    def words(self) -> str:
        """What it says."""
        return self._words

    def level(self) -> str:
        """How it says it."""
        return self._level

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        font = QFont(theme.body_font)
        font.setPointSizeF(theme.chrome_pt - 0.4)
        font.setWeight(QFont.Weight.DemiBold)
        self.setFont(font)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        picture = _ICON_PX + _GAP_PX if _LEVELS[self._level][0] else 0
        width = self.fontMetrics().horizontalAdvance(self._words) + picture + 2 * _SIDE_PX
        return QSize(width, self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground, the shape, the words."""
        del event
        name, ink, ground = _LEVELS[self._level]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(self._theme, ground)))
        painter.drawRoundedRect(self.rect(), self.height() / 2, self.height() / 2)
        left = _SIDE_PX
        if name:
            place = QRect(left, (self.height() - _ICON_PX) // 2, _ICON_PX, _ICON_PX)
            icon(name, getattr(self._theme, ink), _ICON_PX).paint(painter, place)
            left += _ICON_PX + _GAP_PX
        painter.setPen(QColor(getattr(self._theme, ink)))
        painter.drawText(
            self.rect().adjusted(left, 0, -_SIDE_PX // 2, 0), int(Qt.AlignmentFlag.AlignVCenter), self._words
        )

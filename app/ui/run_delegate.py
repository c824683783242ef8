"""Paints the cells of a run's grid: each state has a shape of its own, and words where there are any."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.ui.icons import icon
from app.ui.run_looks import CellLook, Change, Shape
from app.ui.run_model import RunModel
from app.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
ICON_PX = 15
_PAD_PX = 14
_ICONS = {
    Shape.PASSED: ("check", "ok"),
    Shape.FAILED: ("close", "danger"),
    Shape.ERROR: ("warning", "warn"),
}
_CHANGES = {Change.BETTER: ("up", "ok"), Change.WORSE: ("down", "danger"), Change.OTHER: ("edit", "muted")}
_WORD_TONES = {Shape.RUNNING: "accent", Shape.ERROR: "warn"}
_GROUNDS = {Shape.FAILED: "danger_bg", Shape.ERROR: "warn_bg"}


class RunDelegate(QStyledItemDelegate):
    """Paints cells; a cell of `RunModel` needs no more than its look."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Ground, shape, words, and the ring of the cell that is chosen."""
        model = index.model()
        place = model.place(index) if isinstance(model, RunModel) else None
        if place is None:
            return
        look = model.look(place)
        theme, box = self._theme, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        self._paint_ground(painter, box, look, chosen=chosen, focused=focused)
        left = box.left() + _PAD_PX
        self._paint_shape(painter, QRect(left, box.center().y() - ICON_PX // 2, ICON_PX, ICON_PX), look.shape)
        left += ICON_PX + 7
        right = box.right() - 8
        if look.change in _CHANGES:
            name, tone = _CHANGES[look.change]
            icon(name, getattr(theme, tone), 14).paint(painter, QRect(right - 14, box.center().y() - 7, 14, 14))
            right -= 18
        painter.setFont(small_font(option.font, theme))
        painter.setPen(QColor(getattr(theme, _WORD_TONES.get(look.shape, "text" if chosen else "muted"))))
        words = QFontMetrics(painter.font()).elidedText(look.words, Qt.TextElideMode.ElideRight, right - left)
        painter.drawText(
            QRect(left, box.top(), right - left, box.height()),
            int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft),
            words,
        )
        painter.restore()

    def _paint_ground(self, painter: QPainter, box: QRect, look: CellLook, *, chosen: bool, focused: bool) -> None:
        theme = self._theme
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        inner = QRectF(box).adjusted(4.5, 2.5, -4.5, -3.5)
        ground = _GROUNDS.get(look.shape)
        if ground is not None or chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(getattr(theme, ground) if ground is not None else theme.selection))
            painter.drawRoundedRect(inner, 5, 5)
        if chosen:
            painter.setPen(QPen(QColor(theme.accent), 2 if focused else 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(inner, 5, 5)

    def _paint_shape(self, painter: QPainter, box: QRect, shape: Shape) -> None:
        paint_shape(painter, box, shape, self._theme)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One line."""
        del index
        return QSize(96, QFontMetrics(option.font).height() + 14)


def small_font(font: QFont, theme: Theme) -> QFont:
    """A cell's and a header's side notes."""
    made = QFont(font)
    made.setPointSizeF(max(theme.small_pt, theme.chrome_pt - 0.8))
    made.setWeight(QFont.Weight.Normal)
    return made


def paint_shape(painter: QPainter, box: QRect, shape: Shape, theme: Theme) -> None:
    """The shape that tells a cell's state; for the grid and for its legend."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if shape in _ICONS:
        name, tone = _ICONS[shape]
        icon(name, getattr(theme, tone), ICON_PX).paint(painter, box)
    elif shape is Shape.RUNNING:
        ring = QRectF(box).adjusted(2, 2, -2, -2)
        painter.setPen(QPen(QColor(theme.control), 2))
        painter.drawEllipse(ring)
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.drawArc(ring, 90 * 16, -200 * 16)
    else:
        dot = QRectF(box).adjusted(4, 4, -4, -4)
        done = shape is Shape.PLAIN
        painter.setPen(QPen(QColor(theme.muted if done else theme.faint), 1.4))
        painter.setBrush(QColor(theme.muted) if done else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(dot)
    painter.restore()

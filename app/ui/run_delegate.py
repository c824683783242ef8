"""Paints the cells of a run's grid: each state has a shape of its own, and words where there are any."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPaintDevice, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.ui.icons import icon
from app.ui.run_looks import CellLook, Change, Shape
from app.ui.run_model import RunModel
from app.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
ICON_PX = 15
_PAD_PX = 14
# looked up once: hundreds of cells are painted at a time
_SMOOTH, _SELECTED = QPainter.RenderHint.Antialiasing, QStyle.StateFlag.State_Selected
_FOCUSED, _NO_PEN = QStyle.StateFlag.State_HasFocus, Qt.PenStyle.NoPen
_ICONS = {
    Shape.PASSED: ("check", "ok"),
    Shape.FAILED: ("close", "danger"),
    Shape.ERROR: ("warning", "warn"),
}
_CHANGES = {Change.BETTER: ("up", "ok"), Change.WORSE: ("down", "danger")}
_WORD_TONES = {Shape.RUNNING: "accent", Shape.ERROR: "warn"}
_GROUNDS = {Shape.FAILED: "danger_bg", Shape.ERROR: "warn_bg"}


class RunDelegate(QStyledItemDelegate):
    """Paints cells; a cell of `RunModel` needs no more than its look."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._small: tuple[QFont, QFontMetrics] | None = None
        self._shapes: dict[tuple[Shape, float], QPixmap] = {}

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self._small = None
        self._shapes.clear()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Ground, shape, words, and the ring of the cell that is chosen."""
        model = index.model()
        if not isinstance(model, RunModel) or (place := model.place(index)) is None:
            return
        look = model.look(place)
        theme, box = self._theme, option.rect
        painter.setRenderHint(_SMOOTH)
        chosen = bool(option.state & _SELECTED)
        focused = chosen and bool(option.state & _FOCUSED)
        self._paint_ground(painter, box, look, chosen=chosen, focused=focused)
        left = box.left() + _PAD_PX
        painter.drawPixmap(left, box.center().y() - ICON_PX // 2, self._shape(look.shape, painter.device()))
        left, right = left + ICON_PX + 7, box.right() - 8
        if self._small is None:
            font = small_font(option.font, theme)
            self._small = font, QFontMetrics(font)
        font, metrics = self._small
        painter.setFont(font)
        if look.change in _CHANGES:
            name, tone = _CHANGES[look.change]
            icon(name, getattr(theme, tone), 14).paint(painter, QRect(right - 14, box.center().y() - 7, 14, 14))
            right -= 18
        elif look.change is Change.OTHER:
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRect(right - 14, box.top(), 14, box.height()), int(Qt.AlignmentFlag.AlignCenter), "≠")
            right -= 18
        if look.words:
            words = look.words
            if metrics.horizontalAdvance(words) > right - left:
                words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, right - left)
            painter.setPen(QColor(getattr(theme, _WORD_TONES.get(look.shape, "text" if chosen else "muted"))))
            painter.drawText(left, box.center().y() + (metrics.ascent() - metrics.descent()) // 2 + 1, words)

    def _shape(self, shape: Shape, device: QPaintDevice) -> QPixmap:
        """The shape as a picture: drawing it anew for each of hundreds of cells takes too long."""
        scale = device.devicePixelRatioF()
        if (shape, scale) not in self._shapes:
            side = ICON_PX + 1
            made = QPixmap(round(side * scale), round(side * scale))
            made.setDevicePixelRatio(scale)
            made.fill(Qt.GlobalColor.transparent)
            painter = QPainter(made)
            paint_shape(painter, QRect(0, 0, ICON_PX, ICON_PX), shape, self._theme)
            painter.end()
            self._shapes[shape, scale] = made
        return self._shapes[shape, scale]

    def _paint_ground(self, painter: QPainter, box: QRect, look: CellLook, *, chosen: bool, focused: bool) -> None:
        theme = self._theme
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        inner = QRectF(box).adjusted(4.5, 2.5, -4.5, -3.5)
        ground = _GROUNDS.get(look.shape)
        if ground is not None or chosen:
            painter.setPen(_NO_PEN)
            painter.setBrush(QColor(getattr(theme, ground) if ground is not None else theme.selection))
            painter.drawRoundedRect(inner, 5, 5)
        if chosen:
            painter.setPen(QPen(QColor(theme.accent), 2 if focused else 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(inner, 5, 5)

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

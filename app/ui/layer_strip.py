"""A square for every layer of a model: filled on a GPU, hatched on the processor."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme import Theme

_HIGH_PX, _GAP_PX = 20, 3


class LayerStrip(QWidget):
    """Shows `on_gpu` of `count` layers on GPUs: the last ones, as llama.cpp puts them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._count = self._on_gpu = 0
        self.setFixedHeight(_HIGH_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_layers(self, on_gpu: int, count: int) -> None:
        """Show these numbers."""
        self._on_gpu, self._count = on_gpu, count
        self.setAccessibleName(f"{on_gpu} of {count} layers on the GPU")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(200, _HIGH_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The squares."""
        del event
        if not self._count:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # the many layers of a large model stand closer together
        gap = _GAP_PX if self.width() / self._count > 4 * _GAP_PX else 1
        wide = min(3.0 * _HIGH_PX, (self.width() + gap) / self._count) - gap
        for place in range(self._count):
            box = QRectF(place * (wide + gap) + 0.5, 0.5, max(1.0, wide - 1), _HIGH_PX - 1)
            if place >= self._count - self._on_gpu:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self._theme.accent))
            else:
                painter.setPen(QPen(QColor(self._theme.faint), 1))
                painter.setBrush(QBrush(QColor(self._theme.faint), Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(box, 3, 3)

"""Editors that leave the wheel to the page they lie on: who scrolls by must not change a value."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSlider, QWidget


class QuietSlider(QSlider):
    """A slider that the wheel passes over."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let it through to the page."""
        event.ignore()


class QuietComboBox(QComboBox):
    """A box of choices that the wheel passes over while it is closed."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let it through to the page."""
        event.ignore()


class QuietDoubleSpinBox(QDoubleSpinBox):
    """A number that the wheel passes over; Up and Down step it, and no buttons are drawn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # a style sheet's padding reaches the frame alone; and its buttons of no width do what Qt's own NoButtons would,
        # which leave the field one pixel wide under a style sheet
        self.lineEdit().setTextMargins(9, 0, 9, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let it through to the page."""
        event.ignore()

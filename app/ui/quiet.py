"""Editors that leave the wheel to the page they lie on: who scrolls by must not change a value."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSlider


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
    """A number that the wheel passes over."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let it through to the page."""
        event.ignore()

"""A field that narrows a list down while one types."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme


class FilterField(QLineEdit):
    """`left_down()`: the person goes on to the list with the down key. Escape empties it first."""

    left_down = Signal()

    def __init__(self, words: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.setClearButtonEnabled(True)
        # a dropped file belongs to the window
        self.setAcceptDrops(False)
        self._picture = QAction(self)
        self.addAction(self._picture, QLineEdit.ActionPosition.LeadingPosition)
        self.setMinimumWidth(110)
        self.setMaximumWidth(240)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        self._picture.setIcon(icon("search", theme.muted, 16))

    def sizeHint(self) -> QSize:
        """Room for the words in it."""
        return QSize(self.fontMetrics().horizontalAdvance(self.placeholderText()) + 80, super().sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down leaves for the list, Escape empties."""
        if event.key() == Qt.Key.Key_Down:
            self.left_down.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

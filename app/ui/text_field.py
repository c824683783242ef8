"""A field for longer texts that stays quick: what would stop the window is not put into it."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QFocusEvent, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

LONGEST_CHARS = 200_000
"""Longer texts are not taken: laying them out takes seconds, and hardly any context holds them."""


LONGEST_WORD_CHARS = 4_000
"""Looking for a place to break a longer word costs time that grows with its square."""


class TextField(QPlainTextEdit):
    """Plain text; Tab goes on to the next widget, files that are dropped belong to the window.

    Signals: `too_long(int)` with the length in characters of a paste that was not taken; `entered` and `left` with
    the focus.
    """

    too_long = Signal(int)
    entered = Signal()
    left = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        # words of any length are broken
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.textChanged.connect(self._wrap_words_again)

    def setPlainText(self, text: str) -> None:
        """Show a text, whoever it comes from."""
        self._mind_long_words(text)
        super().setPlainText(text)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Text, and no files."""
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Take a paste or a drop, unless the field would hold more than it can."""
        text = source.text()
        if len(text) + self.document().characterCount() > LONGEST_CHARS:
            self.too_long.emit(len(text))
        else:
            self._mind_long_words(text)
            self.insertPlainText(text.replace("\0", ""))

    def _mind_long_words(self, text: str) -> None:
        if len(text) > LONGEST_WORD_CHARS and max(map(len, text.split()), default=0) > LONGEST_WORD_CHARS:
            self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)

    @Slot()
    def _wrap_words_again(self) -> None:
        if self.document().isEmpty():
            self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Leave files to the window."""
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Leave files to the window."""
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragMoveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell that the field was entered."""
        super().focusInEvent(event)
        self.entered.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell that the field was left."""
        super().focusOutEvent(event)
        self.left.emit()

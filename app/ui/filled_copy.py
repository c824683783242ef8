"""A text in the clipboard that is filled in when more is found out about what it tells of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication

from app.services.origins import Origins


class FilledCopy(QObject):
    """Copies at once. While the text lies in the clipboard, what its models' files turn out to be is put into it."""

    def __init__(self, origins: Origins, parent: QObject) -> None:
        super().__init__(parent)
        self._text: Callable[[], str] | None = None
        self._copied = ""
        origins.summed.connect(self._fill_in)

    def copy(self, text: Callable[[], str]) -> None:
        """Put a text into the clipboard; `text` gives it with all that is known by then."""
        self._text, self._copied = text, text()
        QGuiApplication.clipboard().setText(self._copied)

    @Slot()
    def _fill_in(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if self._text is None:
            return
        if clipboard.text() != self._copied:
            self._text, self._copied = None, ""  # something else was copied since
        elif (fuller := self._text()) != self._copied:
            self._copied = fuller
            clipboard.setText(fuller)

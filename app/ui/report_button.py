"""A button that copies a report of what went wrong, to be passed on to those who could mend it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.ui.buttons import WordButton
from app.ui.theme import Theme

_WORDS, _DONE = "Copy report", "Report copied"
_DONE_MS = 2000


class ReportButton(WordButton):
    """Puts its report into the clipboard. The same text is in the log."""

    def __init__(self, report: str, theme: Theme, parent: QWidget | None = None, *, kind: str = "outline") -> None:
        super().__init__(_WORDS, theme, parent, kind=kind, icon_name="copy")
        self.setToolTip("Versions, settings and the engine’s last words, nothing of your chats. It is in the log, too.")
        self._report = report
        # as wide as the longer words, so that nothing beside it moves
        self.setText(_DONE)
        self.setMinimumWidth(self.sizeHint().width())
        self.setText(_WORDS)
        self._timer = QTimer(self, singleShot=True, interval=_DONE_MS)
        self._timer.timeout.connect(self._restore)
        self.clicked.connect(self._copy)

    def set_report(self, report: str) -> None:
        """Copy this from now on."""
        self._report = report

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
        self.setText(_DONE)
        self._timer.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, _DONE))

    @Slot()
    def _restore(self) -> None:
        self.setText(_WORDS)

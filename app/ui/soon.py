"""Does something once, a moment after the first of many askings: progress comes more often than eyes can follow."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget


class Soon(QTimer):
    """Calls `work` so many milliseconds after `ask`, however often that is called meanwhile.

    While `place` is not on screen it waits until it is.
    """

    def __init__(self, work: Callable[[], None], delay_ms: int, place: QWidget) -> None:
        super().__init__(place, singleShot=True, interval=delay_ms)
        self._work, self._place = work, place
        self._asked = False
        self.timeout.connect(self._do)
        place.installEventFilter(self)

    @Slot()
    def ask(self) -> None:
        """Do it soon."""
        self._asked = True
        if not self.isActive() and self._place.isVisible():
            self.start()

    @Slot()
    def now(self) -> None:
        """Do it now, if anybody sees it; else when somebody does."""
        self._asked = True
        if self._place.isVisible():
            self._do()

    @Slot()
    def _do(self) -> None:
        self.stop()
        if self._asked and self._place.isVisible():
            self._asked = False
            self._work()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What was asked for while nobody looked is done when somebody does."""
        if event.type() is QEvent.Type.Show:
            self._do()
        return False

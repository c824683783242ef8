"""What is typed in a chat but not sent: kept a moment after the last change."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_WAIT_MS = 400


class Draft(QObject):
    """The text in one chat's composer. `save` is called with it once the person pauses."""

    def __init__(self, save: Callable[[str], None], parent: QObject) -> None:
        super().__init__(parent)
        self.text = ""
        self._save = save
        self._timer = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._timer.timeout.connect(self._keep)

    def type(self, text: str) -> None:
        """The person wrote this."""
        if text != self.text:
            self.text = text
            self._timer.start()

    def put_back(self, text: str) -> None:
        """Text that was not sent: it goes before what has been written since."""
        written = self.text.strip()
        self.type(text if written in ("", text) else f"{text}\n\n{self.text}")

    def sent(self) -> None:
        """It is on its way to become a message; whoever keeps that lets go of what was saved of the draft.

        What is typed from now on is another draft, however long keeping the message takes.
        """
        self.text = ""
        self._timer.stop()

    def flush(self) -> None:
        """Save now what waits to be saved."""
        if self._timer.isActive():
            self._timer.stop()
            self._keep()

    def _keep(self) -> None:
        self._save(self.text)

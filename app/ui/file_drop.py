"""Opens a file that is dropped anywhere on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QWidget


class FileDrop(QObject):
    """Watches a window for drags that hold one local file. `dropped(str)` with its path; it may be any file."""

    dropped = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._hint = QLabel("Drop a GGUF file to open it", window)
        self._hint.setObjectName("dropHint")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Offer on entering, take the offer back on leaving, open on dropping."""
        if isinstance(event, QDragEnterEvent) and _file_in(event):
            event.acceptProposedAction()
            self._hint.setGeometry(self._window.rect().adjusted(24, 24, -24, -24))
            self._hint.show()
            self._hint.raise_()
            return True
        if event.type() == QEvent.Type.DragLeave:
            self._hint.hide()
        elif event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self._hint.hide()
            if path := _file_in(event):
                event.acceptProposedAction()
                self.dropped.emit(path)
            return True
        return super().eventFilter(watched, event)


def _file_in(event: QDropEvent) -> str:
    urls = event.mimeData().urls()
    return str(Path(urls[0].toLocalFile())) if len(urls) == 1 and urls[0].isLocalFile() else ""

"""Notices that something was put into the models folder, or noted there by the command line."""

from __future__ import annotations

import os

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

_SETTLE_MS = 700
"""A copy changes its folder more than once."""


class FolderWatch(QObject):
    """Watches one folder and some below it. Where the system cannot watch, nothing is heard, and nothing is lost by it.

    Signals:
        changed(): something came, went or was renamed there; a moment ago, and not more often than that.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watcher = QFileSystemWatcher(self)
        self._settling = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settling.timeout.connect(self.changed)
        self._watcher.directoryChanged.connect(lambda _path: self._settling.start())

    def watch(self, *folders: str) -> None:
        """Watch these from now on, and no others; those that are not there are passed over."""
        wanted = {folder for folder in folders if os.path.isdir(folder)}
        watched = set(self._watcher.directories())
        if gone := watched - wanted:
            self._watcher.removePaths(list(gone))
        if new := wanted - watched:
            self._watcher.addPaths(list(new))

    def close(self) -> None:
        """Watch nothing any more."""
        self.watch()
        self._settling.stop()

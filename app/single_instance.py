"""One window per data folder: a second start brings the first one to the front and ends."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, Signal

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT_MS = 2000
_OPENING_MS = 10_000
"""So long a busy computer may take from a start's lock until it listens."""
_AGAIN_MS = 50


class SingleInstance(QObject):
    """Holds the lock of a data folder, or knows that another start holds it.

    Signals:
        asked(tuple): another start wants this window; the files it was given.
    """

    asked = Signal(tuple)

    def __init__(self, lock_file: Path) -> None:
        super().__init__()
        # A pipe's name is shared by all users of a machine, and short on some systems
        owner = f"{os.environ.get('USERNAME', '')}|{getattr(os, 'getuid', int)()}|{lock_file.resolve()}"
        self._name = "orcinus-" + hashlib.sha256(owner.encode("utf-8", "surrogateescape")).hexdigest()[:24]
        self._lock = QLockFile(str(lock_file))
        # The process id in the file tells a lock that was left by a crash; its age says nothing
        self._lock.setStaleLockTime(0)
        self.is_first = self._lock.tryLock(0) or self._lock.error() is not QLockFile.LockError.LockFailedError
        self._server: QLocalServer | None = None
        self._callers: set[QLocalSocket] = set()

    def ask_the_first(self, files: Sequence[str]) -> bool:
        """Ask the window that is open to come to the front and open these files; whether it heard."""
        from PySide6.QtNetwork import QLocalSocket

        socket = QLocalSocket()
        for _ in range(_OPENING_MS // _AGAIN_MS):
            socket.connectToServer(self._name)
            if socket.waitForConnected(_WAIT_MS):
                break
            # it may have painted its window and not listen yet
            time.sleep(_AGAIN_MS / 1000)
        else:
            return False
        socket.write(json.dumps(list(files)).encode() + b"\n")
        heard = socket.waitForBytesWritten(_WAIT_MS)
        socket.disconnectFromServer()
        return heard

    def close(self) -> None:
        """Let go of the folder."""
        if self._server is not None:
            self._server.close()
        self._lock.unlock()

    def listen(self) -> None:
        """Hear of other starts from now on; a start that comes before waits until then."""
        from PySide6.QtNetwork import QLocalServer  # ten milliseconds that the first paint need not wait for

        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        # We hold the lock, so a socket of this name was left behind by a crash
        QLocalServer.removeServer(self._name)
        server.newConnection.connect(self._connected)
        server.listen(self._name)
        self._server = server

    def _connected(self) -> None:
        assert self._server is not None
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self._callers.add(socket)
            socket.readyRead.connect(self._hear)
            socket.disconnected.connect(self._hear)
        self._hear()

    def _hear(self) -> None:
        """Take what was said by now: on a busy computer a caller connects long before it writes."""
        for socket in tuple(self._callers):
            is_over = socket.canReadLine() or socket.state() != socket.LocalSocketState.ConnectedState
            if is_over and socket in self._callers:  # closing one has the others looked at
                self._callers.discard(socket)
                line = bytes(socket.readLine().data())
                socket.close()
                socket.deleteLater()
                self.asked.emit(_names(line))


def _names(line: bytes) -> tuple[str, ...]:
    try:
        files = json.loads(line)
    except ValueError:
        return ()
    return tuple(str(name) for name in files) if isinstance(files, list) else ()

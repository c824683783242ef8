"""The whole program, which does something and quits at a moment that it is told; run by test_quits.py. Not a test.

Arguments: what to be at when it quits (STAGES), seconds to wait then, how to quit (WAYS), a model file.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app import opening
from app.paths import find_paths

LONG = "Tell me about whales and rivers and stones. " * 40


class Driver:
    """Looks at the program a hundred times a second, as a person would, and quits at the right moment."""

    def __init__(self, window: opening.Opening, stage: str, wait_s: float, way: str, model: str) -> None:
        self._opening, self._stage, self._wait_s, self._way, self._model = window, stage, wait_s, way, model
        self._at = time.monotonic() if stage == "start" else 0.0
        self._sent = self._heard = False
        self._timer = QTimer(interval=5)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        if not self._at and self._is_there():
            self._at = time.monotonic()
        if self._at and time.monotonic() - self._at >= self._wait_s:
            self._timer.stop()
            os.write(1, b"quits\n")
            self._quit()

    def _is_there(self) -> bool:
        program = self._opening._program
        if program is None or program.window.page.session is None or not program.window.page.session.ready:
            return False
        session, models = program.window.page.session, program.models
        if session.chat.model_id != self._model:
            return False
        state = models.state(self._model)
        if self._stage == "loading":
            return state.kind == "loading"
        if state.kind != "ready":
            return False
        if not self._sent:
            self._sent = True
            session.text_added.connect(self._hear)
            session.send(LONG if self._stage == "reading" else "Hello!")
            return False
        if self._stage == "reading":
            return session.busy
        if self._stage == "generating":
            return self._heard
        return not session.busy

    def _hear(self, _message_id: int, _text: str) -> None:
        self._heard = True
        session = self._opening._program.window.page.session if self._opening._program is not None else None
        if self._stage == "idle" and session is not None:
            session.stop()  # all that the little model would say fills its context

    def _quit(self) -> None:
        ways: dict[str, Callable[[], object]] = {
            "window": lambda: self._opening._window.close(),
            "quit": QApplication.quit,
            "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
            "SIGINT": lambda: os.kill(os.getpid(), signal.SIGINT),
        }
        ways[self._way]()


def main() -> int:
    """As `opening.run`, with somebody at the window."""
    stage, wait_s, way, model = sys.argv[1:]
    application = QApplication([sys.argv[0]])
    window = opening.Opening(application, find_paths(), None, [model])
    driver = Driver(window, stage, float(wait_s), way, model)
    code = window.close(application.exec())
    del driver
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Opens the window: its frame is on screen before the parts of the program are imported and built."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

import app
from app.paths import Paths, find_paths
from app.single_instance import SingleInstance
from app.ui.main_window import MainWindow

if TYPE_CHECKING:
    from app.main import Program

_SWITCH_INTERVAL_S = 0.0005
"""A busy worker then hands the GIL over ten times sooner than by default, which keeps frames on time."""


def run(arguments: Sequence[str]) -> int:
    """Open the window and run until it is closed; returns the exit code. A GGUF file as argument is opened."""
    if refused := _refused_binding():
        print(refused, file=sys.stderr)  # noqa: T201  (there is no window to tell it)
        return 1
    paths = find_paths(os.environ)
    application = Application([sys.argv[0]])
    application.setApplicationName("Orcinus")
    application.setApplicationVersion(app.__version__)
    application.setDesktopFileName("orcinus")
    single = SingleInstance(paths.lock_file) if paths.lasting else None
    files = [os.path.abspath(name) for name in arguments if not name.startswith("-")]
    if single is not None and not single.is_first:
        return _leave_it_to_the_first(single, files)
    opening = Opening(application, paths, single, files)
    return opening.close(application.exec())


def _leave_it_to_the_first(single: SingleInstance, files: Sequence[str]) -> int:
    if single.ask_the_first(files):
        print("Orcinus is open already; its window was brought to the front.")  # noqa: T201
        return 0
    not_opened = " Nothing was opened." if files else ""
    print(  # noqa: T201
        f"Orcinus is running already, but it does not answer.{not_opened} Wait a moment and try again; if that does not"
        " help, end its process.",
        file=sys.stderr,
    )
    return 1


class Application(QApplication):
    """Hears of files that macOS hands over when they are opened in the Finder.

    Signals: `file_opened(path)`.
    """

    file_opened = Signal(str)

    def event(self, event: QEvent) -> bool:
        """What is meant for the application itself, which is seldom anything else."""
        if isinstance(event, QFileOpenEvent):
            self.file_opened.emit(event.file())
            return True
        return super().event(event)


class Opening(QObject):
    """Shows the frame, builds the program behind its first paint, and ends both."""

    def __init__(
        self, application: QApplication, paths: Paths, single: SingleInstance | None, files: Sequence[str]
    ) -> None:
        super().__init__(application)
        self._application = application
        self._paths = paths
        self._single = single
        self._files = list(files)
        self._program: Program | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            # Ctrl+C in a terminal, or the session's end: save and go, as when the window is closed
            signal.signal(number, lambda *_: QTimer.singleShot(0, application.quit))
        self._window = MainWindow(settings_file=str(paths.window_file))
        self._window.painted.connect(self._build)
        if isinstance(application, Application):
            application.file_opened.connect(self._hand_over)
        self._window.show()

    @Slot()
    def _build(self) -> None:
        # Imported here: four fifths of the program, which the first paint need not wait for
        from app.setup import prepare_process

        prepare_process(self._paths)
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        from app.main import Program, hook_crashes
        from app.services.garbage import GarbageCollector

        self._garbage = GarbageCollector(self)

        try:
            self._program = Program(self._application, self._paths, window=self._window)
        except BaseException:
            # an empty frame would stay open for ever
            self._application.exit(1)
            raise
        if self._single is not None:
            self._single.asked.connect(self._program.come_to_front)
            self._single.listen()
        hook_crashes(self._window.tell)
        self._program.open(self._files)

    @Slot(str)
    def _hand_over(self, path: str) -> None:
        if self._program is None:
            self._files.append(path)
        else:
            self._program.come_to_front((path,))

    def close(self, code: int) -> int:
        """Save and let go, after the last window was closed. Returns the exit code."""
        saved, engine_ended = (True, True) if self._program is None else self._program.close()
        if self._single is not None:
            self._single.close()
        if self._program is not None:
            import logging

            logging.shutdown()
        if not engine_ended:
            # llama.cpp is still inside a decode: freeing anything under it would crash, and all is saved
            os._exit(0 if saved else 1)
        return code if saved else 1


def _refused_binding() -> str:
    """PySide6 6.12.0 on Python 3.11 kills the program after some thousand calls (PYSIDE-3474)."""
    if PySide6.__version__ == "6.12.0" and sys.version_info < (3, 12):
        return "PySide6 6.12.0 does not work with Python 3.11. Please run: python3 packaging/dev.py setup"
    return ""

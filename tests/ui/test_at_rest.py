"""A window that nobody touches lets the computer rest."""

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

_WATCHED_MS = 400
_QUIET = 25
"""A cursor that blinks and timers that look now and then; a page that is laid out over and over makes hundreds."""


class Ear(QObject):
    """Counts what happens in the whole program."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: Counter[tuple[str, str]] = Counter()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.heard[type(watched).__name__, event.type().name] += 1
        return False


@pytest.mark.parametrize("size", [(1280, 820), (760, 600), (720, 480)])
@pytest.mark.parametrize("page", ["welcome", "models", "lab", "hardware"])
def test_nothing_happens_in_a_window_that_is_left_alone(qtbot, open_window, page, size):
    stage = open_window(size=size)
    if page != "welcome":
        getattr(stage.space.pages, f"show_{page}")()
    ear, app = Ear(), QApplication.instance()

    def listen() -> int:
        ear.heard.clear()
        app.installEventFilter(ear)
        qtbot.wait(_WATCHED_MS)
        app.removeEventFilter(ear)
        return sum(ear.heard.values())

    for _settling in range(100):
        if listen() <= _QUIET:
            return
    pytest.fail(f"still at work: {ear.heard.most_common(8)}")

"""What a person does in the window to talk, and what they can read there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTextBrowser


def say(qtbot, stage, text: str) -> None:
    """Type and send, and wait for the whole reply."""
    before = len(stage.session.path())
    qtbot.keyClicks(stage.space.page.composer.field, text)
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(stage.session.path()) == before + 2 and not stage.session.busy, timeout=20_000)


def start_saying(qtbot, stage, text: str) -> None:
    """Type and send, and wait until the reply has begun."""
    qtbot.keyClicks(stage.space.page.composer.field, text)
    with qtbot.waitSignal(stage.session.text_added, timeout=20_000):
        qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Return)


def read(stage) -> str:
    """What stands in the transcript."""
    transcript = stage.space.page.transcript
    return "\n".join(b.toPlainText() for b in transcript.findChildren(QTextBrowser) if b.isVisible())

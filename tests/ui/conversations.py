"""A transcript with rows in it, and the things a test looks at."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QWidget

from app.ui.message_body import MessageBody
from app.ui.message_item import MessageItem
from app.ui.transcript import Transcript
from app.ui.transcript_row import Row

CODE = "Look:\n\n```python\nprint('one')\n```\n\nand\n\n```sql\nSELECT 2\n```\n\ndone"


def question(row_id: int, text: str = "What is it?", **more: object) -> Row:
    return Row("user", row_id, text, **more)  # type: ignore[arg-type]


def answer(row_id: int, text: str = "It is **this**.", **more: object) -> Row:
    return Row("assistant", row_id, text, "Tiny", "9 tokens", **more)  # type: ignore[arg-type]


def item(view: Transcript, row_id: int) -> MessageItem:
    found = view.item(row_id)
    assert found is not None
    return found


def body(view: Transcript, row_id: int) -> MessageBody:
    found = item(view, row_id).body
    assert found is not None
    return found


def shown_text(view: Transcript, row_id: int) -> str:
    return body(view, row_id).document().toPlainText()


def press(qtbot, view: Transcript, row_id: int, action: str) -> None:
    """Click a button of a message's bar, as a person who hovers does."""
    from PySide6.QtCore import Qt

    bar = item(view, row_id).bar
    assert bar is not None
    qtbot.mouseClick(bar.button(action), Qt.MouseButton.LeftButton)


def editor(view: Transcript, row_id: int) -> QPlainTextEdit:
    return item(view, row_id).findChild(QPlainTextEdit)


def focus_within(widget: QWidget) -> bool:
    focus = QApplication.focusWidget()
    return focus is not None and (focus is widget or widget.isAncestorOf(focus))


def select(view: Transcript, row_id: int, words: str) -> None:
    found = body(view, row_id).document().find(words)
    assert not found.isNull()
    body(view, row_id).setTextCursor(found)


def selected(view: Transcript, row_id: int) -> str:
    return body(view, row_id).textCursor().selectedText()


def point_of(view: Transcript, row_id: int, words: str) -> QPoint:
    """Where `words` are, in the viewport of the body."""
    found: QTextCursor = body(view, row_id).document().find(words)
    found.setPosition(found.selectionStart() + 1)
    return body(view, row_id).cursorRect(found).center()

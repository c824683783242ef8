"""Where a message is written: a field that grows, and the button that sends or stops."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.text_field import TextField
from app.ui.theme import Theme

_DRAFT_SETTLE_MS = 100
_MOST_LINES = 12


class MessageField(TextField):
    """The text being written.

    Signals: `submitted` on Enter; `last_wanted` on Up while empty; `stop_wanted` on Escape; `messages_wanted` on
    Ctrl+Up and Ctrl+Down.
    """

    submitted = Signal()
    last_wanted = Signal()
    stop_wanted = Signal()
    messages_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends, Shift+Enter breaks the line, Escape stops, Up in an empty field asks for the last message."""
        key, held = event.key(), event.modifiers()
        plain = not held & ~Qt.KeyboardModifier.KeypadModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (plain or held & Qt.KeyboardModifier.ControlModifier):
            self.submitted.emit()
        elif key == Qt.Key.Key_Escape:
            self.stop_wanted.emit()
        elif key == Qt.Key.Key_Up and plain and self.document().isEmpty():
            self.last_wanted.emit()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and held & Qt.KeyboardModifier.ControlModifier:
            self.messages_wanted.emit()
        else:
            super().keyPressEvent(event)


class Composer(QFrame):
    """The message field with its button.

    Signals: `submitted(str)` with the text to send, which is cleared when `clear` is called; `stop_asked()`;
    `last_asked()` when the last message is to be edited; `messages_asked()` to go to the messages;
    `draft_changed(str)` after a pause in typing; `too_long(int)` with the length in characters of a text that was not
    taken.
    """

    submitted = Signal(str)
    stop_asked = Signal()
    last_asked = Signal()
    messages_asked = Signal()
    draft_changed = Signal(str)
    too_long = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        self._theme = theme
        self._busy = False
        self._enabled = True
        self.field = self._make_field()
        self._note = QLabel()
        self._note.setProperty("kind", "faint")
        self._button = QToolButton()
        self._button.setObjectName("send")
        self._button.setFixedSize(32, 32)
        self._button.setIconSize(QSize(18, 18))
        self._button.clicked.connect(self._pressed)
        foot = QHBoxLayout()
        foot.addWidget(self._note, 1)
        foot.addWidget(self._button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 13, 11, 10)
        column.setSpacing(4)
        column.addWidget(self.field)
        column.addLayout(foot)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_DRAFT_SETTLE_MS)
        self._settle.timeout.connect(self.flush_draft)
        self._draft = ""
        self._grow()
        self._show_button()

    def _make_field(self) -> MessageField:
        field = MessageField("Message")
        field.setFrameShape(QFrame.Shape.NoFrame)
        field.document().setDocumentMargin(0)
        field.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        field.viewport().setAutoFillBackground(False)
        field.submitted.connect(self._submit)
        field.stop_wanted.connect(self.stop_asked)
        field.last_wanted.connect(self.last_asked)
        field.messages_wanted.connect(self.messages_asked)
        field.too_long.connect(self.too_long)
        field.entered.connect(self._mark_active)
        field.left.connect(self._mark_active)
        field.textChanged.connect(self._text_changed)
        field.document().documentLayout().documentSizeChanged.connect(self._grow)
        return field

    def text(self) -> str:
        """What is written at the moment."""
        return self.field.toPlainText()

    def set_text(self, text: str) -> None:
        """Show a draft, the cursor at its end; it does not count as a change."""
        self._settle.stop()
        self._draft = text
        self.field.setPlainText(text)
        self._settle.stop()
        self.field.moveCursor(QTextCursor.MoveOperation.End)

    def clear(self) -> None:
        """Empty the field after its text was sent."""
        self.set_text("")

    def set_placeholder(self, text: str) -> None:
        """The words in the empty field."""
        self.field.setPlaceholderText(text)

    def set_note(self, text: str) -> None:
        """A short word at the foot: what the model is doing."""
        self._note.setText(text)

    def set_busy(self, busy: bool) -> None:
        """Whether a reply is being made: the button stops it instead of sending."""
        self._busy = busy
        self._show_button()

    def set_sending_allowed(self, allowed: bool) -> None:
        """Whether a message could be sent at all; it can be written in any case."""
        self._enabled = allowed
        self._show_button()

    def set_theme(self, theme: Theme) -> None:
        """Draw the button in this theme's colours."""
        self._theme = theme
        self._show_button()
        self._grow()

    @Slot()
    def flush_draft(self) -> None:
        """Tell of a changed draft now and not after the pause; before another chat is shown, and before closing."""
        self._settle.stop()
        text = self.text()
        if text != self._draft:
            self._draft = text
            self.draft_changed.emit(text)

    @Slot()
    def _text_changed(self) -> None:
        self._settle.start()
        self._show_button()

    def _show_button(self) -> None:
        words = "Stop the reply" if self._busy else "Send message"
        ready = self._busy or (self._enabled and not self.field.document().isEmpty())
        colour = self._theme.accent_text if ready else self._theme.faint
        self._button.setIcon(icon("stop" if self._busy else "send", colour, 18))
        self._button.setAccessibleName(words)
        self._button.setToolTip(f"{words} ({'Esc' if self._busy else 'Enter'})")
        self._button.setEnabled(ready)

    @Slot()
    def _mark_active(self) -> None:
        self.setProperty("active", self.field.hasFocus())
        self.style().unpolish(self)
        self.style().polish(self)

    @Slot()
    def _pressed(self) -> None:
        if self._busy:
            self.stop_asked.emit()
        else:
            self._submit()

    @Slot()
    def _submit(self) -> None:
        text = self.text()
        if text.strip() and self._enabled and not self._busy:
            self._settle.stop()
            self.submitted.emit(text)

    @Slot()
    def _grow(self) -> None:
        line = self.field.fontMetrics().lineSpacing()
        lines = min(max(1, round(self.field.document().size().height())), _MOST_LINES)
        self.field.setFixedHeight(line * lines + 4)

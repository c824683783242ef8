"""A person's turn being edited in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QPalette, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.text_field import TextField

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from app.ui.theme import Theme

_LEAST_HEIGHT, _MOST_HEIGHT = 64, 320


class _Edit(TextField):
    submitted = Signal()
    cancelled = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends, Shift+Enter begins a line, Esc gives up."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not (
            event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        ):
            self.submitted.emit()
        else:
            super().keyPressEvent(event)


class MessageEditor(QFrame):
    """The field with its two buttons.

    Signals: `submitted(text)`, never empty; `cancelled()`; `height_changed()` while lines are added; `too_long(int)`
    with the length in characters of a paste that was not taken.
    """

    submitted = Signal(str)
    cancelled = Signal()
    too_long = Signal(int)
    height_changed = Signal()

    def __init__(self, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageEditor")
        self._edit = _Edit("Edit message", self)
        self._edit.setPlainText(text)
        self._edit.moveCursor(QTextCursor.MoveOperation.End)
        self._send = QPushButton("Save and send", self)
        self._send.setProperty("kind", "filled")
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setProperty("kind", "outline")
        self._hint = QLabel("Keeps the old version", self)
        self._hint.setProperty("kind", "muted")
        buttons = QHBoxLayout()
        buttons.addWidget(self._hint, 1)
        buttons.addWidget(self._cancel)
        buttons.addWidget(self._send)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addLayout(buttons)
        self.restyle(theme)
        self._fit()
        self._edit.submitted.connect(self._submit)
        self._edit.cancelled.connect(self.cancelled)
        self._edit.too_long.connect(self.too_long)
        self._edit.textChanged.connect(self._changed)
        self._send.clicked.connect(self._submit)
        self._cancel.clicked.connect(self.cancelled)

    def restyle(self, theme: Theme) -> None:
        """Change the colours and the font."""
        font = QFont(theme.body_font)
        font.setPointSizeF(theme.font_pt)
        self._edit.setFont(font)
        palette = self._edit.palette()
        palette.setColor(QPalette.ColorRole.Text, QColor(theme.text))
        palette.setColor(QPalette.ColorRole.Base, QColor(theme.field))
        self._edit.setPalette(palette)

    def take_focus(self) -> None:
        """Put the caret at the end of the text."""
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def text(self) -> str:
        """What is in the field now."""
        return self._edit.toPlainText()

    def tell(self, words: str) -> None:
        """Say something beside the buttons."""
        self._hint.setText(words)

    def tab_stops(self) -> list[QWidget]:
        """What Tab visits, in order."""
        return [self._edit, self._cancel, self._send]

    @Slot()
    def _submit(self) -> None:
        if self.text.strip():
            self.submitted.emit(self.text)

    @Slot()
    def _changed(self) -> None:
        self._send.setEnabled(bool(self.text.strip()))
        before = self._edit.height()
        self._fit()
        if self._edit.height() != before:
            self.height_changed.emit()

    def _fit(self) -> None:
        lines = max(1, int(self._edit.document().size().height()))
        wanted = lines * self._edit.fontMetrics().lineSpacing() + 26
        self._edit.setFixedHeight(min(_MOST_HEIGHT, max(_LEAST_HEIGHT, wanted)))

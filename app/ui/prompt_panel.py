"""The editor of a system prompt, with its length in tokens and the ways between a chat's prompt and its model's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.buttons import WordButton
from app.ui.prompt_field import PromptField
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.token_count import Count

_SETTLE_MS = 500
_FEWEST_LINES = 5
_MOST_LINES = 14


class PromptPanel(QWidget):
    """Edits one system prompt.

    Signals: `typed(str)` with each change of the text, whoever made it; `edited(str)` when the person pauses or leaves
    the field; `reset_asked()`; `adopt_asked(str)` to make the text the model's default, where the panel offers that;
    `too_long(int)` for a paste that was not taken.
    """

    typed = Signal(str)
    edited = Signal(str)
    reset_asked = Signal()
    adopt_asked = Signal(str)
    too_long = Signal(int)

    def __init__(
        self,
        heading: str,
        explanation: str,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        reset: str,
        adopt: str = "",
        above: QWidget | None = None,
        below: QWidget | None = None,
    ) -> None:
        """`explanation` stands under the field; `reset` and `adopt` are the buttons' words, "" for no such button.

        `above` and `below` stand next to the field.
        """
        super().__init__(parent)
        self._theme = theme
        self._kept = ""
        self._default = ""
        self.field = self._make_field(heading)
        self._count = QLabel()
        self._count.setProperty("kind", "faint")
        title = QLabel(heading)
        title.setProperty("kind", "heading")
        title.setBuddy(self.field)
        explained = QLabel(explanation)
        explained.setProperty("kind", "faint")
        explained.setWordWrap(True)
        self._reset = WordButton(reset, theme, kind="link")
        self._reset.clicked.connect(self._ask_reset)
        self._adopt = WordButton(adopt, theme, kind="link")
        self._adopt.setVisible(bool(adopt))
        self._adopt.clicked.connect(self._ask_adopt)
        self._offers_adopting = bool(adopt)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch()
        head.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(head)
        for part in (above, self.field, below):
            if part is not None:
                column.addWidget(part)
        column.addWidget(explained)
        # they are always there: settings below must not move while somebody types
        ways = QHBoxLayout()
        ways.setSpacing(18)
        for button in (self._reset, self._adopt):
            ways.addWidget(button)
        ways.addStretch()
        column.addLayout(ways)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.flush)
        self._offer_ways()
        self._grow()

    def _make_field(self, heading: str) -> PromptField:
        field = PromptField(self._theme)
        field.setAccessibleName(heading)
        field.textChanged.connect(self._text_changed)
        field.left.connect(self.flush)
        field.too_long.connect(self.too_long)
        field.document().documentLayout().documentSizeChanged.connect(self._grow)
        return field

    def show_prompt(self, text: str, default: str) -> None:
        """Show the prompt in force and remember the model's default; what is being typed is not overwritten."""
        self._default = default
        if not self._settle.isActive() and text != self.field.toPlainText():
            self.field.blockSignals(True)
            self.field.setPlainText(text)
            self.field.blockSignals(False)
            self.field.mark()
            self._grow()
            self.typed.emit(text)
        if not self._settle.isActive():
            self._kept = text
        self._offer_ways()

    @Slot(object)
    def show_count(self, count: Count) -> None:
        """Show the prompt's length."""
        self._count.setText(count.words)
        self._count.setToolTip("" if count.exact else "The model counts exactly once it is loaded")

    def set_reset_offered(self, offered: bool) -> None:
        """Whether there is something to reset to; otherwise that follows from the default."""
        self._reset.setEnabled(offered)

    @Slot()
    def flush(self) -> None:
        """Tell of a change now: before a message is sent, and before another chat is shown."""
        self._settle.stop()
        text = self.field.toPlainText()
        if text != self._kept:
            self._kept = text
            self.edited.emit(text)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self._theme = theme
        self._grow()

    @Slot()
    def _text_changed(self) -> None:
        self._settle.start()
        self._offer_ways()
        self.typed.emit(self.field.toPlainText())

    def _offer_ways(self) -> None:
        differs = self.field.toPlainText() != self._default
        self._adopt.setEnabled(self._offers_adopting and differs)
        if self._offers_adopting:
            self._reset.setEnabled(differs)

    @Slot()
    def _ask_reset(self) -> None:
        self._settle.stop()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.reset_asked.emit()

    @Slot()
    def _ask_adopt(self) -> None:
        self.flush()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.adopt_asked.emit(self.field.toPlainText())

    @Slot()
    def _grow(self) -> None:
        lines = min(max(_FEWEST_LINES, round(self.field.document().size().height()) + 1), _MOST_LINES)
        self.field.setFixedHeight(self.field.fontMetrics().lineSpacing() * lines + 22)

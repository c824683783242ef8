"""The variables of a system prompt whose values the app knows: said, not asked for."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.core.chat import Chat
from app.core.prompt_variables import DATE, TIME
from app.ui.buttons import WordButton
from app.ui.theme import Theme


class KnownValues(QWidget):
    """Names and values. Hidden while there are none. `forget_asked()`: take today's date and time instead."""

    forget_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setProperty("kind", "faint")
        self.words.setWordWrap(True)
        self.forget = WordButton("Use the time of the next message", theme, kind="link")
        self.forget.setToolTip("The model then reads the whole chat again, once")
        self.forget.clicked.connect(self.forget_asked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.words)
        column.addWidget(self.forget)
        self.hide()

    def show_values(self, values: Mapping[str, str], chat: Chat) -> None:
        """Show what the prompt of this chat asks for."""
        lines = [f"{{{{{name}}}}} is {value}" for name, value in values.items()]
        kept = DATE in chat.variables
        if kept and {DATE, TIME} & values.keys():
            lines.append("Date and time stay as they were when they were first sent.")
        self.words.setText("\n".join(lines))
        self.forget.setVisible(kept and bool({DATE, TIME} & values.keys()))
        self.setVisible(bool(values))

"""A field for a system prompt, in which variables are to be seen, and those without a value above all."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Slot
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from app.core.prompt_variables import occurrences
from app.ui.text_field import TextField
from app.ui.theme import Theme


class PromptField(TextField):
    """Marks variables: in the accent's colour, and in that of warnings with a wavy line where nobody gave a value."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("System prompt", parent)
        self._theme = theme
        self._unresolved: frozenset[str] = frozenset()
        self.setPlaceholderText("None: the model gets no instructions")
        self.textChanged.connect(self.mark)

    def show_unresolved(self, names: Collection[str]) -> None:
        """Say which variables have no value."""
        self._unresolved = frozenset(names)
        self.mark()

    def marked(self) -> tuple[tuple[str, bool], ...]:
        """The text of each variable that is marked, and whether it is marked as one without a value."""
        found = []
        for one in self.extraSelections():
            wavy = one.format.underlineStyle() == QTextCharFormat.UnderlineStyle.WaveUnderline
            found.append((one.cursor.selectedText(), wavy))
        return tuple(found)

    @Slot()
    def mark(self) -> None:
        """Mark what stands there now; for texts that were put in while signals were blocked."""
        text = self.toPlainText()
        marks = []
        for one in occurrences(text) if "{{" in text else ():
            if one.escaped:
                continue
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            # Qt counts in UTF-16
            cursor.setPosition(_units(text[: one.start]))
            cursor.setPosition(_units(text[: one.end]), QTextCursor.MoveMode.KeepAnchor)
            mark.cursor = cursor
            mark.format.setBackground(QColor(self._theme.accent_soft))
            if one.name in self._unresolved:
                mark.format.setBackground(QColor(self._theme.warn_bg))
                mark.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
                mark.format.setUnderlineColor(QColor(self._theme.warn))
            marks.append(mark)
        self.setExtraSelections(marks)

    def set_theme(self, theme: Theme) -> None:
        """Mark in this theme's colours."""
        self._theme = theme
        self.mark()


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)

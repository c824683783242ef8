"""What made an answer, as a table of words that can be read, selected and copied."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextLength, QTextTableFormat
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.core.made_by import Section
from app.core.prompts import is_hash
from app.ui.theme import Theme

_NAMES_SHARE = 30
_EXACT = ("File", "SHA-256")
"""Beginnings of names whose values are read letter by letter."""


class OriginFacts(QTextEdit):
    """Read-only; Tab leaves it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sections: tuple[Section, ...] = ()
        self._prompt = self._words = ""
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("What made this answer")

    def show_facts(self, sections: Sequence[Section], system_prompt: str) -> None:
        """Show these instead of what was shown; what is scrolled to stays in view."""
        if (tuple(sections), system_prompt) == (self._sections, self._prompt):
            return
        self._sections, self._prompt = tuple(sections), system_prompt
        self._write()

    def say(self, words: str) -> None:
        """Show a sentence where there are no facts."""
        self._words = words
        self._write()

    def set_theme(self, theme: Theme) -> None:
        """Write in this theme's colours."""
        self._theme = theme
        self._write()

    def _write(self) -> None:
        bar = self.verticalScrollBar()
        place = bar.value()
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.insertText(self._words, self._format(self._theme.muted))
        for number, section in enumerate(self._sections):
            self._head(cursor, section.title, first=number == 0)
            self._table(cursor, section.rows)
        if self._prompt.strip():
            self._head(cursor, "System prompt", first=not self._sections)
            cursor.insertBlock(QTextBlockFormat(), self._format(self._theme.text))
            cursor.insertText(self._prompt)
        self.moveCursor(QTextCursor.MoveOperation.Start)  # else its end would come into view
        bar.setValue(place)

    def _head(self, cursor: QTextCursor, title: str, *, first: bool) -> None:
        cursor.movePosition(QTextCursor.MoveOperation.End)
        block = QTextBlockFormat()
        block.setTopMargin(0 if first else 10)
        block.setBottomMargin(3)
        if first:
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)
        wording = self._format(self._theme.muted)
        wording.setFontWeight(QFont.Weight.DemiBold)
        cursor.insertText(title, wording)

    def _table(self, cursor: QTextCursor, rows: Sequence[tuple[str, str]]) -> None:
        shape = QTextTableFormat()
        shape.setBorder(0)
        shape.setCellPadding(1)
        shape.setCellSpacing(0)
        share = QTextLength.Type.PercentageLength
        shape.setColumnWidthConstraints([QTextLength(share, _NAMES_SHARE), QTextLength(share, 100 - _NAMES_SHARE)])
        shape.setWidth(QTextLength(share, 100))
        table = cursor.insertTable(len(rows), 2, shape)
        for row, (name, value) in enumerate(rows):
            table.cellAt(row, 0).firstCursorPosition().insertText(name, self._format(self._theme.muted))
            wording = self._format(self._theme.text)
            if name.startswith(_EXACT) or is_hash(value):
                wording.setFontFamilies([self._theme.mono_font])
                wording.setFontPointSize(self._theme.small_pt)
            table.cellAt(row, 1).firstCursorPosition().insertText(value, wording)

    @staticmethod
    def _format(colour: str) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(QColor(colour))
        return made

"""Two texts as one: what only the old has is struck out, what only the new has is marked."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.core.word_diff import Change, DiffPiece
from app.ui.theme import Theme


class DiffView(QTextEdit):
    """Shows the pieces of a comparison by words; read-only, can be selected and copied."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pieces: tuple[DiffPiece, ...] = ()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Differences")

    def show_pieces(self, pieces: Iterable[DiffPiece]) -> None:
        """Show these instead of what was shown."""
        self._pieces = tuple(pieces)
        self.clear()
        cursor = QTextCursor(self.document())
        for piece in self._pieces:
            cursor.insertText(piece.text, self._format(piece.change))

    def _format(self, change: Change) -> QTextCharFormat:
        made = QTextCharFormat()
        if change is Change.ADDED:
            made.setForeground(QColor(self._theme.ok))
            made.setFontUnderline(True)  # colour alone is nothing to those who do not see it
        elif change is Change.REMOVED:
            made.setForeground(QColor(self._theme.danger))
            made.setFontStrikeOut(True)
        return made

    def set_theme(self, theme: Theme) -> None:
        """Draw the pieces in this theme's colours."""
        self._theme = theme
        self.show_pieces(self._pieces)


def words_changed(pieces: Iterable[DiffPiece]) -> tuple[int, int]:
    """How many words were added, and how many removed."""
    counts = {Change.ADDED: 0, Change.REMOVED: 0, Change.EQUAL: 0}
    for piece in pieces:
        counts[piece.change] += len(piece.text.split())
    return counts[Change.ADDED], counts[Change.REMOVED]

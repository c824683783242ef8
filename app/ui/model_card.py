"""A model card as its authors wrote it, shown with the means of the transcript: nothing is loaded, nothing is run."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.ui.buttons import WordButton
from app.ui.card_text import without_html
from app.ui.formula import Formulas
from app.ui.markdown_style import MarkdownStyle
from app.ui.message_body import MessageBody
from app.ui.theme import Theme
from app.ui.transcript_idle import IdleWork

LONGEST_CARD = 60_000
"""Characters of a card that are shown; the rest is on the Hub."""
_FIRST_CARD = 4_000
_MARGIN_PX = 18


class ModelCard(QFrame):
    """Shows untrusted Markdown. `link_activated(str)` for http, https and mailto alone, after a click or Enter."""

    link_activated = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._text = ""
        title = QLabel("Model card")
        title.setProperty("kind", "title")
        note = QLabel("Written by whoever published the repository. Pictures are not loaded.")
        note.setProperty("kind", "faint")
        note.setWordWrap(True)
        self._formulas, self._idle = Formulas(self), IdleWork(self)
        self.body = MessageBody(MarkdownStyle(theme), self._formulas, self._idle, self)
        self.body.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.body.setAccessibleName("Model card")
        self.body.height_changed.connect(self._fit)
        self.body.link_activated.connect(self.link_activated)
        self.whole = WordButton("Show the whole card", theme, kind="link")
        self.whole.clicked.connect(self._show_whole)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, 14, _MARGIN_PX, 14)
        column.setSpacing(8)
        column.addWidget(title)
        column.addWidget(note)
        column.addWidget(self.body)
        column.addWidget(self.whole, 0, Qt.AlignmentFlag.AlignLeft)

    def show_card(self, text: str) -> None:
        """Show a card; "" hides all of it. A long one shows its beginning first."""
        self._text = without_html(text[:LONGEST_CARD])
        begins = self._text
        if len(begins) > _FIRST_CARD:
            cut = begins.rfind("\n\n", 0, _FIRST_CARD)
            begins = begins[: cut if cut > 0 else _FIRST_CARD]
        self.whole.setVisible(begins != self._text)
        self._show(begins)
        self.setVisible(bool(self._text.strip()))

    def _show(self, text: str) -> None:
        self.body.show_markdown(text, complete=True)
        self._fit()

    @Slot()
    def _show_whole(self) -> None:
        self.whole.hide()
        self.body.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show(self._text)

    def set_theme(self, theme: Theme) -> None:
        """Write everything anew in another theme."""
        self.body.restyle(MarkdownStyle(theme))
        self._fit()

    @Slot()
    def _fit(self) -> None:
        width = self.width() - 2 * _MARGIN_PX - 2
        if width > 50:
            self.body.setFixedHeight(max(20, self.body.height_for(width)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

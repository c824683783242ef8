"""A heading over a text that is as high as it needs to be; the page around it scrolls."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.formula import Formulas
from app.ui.markdown_style import MarkdownStyle
from app.ui.message_body import MessageBody
from app.ui.theme import Theme
from app.ui.transcript_idle import IdleWork

_PAD_PX = 10


class TextBlock(QWidget):
    """Shows one text that may be anything. `link_activated(str)` for http, https and mailto alone."""

    link_activated = Signal(str)

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None, *, framed: bool = False) -> None:
        super().__init__(parent)
        self._formulas, self._idle = Formulas(self), IdleWork(self)
        self.title = QLabel(title)
        self.title.setProperty("kind", "section")
        self._note = QLabel()
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setMinimumWidth(1)
        self._note.setProperty("kind", "faint")
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.body = MessageBody(MarkdownStyle(theme), self._formulas, self._idle, self)
        self.body.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.body.setAccessibleName(title)
        self.body.height_changed.connect(self._fit)
        self.body.link_activated.connect(self.link_activated)
        self._frame = QFrame()
        if framed:
            self._frame.setObjectName("card")
        self._pad = _PAD_PX if framed else 0
        inside = QVBoxLayout(self._frame)
        inside.setContentsMargins(self._pad, self._pad, self._pad, self._pad)
        inside.addWidget(self.body)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title)
        head.addWidget(self._note, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._frame)

    def show_text(self, text: str, note: str = "", *, markdown: bool = False) -> None:
        """Show a text, as it is or as Markdown; the note stands beside the heading."""
        self.show_note(note)
        if markdown:
            self.body.show_markdown(text, complete=True)
        else:
            self.body.show_plain(text)
        self._fit()

    def show_note(self, note: str) -> None:
        """Say something else beside the heading."""
        self._note.setText(note)
        self._note.setToolTip(note)

    def add_markdown(self, text: str) -> None:
        """The text has grown by this."""
        self.body.add_markdown(text)

    @property
    def text(self) -> str:
        """What is shown, without marks."""
        return self.body.plain_text

    def set_theme(self, theme: Theme) -> None:
        """Write everything anew in another theme."""
        self.body.restyle(MarkdownStyle(theme))
        self._fit()

    @Slot()
    def _fit(self) -> None:
        width = self.width() - 2 * self._pad - 2
        if width > 40:
            self.body.setFixedHeight(max(18, self.body.height_for(width)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def minimumSizeHint(self) -> QSize:
        """Narrow texts are high."""
        return QSize(80, super().minimumSizeHint().height())

"""One of two answers to be compared: a letter instead of a name, and the text alone."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.ui.formula import Formulas
from app.ui.icons import icon
from app.ui.markdown_style import MarkdownStyle
from app.ui.message_body import MessageBody
from app.ui.theme import Theme
from app.ui.transcript_idle import IdleWork

_SIDE_PX = 20
_WORDS_FROM_PX = 320
_EMPTY = "*This answer is empty.*"


class AnswerPane(QFrame):
    """Shows an answer's Markdown, scrolled by itself. `link_activated(str)` for http, https and mailto alone."""

    link_activated = Signal(str)

    def __init__(self, letter: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column")
        self._formulas, self._idle = Formulas(self), IdleWork(self)
        self._tile, self._name = QLabel(letter), QLabel(f"Answer {letter}")
        self._tile.setProperty("kind", "keys")
        self._name.setProperty("kind", "title")
        self._picture, self._hidden = QLabel(), QLabel("Prompt hidden")
        self._hidden.setProperty("kind", "faint")
        self._inside = QWidget()
        self.body = MessageBody(MarkdownStyle(theme), self._formulas, self._idle, self._inside)
        self.body.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.body.setAccessibleName(f"Answer {letter}")
        self.body.height_changed.connect(self._fit)
        self.body.link_activated.connect(self.link_activated)
        self.area = QScrollArea()
        self.area.setWidget(self._inside)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(_SIDE_PX - 2, 12, _SIDE_PX - 2, 12)
        head.setSpacing(9)
        head.addWidget(self._tile)
        head.addWidget(self._name)
        head.addStretch(1)
        head.addWidget(self._picture)
        head.addWidget(self._hidden)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 1, 6)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(rule)
        column.addWidget(self.area, 1)

    def show_answer(self, text: str) -> None:
        """Show this from its beginning."""
        self.body.show_markdown(text if text.strip() else _EMPTY, complete=True)
        self._fit()
        self.area.verticalScrollBar().setValue(0)

    @property
    def text(self) -> str:
        """What is shown, without marks."""
        return self.body.plain_text

    def go_down(self, steps: int) -> None:
        """Go down by so many half pages; up where they are negative."""
        bar = self.area.verticalScrollBar()
        bar.setValue(bar.value() + steps * bar.pageStep() // 2)

    def set_theme(self, theme: Theme) -> None:
        """Write everything anew in another theme."""
        self._picture.setPixmap(icon("eye-off", theme.faint, 16).pixmap(16, 16))
        if self.body.plain_text:
            self.body.restyle(MarkdownStyle(theme))
        self._fit()

    @Slot()
    def _fit(self) -> None:
        width = self.area.viewport().width()
        if width <= 2 * _SIDE_PX + 20:
            return
        height = max(24, self.body.height_for(width - 2 * _SIDE_PX))
        self._inside.resize(width, height + 28)
        self.body.setGeometry(_SIDE_PX, 14, width - 2 * _SIDE_PX, height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        self._hidden.setVisible(self.width() >= _WORDS_FROM_PX)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Narrow answers are high, and scroll."""
        return QSize(160, 160)

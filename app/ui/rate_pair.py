"""The desk for blind rating: a question, two answers without names, and the buttons, which never move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from app.ui.answer_pane import AnswerPane
from app.ui.buttons import IconButton, WordButton
from app.ui.key_button import KeyButton
from app.ui.theme import Theme
from app.ui.transcript_access import announce

if TYPE_CHECKING:
    from app.core.lab import Question

_FIRST, _EQUAL, _SECOND = 1.0, 0.5, 0.0
_WIDEST_PX = 1200
_QUESTION_PX = 150
_LONGEST_NOTE = 500
_NARROW_PX = 700
_PROMISE = "Names are hidden and sides are shuffled until you finish. Length and speed are not shown."
_SHORT_PROMISE = "Names are hidden and sides are shuffled."


class RatePair(QWidget):
    """Shows one pair. Its keys work wherever the focus is in it, but for the note, where they are typed.

    Signals: `decided(float)`: 1 where the first is better, 0 the second, 0.5 equal; `skipped()`; `undo_asked()`;
    `pause_asked()`; `finish_asked()`; `link_activated(str)`.
    """

    decided = Signal(float)
    skipped = Signal()
    undo_asked = Signal()
    pause_asked = Signal()
    finish_asked = Signal()
    link_activated = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Blind rating")
        self._open = False
        self._count, self._left = QLabel(), QLabel()
        self._count.setProperty("kind", "heading")
        self._left.setProperty("kind", "faint")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedWidth(180)
        self._bar.setAccessibleName("Pairs rated in this round")
        self.undo = IconButton("reset", "Take the last vote back", theme, keys="Backspace")
        self.undo.clicked.connect(self.undo_asked)
        self.finish = WordButton("Finish early", theme, kind="outline")
        self.finish.clicked.connect(self.finish_asked)
        self._question = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._question.setProperty("kind", "title")
        self._question.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._question.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = WordButton("", theme, kind="link")
        self.more.clicked.connect(self._turn_more)
        self._asked: Question | None = None
        self.panes = (AnswerPane("A", theme), AnswerPane("B", theme))
        self.first = KeyButton("1", "A is better", tall=True)
        self.equal = KeyButton("=", "Equally good", tall=True)
        self.second = KeyButton("2", "B is better", tall=True)
        self.skip = KeyButton("0", "Skip")
        self.back = KeyButton("Backspace", "Undo")
        self.pause = KeyButton("Esc", "Pause")
        self.note = QLineEdit()
        self.note.setPlaceholderText("Why? One line, only if you like (N)")
        self.note.setAccessibleName("Why, in one line")
        self.note.setMaxLength(_LONGEST_NOTE)
        self._trouble = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._trouble.setProperty("kind", "danger")
        self._trouble.hide()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedSize(1, 22)
        top = QHBoxLayout()
        top.setSpacing(10)
        caption = QLabel("Question")
        caption.setProperty("kind", "section")
        top.addWidget(caption)
        top.addWidget(self.more)
        top.addStretch(1)
        for part in (self._count, self._bar, self._left, rule, self.undo, self.finish):
            top.addWidget(part)
        asked = QScrollArea(widgetResizable=True)
        asked.setFrameShape(QFrame.Shape.NoFrame)
        asked.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        asked.setWidget(self._question)
        asked.setMaximumHeight(_QUESTION_PX)
        self._asked_area = asked
        answers = QHBoxLayout()
        answers.setSpacing(16)
        votes = QHBoxLayout()
        votes.setSpacing(12)
        for pane in self.panes:
            pane.link_activated.connect(self.link_activated)
            answers.addWidget(pane, 1)
        for button, share in ((self.first, 3), (self.equal, 2), (self.second, 3)):
            votes.addWidget(button, share)
        below = QHBoxLayout()
        below.setSpacing(10)
        below.addWidget(self.note, 3)
        below.addStretch(2)
        for button in (self.skip, self.back, self.pause):
            below.addWidget(button)
        promise = self._promise = QLabel(_PROMISE)
        promise.setProperty("kind", "faint")
        promise.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        promise.setMinimumWidth(1)
        column = QVBoxLayout()
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(asked)
        column.addLayout(answers, 1)
        column.addLayout(votes)
        column.addLayout(below)
        column.addWidget(self._trouble)
        column.addWidget(promise)
        middle = QWidget()
        middle.setMaximumWidth(_WIDEST_PX)
        middle.setLayout(column)
        column.setContentsMargins(20, 14, 20, 12)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addStretch(1)
        whole.addWidget(middle, 1000)
        whole.addStretch(1)

    def _connect(self) -> None:
        for button, outcome in ((self.first, _FIRST), (self.equal, _EQUAL), (self.second, _SECOND)):
            button.clicked.connect(lambda _=False, outcome=outcome: self._decide(outcome))
        self.skip.clicked.connect(self._skip)
        self.back.clicked.connect(self.undo_asked)
        self.pause.clicked.connect(self.pause_asked)
        self.note.returnPressed.connect(self.setFocus)

    # --- showing ----------------------------------------------------------------------------------------------------

    def show_pair(self, question: Question, first: str, second: str, note: str = "") -> None:
        """Show these answers, `first` as A."""
        self._asked = question
        self._question.setText(question.text)
        self.more.setText("Show what came with it" if question.reference or question.system_prompt else "")
        self.more.setVisible(bool(self.more.text()))
        self._fit_question()
        for pane, text in zip(self.panes, (first, second), strict=True):
            pane.show_answer(text)
        self.note.setText(note)
        self._trouble.hide()
        self._open = True
        announce(self, f"Next pair. {question.text}")
        # a button that was clicked keeps the keyboard, as one in the note does not
        if self.note.hasFocus():
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_round(self, done: int, total: int, left: str, *, can_undo: bool) -> None:
        """Show how far the round is."""
        self._count.setText(f"{min(done + 1, total)} of {total}")
        self._bar.setRange(0, max(1, total))
        self._bar.setValue(done)
        self._left.setText(left)
        self.undo.setEnabled(can_undo)
        self.back.setEnabled(can_undo)

    def show_trouble(self, words: str) -> None:
        """Say that something was not kept; the same pair can be decided again."""
        self._trouble.setText(words)
        self._trouble.setVisible(bool(words))
        self._open = True

    @Slot()
    def _turn_more(self) -> None:
        """Show the instructions and the reference answer that came with the question, or hide them."""
        asked = self._asked
        if asked is None:
            return
        shown = self.more.text().startswith("Hide")
        parts = [asked.text]
        if not shown and asked.system_prompt:
            parts.append(f"Instructions: {asked.system_prompt}")
        if not shown and asked.reference:
            parts.append(f"Reference answer: {asked.reference}")
        self._question.setText("\n\n".join(parts))
        self.more.setText("Show what came with it" if shown else "Hide what came with it")
        self._fit_question()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, what only repeats a key gives way."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX
        self._bar.setFixedWidth(70 if narrow else 180)
        for spare in (self._left, self.back, self.pause):
            spare.setVisible(not narrow)
        self._promise.setText(_SHORT_PROMISE if narrow else _PROMISE)
        if self._asked is not None:
            self._fit_question()

    def _fit_question(self) -> None:
        width = max(200, self._asked_area.viewport().width())
        self._asked_area.setFixedHeight(min(_QUESTION_PX, self._question.heightForWidth(width) + 4))
        self._asked_area.verticalScrollBar().setValue(0)

    # --- what the person does ---------------------------------------------------------------------------------------

    @property
    def words(self) -> str:
        """The note as it stands."""
        return " ".join(self.note.text().split())

    def _decide(self, outcome: float) -> None:
        if self._open:
            self._open = False
            self.decided.emit(outcome)

    @Slot()
    def _skip(self) -> None:
        if self._open:
            self._open = False
            self.skipped.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """1, 2, = and 0 decide, Backspace takes back, N writes a note, arrows and page keys scroll both answers."""
        outcomes = {"1": _FIRST, "2": _SECOND, "=": _EQUAL}
        text = event.text()
        plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        scrolls = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 2, Qt.Key.Key_PageUp: -2}
        # a key that is held down must not decide pairs that nobody has read
        fresh = plain and not event.isAutoRepeat()
        if fresh and text in outcomes:
            self._decide(outcomes[text])
        elif fresh and text == "0":
            self._skip()
        elif fresh and event.key() == Qt.Key.Key_Backspace:
            self.undo_asked.emit()
        elif fresh and text.lower() == "n":
            self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif event.key() in scrolls:
            for pane in self.panes:
                pane.go_down(scrolls[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

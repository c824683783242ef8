"""The ranking question by question: who won where, and what was said there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.core.lab import Plan, Vote
from app.scoring.figures import percent
from app.scoring.saying import vote_words
from app.ui.heat_table import HeatCell, HeatRow, HeatTable
from app.ui.ranking_cards import TitledCard, line
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.scoring.standing import Standing

_MOST_ROWS = 10
_MOST_TOLD = 60
_DETAIL_LINES = 7


class QuestionCard(TitledCard):
    """Signals: `question_asked(int)`: show this question of the plan with all its answers."""

    question_asked = Signal(int)

    def __init__(self, plan: Plan, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("By question", line("Enter shows the answers", "faint", wrap=False), parent)
        self._plan = plan
        self._standing: Standing | None = None
        self._votes: Sequence[Vote] = ()
        self.table = HeatTable("Share of duels won, by question", theme, most_rows=_MOST_ROWS)
        self.table.row_chosen.connect(self._tell)
        self.table.row_opened.connect(self._open)
        self.said = QPlainTextEdit()
        self.said.setReadOnly(True)
        self.said.setTabChangesFocus(True)
        self.said.setAccessibleName("What was said about this question")
        self.said.setFixedHeight(self.said.fontMetrics().lineSpacing() * _DETAIL_LINES + 18)
        self.said.hide()
        self.column.addWidget(self.table)
        self.column.addWidget(line("How often each prompt’s answer won there. Ties count half.", "faint"))
        self.column.addWidget(self.said)

    def show_standing(self, standing: Standing, votes: Sequence[Vote]) -> None:
        """Show all questions that have votes; `votes` are those that count."""
        self._standing, self._votes = standing, votes
        order = [one.contestant for one in standing.ranking.ranks]
        names = [self._plan.contestants[one].name for one in order]
        rows = []
        for one in standing.questions:
            question = self._plan.questions[one.question]
            short = " ".join(question.text.split())[:120]
            cells = []
            for at, name in zip(order, names, strict=True):
                share = one.shares[at]
                words = "" if share is None else percent(share)
                warmth = None if share is None else (share - 0.5) * 2
                tip = f"{name} was not compared here" if share is None else f"{name} won {words} here"
                cells.append(HeatCell(words, warmth, tip))
            rows.append(HeatRow(f"{question.key}: {short}", tuple(cells)))
        self.setVisible(bool(rows))
        self.table.show_rows(names, rows)
        self._tell(self.table.currentIndex().row())

    @Slot(int)
    def _tell(self, row: int) -> None:
        """Say what was said of the question in this line."""
        standing = self._standing
        if standing is None or not 0 <= row < len(standing.questions):
            self.said.hide()
            return
        asked = standing.questions[row].question
        names = [one.name for one in self._plan.contestants]
        told = [vote_words(vote, names, "You") for vote in self._votes if vote.question == asked]
        more = f"\n… and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
        self.said.setPlainText(f"{self._plan.questions[asked].text}\n\n" + "\n".join(told[:_MOST_TOLD]) + more)
        self.said.show()

    @Slot(int)
    def _open(self, row: int) -> None:
        if self._standing is not None and 0 <= row < len(self._standing.questions):
            self.question_asked.emit(self._standing.questions[row].question)

    def take_focus(self) -> None:
        """Put the keyboard on the table."""
        if not self.table.currentIndex().isValid():
            self.table.setCurrentIndex(self.table.model().index(0, 1))
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

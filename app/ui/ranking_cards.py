"""The cards of the ranking page: what it says, whose votes there are, whether they agree, and files to take away."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.lab import Contestant
from app.scoring.figures import percent
from app.scoring.saying import listed
from app.ui.buttons import WordButton
from app.ui.heat_table import HeatCell, HeatRow, HeatTable
from app.ui.rate_pages import ROUNDS
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.scoring.agreement import Agreement
    from app.scoring.standing import Standing

_VERDICTS = ("first", "equal", "second")


def line(words: str, kind: str, *, wrap: bool = True) -> QLabel:
    """A line of plain text in one of the style sheet's kinds."""
    made = QLabel(words, wordWrap=wrap, textFormat=Qt.TextFormat.PlainText)
    made.setProperty("kind", kind)
    return made


class TitledCard(QFrame):
    """A frame with a title, and a note at its right."""

    def __init__(self, title: str, note: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(18, 14, 18, 16)
        self.column.setSpacing(10)
        head = QHBoxLayout()
        head.setSpacing(10)
        self.title = line(title, "title", wrap=False)
        head.addWidget(self.title)
        head.addStretch(1)
        if note is not None:
            head.addWidget(note)
        self.column.addLayout(head)


class SaysCard(TitledCard):
    """What the ranking says. Signals: `rate_asked(int)`: rate so many pairs; `questions_asked()`: look at questions."""

    rate_asked = Signal(int)
    questions_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("What this says", parent=parent)
        self._most = 0
        self.words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hint = line("", "muted")
        self.rate = WordButton("", theme, kind="filled")
        self.rate.clicked.connect(lambda: self.rate_asked.emit(self._most))
        self.questions = WordButton("By question", theme, kind="outline")
        self.questions.clicked.connect(self.questions_asked)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.rate)
        row.addWidget(self.questions)
        row.addStretch(1)
        self.column.addWidget(self.words)
        self.column.addWidget(self.hint)
        self.column.addLayout(row)

    def show_standing(self, standing: Standing, contestants: Sequence[Contestant]) -> None:
        """Say it, and what would tell more."""
        parts = (
            f"<b>{html.escape(one.text)}</b>" if one.strong else html.escape(one.text) for one in standing.says
        )  # a name may look like markup
        self.words.setText(f'<div style="line-height: 135%">{"".join(parts)}</div>')
        self._most = min(ROUNDS[0], standing.open)
        self.rate.setText(f"Rate {self._most} more" if standing.person else f"Rate {self._most}")
        self.rate.setVisible(standing.open > 0)
        self.questions.setVisible(bool(standing.questions))
        if standing.following is not None:
            both = listed([contestants[one].name for one in standing.following])
            count = "Ten more pairs" if self._most == ROUNDS[0] else f"{self._most} more"
            self.hint.setText(f"{count} of {both} would tell the most." if standing.ranking.votes else "")
        else:
            self.hint.setText("You have compared all pairs of answers." if standing.person else "")
        self.hint.setVisible(bool(self.hint.text()))


class VotesCard(TitledCard):
    """How many votes there are, and by whom."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Votes", parent=parent)
        self._numbers: dict[str, QLabel] = {}
        row = QHBoxLayout()
        row.setSpacing(10)
        for words in ("votes in all", "by the judge", "by you"):
            number = line("0", "hero", wrap=False)
            self._numbers[words] = number
            column = QVBoxLayout()
            column.setSpacing(0)
            column.addWidget(number)
            column.addWidget(line(words, "muted", wrap=False))
            row.addLayout(column)
            row.addStretch(1)
        self.note = line("", "faint")
        self.column.addLayout(row)
        self.column.addWidget(self.note)

    def show_standing(self, standing: Standing) -> None:
        """Show the numbers."""
        counts = (standing.judge + standing.person, standing.judge, standing.person)
        for (words, label), count in zip(self._numbers.items(), counts, strict=True):
            label.setText(f"{count:,}")
            label.setAccessibleName(f"{count:,} {words}")
        self.note.setText(_compared(standing.compared))
        self.note.setVisible(bool(self.note.text()))


def _compared(compared: Sequence[int]) -> str:
    """How often each pair of prompts was compared, in words."""
    if not compared:
        return ""
    pairs = "1 pair of prompts" if len(compared) == 1 else f"{len(compared)} pairs of prompts, each"
    low, high = compared[0], compared[-1]
    if low == high:
        return f"{pairs} compared {'once' if low == 1 else f'{low} times'}"
    return f"{pairs} compared {low} {'or' if high == low + 1 else 'to'} {high} times"


class AgreementCard(TitledCard):
    """Whether person and judge say the same, and the judge the same in both orders."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Do you and the judge agree?", parent=parent)
        self.share = line("", "hero", wrap=False)
        self.facts = line("", "faint")
        self.table = HeatTable("Your verdicts against the judge's", theme)
        self.steady = line("", "faint")
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.share)
        row.addWidget(self.facts, 1)
        self.column.addLayout(row)
        self.column.addWidget(self.table)
        self.column.addWidget(self.steady)

    def show_standing(self, standing: Standing) -> None:
        """Show both; hidden where no judge said anything."""
        found, steady = standing.agreement, standing.steadiness
        self.setVisible(standing.judge > 0)
        self.title.setText("Do you and the judge agree?" if found.pairs else "The judge")
        for part in (self.share, self.facts, self.table):
            part.setVisible(found.pairs > 0)
        if found.share is not None and found.low is not None and found.high is not None:
            self.share.setText(percent(found.share))
            kappa = "not defined" if found.kappa is None else f"{found.kappa:.2f}".replace("-", "−")
            of = "1 pair" if found.pairs == 1 else f"{found.pairs} pairs"
            around = f"95 % interval {found.low * 100:.0f} to {found.high * 100:.0f}"
            self.facts.setText(f"of {of}, {around}\nCohen’s κ {kappa}")
            self.facts.setToolTip("κ: 1 is full agreement, 0 is what chance alone would give")
            self.table.show_rows([f"Judge: {_VERDICTS[0]}", *_VERDICTS[1:]], _verdict_rows(found))
        told = "" if found.pairs else "You have not rated any pair that the judge has. "
        if steady.share is not None:
            told += f"Changed its mind when the order was swapped: {percent(steady.share)}"
        self.steady.setText(told)
        self.steady.setVisible(bool(told))


def _verdict_rows(found: Agreement) -> list[HeatRow]:
    most = max(max(row) for row in found.table) or 1
    rows = []
    for at, row in enumerate(found.table):
        cells = tuple(
            HeatCell(
                str(count),
                count / most if at == other else -0.12 - 0.5 * count / most,
                f"{count} times you said {_VERDICTS[at]} and the judge said {_VERDICTS[other]}",
            )
            for other, count in enumerate(row)
        )
        rows.append(HeatRow(f"You: {_VERDICTS[at]}" if at == 0 else _VERDICTS[at], cells))
    return rows


class ExportCard(TitledCard):
    """Signals: `asked(str)` with "report", "votes-csv", "answers-jsonl" or "training"."""

    asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent=parent)
        grid = QGridLayout()
        grid.setSpacing(8)
        self.buttons: dict[str, WordButton] = {}
        for at, (kind, words, icon_name, tip) in enumerate(
            (
                ("report", "HTML report", "file", "One file with plots that opens anywhere"),
                ("votes-csv", "CSV", "table", "One row for each vote"),
                ("answers-jsonl", "JSONL", "braces", "Answers, checks and what made them"),
                ("training", "Training data", "cap", "Answers that won, or preference pairs, to train a model with"),
            )
        ):
            button = WordButton(words, theme, kind="outline", icon_name=icon_name)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, kind=kind: self.asked.emit(kind))
            grid.addWidget(button, at // 2, at % 2)
            self.buttons[kind] = button
        self.column.addLayout(grid)

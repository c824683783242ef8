"""What was found in one answer, as rows: the checks, and what the judge and the person said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QLayout, QVBoxLayout, QWidget

from app.core.checks import name_of
from app.core.duel_table import mine
from app.core.judging import Judgement
from app.core.lab import Check, Finding, Place, Plan, Rater, Vote
from app.ui.contestant_colours import mark_pixmap
from app.ui.icons import icon
from app.ui.judge_words import JudgeWords
from app.ui.model_facts import ElidedLabel
from app.ui.theme import Theme

_OUTCOMES = {1.0: "won", 0.0: "lost", 0.5: "tied"}


class ChecksTable(QWidget):
    """A line for each check: whether it passed, and why."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: tuple[tuple[Check, Finding], ...] = ()
        self._heading, self._count = _heading("Checks"), QLabel()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        _stack(self, self._heading, self._count, self._grid)

    def show_findings(self, checks: Sequence[Check], findings: Sequence[Finding] | None) -> None:
        """Show these; hidden where there are no checks."""
        self._rows = tuple(zip(checks, findings or (), strict=False))
        self.setVisible(bool(checks))
        passed = sum(found.passed for _, found in self._rows)
        fine = passed == len(self._rows)
        self._count.setText(f"{passed} of {len(self._rows)} passed" if self._rows else "Looking…")
        _set_kind(self._count, "muted" if not self._rows else "good" if fine else "bad")
        self._fill()

    def _fill(self) -> None:
        _empty(self._grid)
        # what failed is what one looks for
        for at, (check, found) in enumerate(sorted(self._rows, key=lambda row: row[1].passed)):
            name, tone = ("check", "ok") if found.passed else ("close", "danger")
            picture = QLabel()
            picture.setPixmap(icon(name, getattr(self._theme, tone), 15).pixmap(15, 15))
            picture.setAccessibleName("Passed" if found.passed else "Failed")
            words = _plain(name_of(check), "good" if found.passed else "bad", wrap=True)
            if found.passed:
                words.setProperty("kind", "")
            said = _plain(found.words, "faint", wrap=True)
            self._grid.addWidget(picture, 2 * at, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(words, 2 * at, 1)
            if not found.passed:
                self._grid.addWidget(said, 2 * at + 1, 1)
            else:
                words.setToolTip(found.words)

    def set_theme(self, theme: Theme) -> None:
        """Draw the shapes in this theme's colours."""
        self._theme = theme
        self._fill()


@dataclass(frozen=True, slots=True)
class _Against:
    """What one rater said of this answer and another one; `shown` by whether this one was shown first."""

    other: int
    rater: Rater
    shown: dict[bool, float]

    @property
    def counts_as(self) -> float:
        mean = sum(self.shown.values()) / len(self.shown)
        return 1.0 if mean > 0.5 else 0.0 if mean < 0.5 else 0.5


class DuelsTable(QWidget):
    """A line for each other prompt that this answer was compared with, and what was said about them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[Plan, list[_Against]] | None = None
        self._count = QLabel()
        self._count.setProperty("kind", "fact")
        self._heading = _heading("Compared with")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self.words = JudgeWords(theme)
        column = _stack(self, self._heading, self._count, self._grid)
        column.addWidget(self.words)

    def show_votes(
        self, plan: Plan, place: Place, votes: dict[int, tuple[Vote, ...]], judgements: Sequence[Judgement]
    ) -> None:
        """Show the votes about an answer; `judgements` are all of the judge's about it, also those without verdict."""
        rows: dict[tuple[int, Rater], dict[bool, float]] = {}
        for other, about in votes.items():
            for vote in about:
                shown = rows.setdefault((other, vote.rater), {})
                shown[vote.first == place.contestant] = mine(vote, place.contestant)
        against = [_Against(other, rater, shown) for (other, rater), shown in sorted(rows.items())]
        self._shown = (plan, against)
        counts = {outcome: sum(row.counts_as == outcome for row in against) for outcome in _OUTCOMES}
        self._count.setText(", ".join(f"{many} {_OUTCOMES[outcome]}" for outcome, many in counts.items() if many))
        self.words.show_judgements(plan, place, judgements)
        self.setVisible(bool(against or judgements))
        self._fill()

    def _fill(self) -> None:
        _empty(self._grid)
        if self._shown is None:
            return
        plan, against = self._shown
        if not against:  # the judge spoke, but came to no verdict
            return
        tips = ("", "", "This answer was shown first", "This answer was shown second", "Both orders together")
        for at, (words, tip) in enumerate(zip(("", "Against", "First", "Second", "Counts as"), tips, strict=True)):
            heading = _plain(words, "faint")
            heading.setToolTip(tip)
            self._grid.addWidget(heading, 0, at)
        for line, row in enumerate(against, start=1):
            mark = QLabel()
            mark.setPixmap(mark_pixmap(row.other, self._theme))
            name = plan.contestants[row.other].name + (" (you)" if row.rater is Rater.PERSON else "")
            self._grid.addWidget(mark, line, 0)
            self._grid.addWidget(ElidedLabel(name), line, 1)
            for at, first in ((2, True), (3, False)):
                said = row.shown.get(first)
                self._grid.addWidget(_plain(_OUTCOMES[said] if said is not None else "–", "muted"), line, at)
            words, kind = {1.0: ("Win", "good"), 0.0: ("Loss", "bad"), 0.5: ("Tie", "warn")}[row.counts_as]
            self._grid.addWidget(_plain(words, kind), line, 4)

    def set_theme(self, theme: Theme) -> None:
        """Draw the marks in this theme's colours."""
        self._theme = theme
        self._fill()


def _heading(words: str) -> QLabel:
    made = QLabel(words)
    made.setProperty("kind", "section")
    return made


def _plain(words: str, kind: str, *, wrap: bool = False) -> QLabel:
    made = QLabel(words)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("kind", kind)
    made.setWordWrap(wrap)
    return made


def _set_kind(label: QLabel, kind: str) -> None:
    label.setProperty("kind", kind)
    label.style().unpolish(label)
    label.style().polish(label)


def _stack(widget: QWidget, heading: QLabel, count: QLabel, grid: QGridLayout) -> QVBoxLayout:
    head = QGridLayout()
    head.addWidget(heading, 0, 0)
    head.addWidget(count, 0, 1, Qt.AlignmentFlag.AlignRight)
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    column.addLayout(head)
    column.addLayout(grid)
    return column


def _empty(layout: QLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()

"""What a judge wrote about an answer, a paragraph for each pair, and a button that tells what made it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.judging import SAME_WORDS, Duel, Judgement
from app.core.lab import Place, Plan
from app.ui.buttons import IconButton
from app.ui.markdown_parse import BREAK_OPPORTUNITY
from app.ui.theme import Theme

_UNBROKEN = re.compile(r"\S{20}(?=\S{10})")
"""A small model's judgement may be one letter for ever, and a label would ask for all of its width."""


class JudgeWords(QWidget):
    """Hidden while there are none. `origin_asked(Duel)`: what made the verdict on this pair."""

    origin_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: list[_Said] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.hide()

    @property
    def words(self) -> str:
        """All that is shown."""
        told = "\n\n".join(row.words.text() for row in self.rows if not row.isHidden())
        return told.replace(BREAK_OPPORTUNITY, "")

    def show_judgements(self, plan: Plan, place: Place, judgements: Sequence[Judgement]) -> None:
        """Show what was said of the answer at `place`."""
        told = [one for one in judgements if one.words or one.error]
        while len(self.rows) < len(told):
            self._add_row()
        for row, one in zip(self.rows, told, strict=False):
            row.show_judgement(plan, place, one)
        for row in self.rows[len(told) :]:
            row.hide()
        self.setVisible(bool(told))

    def _add_row(self) -> None:
        row = _Said(self._theme)
        row.asked.connect(self.origin_asked)
        self.rows.append(row)
        self._column.addWidget(row)

    def set_theme(self, theme: Theme) -> None:
        """Make further rows in this theme."""
        self._theme = theme


class _Said(QWidget):
    """What was said of one pair."""

    asked = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._duel: Duel | None = None
        self.words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.words.setProperty("kind", "muted")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.origin = IconButton("info", "What made this verdict", theme, side_px=26)
        self.origin.clicked.connect(self._ask)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.words, 1)
        line.addWidget(self.origin, 0, Qt.AlignmentFlag.AlignTop)

    def show_judgement(self, plan: Plan, place: Place, one: Judgement) -> None:
        """Show this one."""
        self._duel = one.duel
        self.words.setText(_UNBROKEN.sub(rf"\g<0>{BREAK_OPPORTUNITY}", _said(plan, place, one)))
        against = plan.contestants[_other(place, one.duel)].name
        order = "first" if one.duel.first == place.contestant else "second"
        self.origin.setAccessibleName(f"What made this verdict: against {against}, shown {order}")
        # nobody was asked about equal answers, and there is no verdict where the judge could not answer
        self.origin.setVisible(not one.error and one.words != SAME_WORDS)
        self.show()

    def _ask(self) -> None:
        if self._duel is not None:
            self.asked.emit(self._duel)


def _other(place: Place, duel: Duel) -> int:
    return duel.second if duel.first == place.contestant else duel.first


def _said(plan: Plan, place: Place, one: Judgement) -> str:
    """What the judge wrote about two answers."""
    order = "first" if one.duel.first == place.contestant else "second"
    verdict = "" if one.outcome is not None else " (no verdict)"
    said = one.words
    if one.outcome is not None and "\n" in said.strip():
        said = said.strip().rsplit("\n", 1)[0].rstrip()  # the verdict stands in the table
    return f"Against {plan.contestants[_other(place, one.duel)].name}, shown {order}{verdict}: {said or one.error}"

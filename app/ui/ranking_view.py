"""Which prompt of a run is best, by the votes: the ranking with its intervals, who beat whom, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.core.errors import AppError
from app.core.judging import Counted
from app.core.lab import CellState
from app.scoring.figures import percent
from app.services.notice import Notice
from app.ui.heat_table import HeatCell, HeatRow, HeatTable
from app.ui.model_facts import ElidedLabel
from app.ui.question_card import QuestionCard
from app.ui.rank_plot import RankPlot, RankRow
from app.ui.ranking_cards import AgreementCard, ExportCard, SaysCard, TitledCard, VotesCard, line
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.scoring.standing import Standing
    from app.services.lab_run import LabRun
    from app.ui.model_services import ModelServices

_SIDE_PX = 370
_NARROW_PX = 900
_ANY_PX = 16_777_215
_SETTLE_MS = 800
_STATES = {"draft": "Not started", "running": "Running", "paused": "Paused", "done": "Finished"}
_WORDS = {Counted.BOTH: "Judge and you", Counted.JUDGE: "Judge", Counted.PERSON: "You"}


class RankingView(QWidget):
    """Shows one run's ranking; while it is on screen it follows the votes.

    Signals: `rate_asked(int)`: rate so many pairs; `export_asked(RunFile)`: write this of the run to a file;
    `question_asked(int)`: show this question with its answers; `notice(Notice)`: something to tell.
    """

    rate_asked = Signal(int)
    export_asked = Signal(object)
    question_asked = Signal(int)
    notice = Signal(object)

    def __init__(self, run: LabRun, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run, self._services, self._theme = run, services, theme
        self.standing: Standing | None = None
        self._asking = self._stale = False
        self._state, self._counts = line("", "heading", wrap=False), line("", "muted", wrap=False)
        self._whose = line("Count votes by", "muted", wrap=False)
        self.choices = {counted: self._make_choice(counted) for counted in Counted}
        self.plot = RankPlot(theme)
        self._how = ElidedLabel("")
        self._how.setProperty("kind", "faint")
        self._ranking = TitledCard("Ranking", self._how)
        self.wins = HeatTable("Win table: how often the row beat the column", theme)
        self._wins_card = TitledCard("Win table", line("orange loses, blue wins", "faint", wrap=False))
        self.says = SaysCard(theme)
        self.votes = VotesCard()
        self.agreement = AgreementCard(theme)
        self.export = ExportCard(theme)
        self.questions = QuestionCard(run.plan, theme)
        self.area = QScrollArea(widgetResizable=True)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._right = QWidget()
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._look)
        self._lay_out()
        self._connect()
        self._show_head()

    def _make_choice(self, counted: Counted) -> QToolButton:
        made = QToolButton()
        made.setText(_WORDS[counted])
        made.setProperty("kind", "pill")
        made.setCheckable(True)
        made.setChecked(counted is Counted.BOTH)
        made.setAccessibleName(f"Count votes by {_WORDS[counted].lower()}")
        return made

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._state)
        head.addWidget(self._counts)
        head.addStretch(1)
        head.addWidget(self._whose)
        group = QButtonGroup(self)
        for choice in self.choices.values():
            group.addButton(choice)
            head.addWidget(choice)
        self._ranking.column.addWidget(self.plot)
        self._wins_card.column.addWidget(self.wins)
        note = "How often the row’s answer beat the column’s, over both orders. Ties count half."
        self._wins_card.column.addWidget(line(note, "faint"))
        left = QVBoxLayout()
        left.setSpacing(14)
        for card in (self._ranking, self._wins_card, self.questions):
            left.addWidget(card)
        left.addStretch(1)
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(14)
        for card in (self.says, self.votes, self.agreement, self.export):
            right.addWidget(card)
        right.addStretch(1)
        self._columns.setSpacing(14)
        self._columns.addLayout(left, 1)
        self._columns.addWidget(self._right)
        inside = QWidget()
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(20, 14, 20, 18)
        whole.setSpacing(14)
        whole.addLayout(head)
        whole.addLayout(self._columns)
        whole.addStretch(1)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidget(inside)
        self.area.setAccessibleName("Ranking")
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(self.area)

    def _connect(self) -> None:
        for choice in self.choices.values():
            choice.clicked.connect(self._look)
        self.says.rate_asked.connect(self.rate_asked)
        self.says.questions_asked.connect(self._to_questions)
        self.questions.question_asked.connect(self.question_asked)
        self.export.asked.connect(self._export)
        self._run.ballots.changed.connect(self._changed)
        self._run.judged.connect(self._changed)
        self._run.cell_changed.connect(self._changed)
        self._run.state_changed.connect(self._changed)

    # --- showing ----------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Somebody comes here."""
        self._look()
        (self.says.rate if self.says.rate.isVisible() else self.area).setFocus(Qt.FocusReason.OtherFocusReason)

    def escape(self) -> bool:
        """Nothing here has to be stopped or closed."""
        return False

    @property
    def counted(self) -> Counted:
        """Whose votes count."""
        return next((counted for counted, choice in self.choices.items() if choice.isChecked()), Counted.BOTH)

    @Slot()
    def _changed(self) -> None:
        """Something is other than it was: the ranking follows when things have calmed down, if somebody looks."""
        self._stale = True
        if self.isVisible() and not self._settle.isActive():
            self._settle.start()

    def showEvent(self, event: QShowEvent) -> None:
        """What came while nobody looked is shown now."""
        super().showEvent(event)
        if self._stale or self.standing is None:
            self._look()

    @Slot()
    def _look(self) -> None:
        """Work the ranking out anew."""
        if self._asking:
            self._stale = True
            return
        self._asking, self._stale = True, False
        self._services.judging.standing(self._run, self.counted, self._found, self._not_found)

    def _found(self, standing: Standing) -> None:
        if not isValid(self):
            return  # another run was opened meanwhile
        self._asking = False
        self.standing = standing
        self._show_head()
        self._show_ranking(standing)
        self._show_wins(standing)
        self.says.show_standing(standing, self._run.plan.contestants)
        self.votes.show_standing(standing)
        self.agreement.show_standing(standing)
        self.questions.show_standing(standing, self.counted.of(self._run.votes()))
        if self._stale or standing.counted is not self.counted:
            self._look()

    def _not_found(self, error: AppError) -> None:
        if not isValid(self):
            return
        self._asking = False
        self.notice.emit(Notice.of(error))

    def _show_head(self) -> None:
        cells = self._run.cells().values()
        answers = sum(cell.state is CellState.DONE for cell in cells)
        votes = self._run.votes()
        self._state.setText(_STATES.get(str(self._run.state), ""))
        self._counts.setText(
            f"{answers:,} {'answer' if answers == 1 else 'answers'}, {len(votes):,} "
            f"{'vote' if len(votes) == 1 else 'votes'}"
        )
        for counted, choice in self.choices.items():
            choice.setEnabled(counted is Counted.BOTH or bool(counted.of(votes)) or choice.isChecked())

    def _show_ranking(self, standing: Standing) -> None:
        found, contestants = standing.ranking, self._run.plan.contestants
        self._ranking.setVisible(found.votes > 0)
        resamples = f"95 % intervals from {found.resamples:,} resamples"
        self._how.setText(f"Bradley–Terry, {resamples}" if found.resamples else "Bradley–Terry")
        self.plot.show_rows(
            [
                RankRow(one.contestant, contestants[one.contestant].name, one.points, one.low, one.high)
                for one in found.ranks
            ]
        )

    def _show_wins(self, standing: Standing) -> None:
        contestants = self._run.plan.contestants
        order = [one.contestant for one in standing.ranking.ranks]
        self._wins_card.setVisible(standing.ranking.votes > 0)
        rows = []
        for one in order:
            cells = []
            for other in order:
                duels, names = standing.table[one][other], (contestants[one].name, contestants[other].name)
                share = duels.share
                if share is None:
                    cells.append(HeatCell("", None, "" if one == other else "Never compared"))
                else:
                    tip = f"{names[0]} beat {names[1]} in {duels.wins:g} of {duels.votes} votes"
                    cells.append(HeatCell(percent(share), (share - 0.5) / 0.45, tip))
            rows.append(HeatRow(contestants[one].name, tuple(cells), one))
        self.wins.show_rows([contestants[one].name for one in order], rows)

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot()
    def _to_questions(self) -> None:
        self.area.ensureWidgetVisible(self.questions, 0, 20)
        self.questions.take_focus()

    @Slot(str)
    def _export(self, kind: str) -> None:
        if kind == "training":
            self._export_training()
            return
        from app.services.run_files import RunFile

        self.export_asked.emit(RunFile(kind))

    def _export_training(self) -> None:
        from app.ui.training_dialog import TrainingDialog

        dialog = TrainingDialog(self._services.judging.source(self._run), self._services.origins, self._theme, self)
        # a slot that held on to this page would destroy it with the dialog
        dialog.written.connect(self._training_written)
        dialog.open()

    @Slot(str)
    def _training_written(self, path: str) -> None:
        self.notice.emit(Notice("The training data was written", path))

    # --- the page itself --------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for a dialog to come."""
        self._theme = theme

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the cards stand below one another."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)
        self._columns.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        )  # fmt: skip
        self._whose.setVisible(not narrow)
        self._right.setMinimumWidth(0 if narrow else _SIDE_PX)
        self._right.setMaximumWidth(_ANY_PX if narrow else _SIDE_PX)

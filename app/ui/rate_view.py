"""Blind rating of one run: a start, the pairs, and what came of the round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.core.errors import AppError
from app.core.judging import Ballot, Duel
from app.core.lab import Cell, CellState, Place
from app.ui.rate_pages import RateEnd, RateStart
from app.ui.rate_pair import RatePair
from app.ui.rate_round import RateRound
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.scoring.standing import Teaching
    from app.services.lab_run import LabRun
    from app.ui.model_services import ModelServices

_AHEAD = 12
"""So many pairs are looked for at once."""
_FRESHEN_AT = 7
"""With fewer waiting, they are chosen anew by what the votes have said since."""
_SETTLE_MS = 500


class RateView(QWidget):
    """Rates one run. A vote counts once it is on the disk; only then the next pair is shown.

    Signals: `ranking_asked()`: show what came of it; `link_activated(str)`: a link in an answer was clicked.
    """

    ranking_asked = Signal()
    link_activated = Signal(str)

    def __init__(self, run: LabRun, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run, self._judging = run, services.judging
        self._round: RateRound | None = None
        self._asking = False
        self._open: int | None = None
        self.start = RateStart(theme)
        self.pair = RatePair(theme)
        self.end = RateEnd(theme)
        self.pages = QStackedWidget()
        for page in (self.start, self.pair, self.end):
            self.pages.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pages)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._look)
        self._connect()
        self._show_start()

    def _connect(self) -> None:
        self.start.begun.connect(self.begin)
        self.start.resumed.connect(self._resume)
        self.pair.decided.connect(self._decide)
        self.pair.skipped.connect(lambda: self._say(None))
        self.pair.undo_asked.connect(self._undo)
        self.pair.pause_asked.connect(self.escape)
        self.pair.finish_asked.connect(self._finish)
        self.pair.link_activated.connect(self.link_activated)
        self.end.ranking_asked.connect(self.ranking_asked)
        self.end.more_asked.connect(self.begin)
        ballots = self._run.ballots
        ballots.kept.connect(self._kept)
        ballots.taken_back.connect(self._taken_back)
        ballots.failed.connect(self._failed)
        ballots.changed.connect(self._changed)
        self._run.cell_changed.connect(self._cell_changed)

    # --- showing ----------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Somebody comes here: a round that was begun goes on where it was."""
        shown = self.pages.currentWidget()
        if shown is self.pair:
            self._resume()
        elif shown is self.start:
            self._show_start()
            self._look()
            self.start.take_focus()
        else:
            self.end.ranking.setFocus(Qt.FocusReason.OtherFocusReason)

    def escape(self) -> bool:
        """Leave the note, else pause the round; False where there is neither."""
        if self.pages.currentWidget() is not self.pair:
            return False
        if self.pair.note.hasFocus():
            self.pair.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        self.pages.setCurrentWidget(self.start)
        self._show_start()
        self.start.take_focus()
        return True

    @property
    def round(self) -> RateRound | None:
        """The round that is going on or paused."""
        return self._round

    def _show_start(self) -> None:
        left = self._round.total - self._round.done if self._round is not None else 0
        answers = sum(cell.state is CellState.DONE for cell in self._run.cells().values())
        self.start.show_state(len(self._run.ballots.votes()), self._open, answers=answers, left=left)

    @Slot()
    def _changed(self) -> None:
        """There are other answers or votes: what is said of them follows when things have calmed down."""
        if self.pages.currentWidget() is self.start and not self._settle.isActive():
            self._settle.start()

    @Slot(object)
    def _cell_changed(self, cell: Cell) -> None:
        """An answer that is on the desk and is asked for again cannot be compared any more."""
        self._changed()
        duel = self._round.current if self._round is not None else None
        if duel is not None and cell.place in (
            Place(one, duel.question, duel.seed) for one in (duel.first, duel.second)
        ):
            assert self._round is not None
            self._round.current = None
            if self.pages.currentWidget() is self.pair:
                self._advance()

    @Slot()
    def _look(self) -> None:
        """Count the pairs that are open, and find the next ones."""
        if self._asking:
            return
        self._asking = True
        known = len(self._run.ballots.all())
        self._judging.pairs(self._run, _AHEAD, lambda teaching: self._found(teaching, known), self._not_found)

    def _found(self, teaching: Teaching, known: int) -> None:
        """These come next. What was decided while they were looked for is not open any more."""
        if not isValid(self):
            return  # another run was opened meanwhile
        self._asking = False
        decided = [one.duel for one in self._run.ballots.all()]
        self._open = max(0, teaching.open - (len(decided) - known))
        now = self._round
        if now is None:
            self._show_start()
            return
        now.offer((Duel(one.question, one.seed, one.first, one.second) for one in teaching.pairs), decided)
        # the answers there are may be fewer than the round wanted
        now.total = min(now.total, now.done + self._open)
        if now.current is None:
            self._advance()
        elif self.pages.currentWidget() is self.start:
            self._show_start()
        else:
            self._show_round()

    def _not_found(self, error: AppError) -> None:
        if not isValid(self):
            return
        self._asking = False
        self.pair.show_trouble(f"The next pair could not be found: {error.title}. {error.hint}")

    # --- a round ----------------------------------------------------------------------------------------------------

    @Slot(int)
    def begin(self, pairs: int) -> None:
        """Begin a round of so many pairs, the most telling first. One that is paused ends."""
        self._round = RateRound(max(1, pairs))
        self.pages.setCurrentWidget(self.pair)
        self._show_round()
        self.pair.setFocus(Qt.FocusReason.OtherFocusReason)
        self._look()

    @Slot()
    def _resume(self) -> None:
        now = self._round
        if now is None:
            return
        now.resume()
        self.pages.setCurrentWidget(self.pair)
        self._show_round()
        self.pair.setFocus(Qt.FocusReason.OtherFocusReason)
        if now.current is None:
            self._advance()
        elif not self._is_answered(now.current):
            now.current = None
            self._advance()

    def _advance(self) -> None:
        """Show the next pair; look for more where few wait; end where there are none."""
        now = self._round
        if now is None:
            return
        duel = now.advance()
        while duel is not None and not self._is_answered(duel):
            duel = now.advance()
        if duel is not None:
            self._show_pair(duel)
        if now.is_over or (duel is None and not self._asking and self._open == 0):
            self._finish()
        elif duel is None or (now.waiting < _FRESHEN_AT and now.wanted):
            self._look()
        self._show_round()

    def _show_pair(self, duel: Duel, note: str = "") -> None:
        question = self._run.plan.questions[duel.question]
        first, second = (self._run.cell(Place(one, duel.question, duel.seed)).text for one in (duel.first, duel.second))
        self.pair.show_pair(question, first, second, note)

    def _is_answered(self, duel: Duel) -> bool:
        """Whether both answers are still there: they may have been asked for again."""
        places = (Place(one, duel.question, duel.seed) for one in (duel.first, duel.second))
        return all(self._run.cell(place).state is CellState.DONE for place in places)

    def _show_round(self) -> None:
        now = self._round
        if now is not None:
            can_undo = bool(self._run.ballots.all())
            self.pair.show_round(now.done, now.total, now.left_words(), can_undo=can_undo)

    @Slot()
    def _finish(self) -> None:
        now, self._round = self._round, None
        if now is None:
            return
        if not now.done:
            self.pages.setCurrentWidget(self.start)
            self._show_start()
            return
        self.end.show_round(now.done, now.tally(), self._run.plan.contestants, self._open or 0)
        self.pages.setCurrentWidget(self.end)
        self.end.ranking.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot(float)
    def _decide(self, outcome: float) -> None:
        self._say(outcome)

    def _say(self, outcome: float | None) -> None:
        now = self._round
        if now is None or now.current is None:
            return
        if not self._run.ballots.add(now.current, outcome, self.pair.words):
            self.pair.show_trouble("")

    @Slot(object)
    def _kept(self, ballot: Ballot) -> None:
        now = self._round
        if now is None or now.current != ballot.duel:
            return
        now.decided(ballot)
        if self._open is not None:
            self._open = max(0, self._open - 1)
        self._advance()

    @Slot()
    def _undo(self) -> None:
        self._run.ballots.take_back()

    @Slot(object)
    def _taken_back(self, ballot: Ballot) -> None:
        now = self._round
        if self._open is not None:
            self._open += 1
        if now is None or not self._is_answered(ballot.duel):
            return
        now.taken_back(ballot)
        self._show_pair(ballot.duel, ballot.words)
        self._show_round()

    @Slot(object)
    def _failed(self, error: AppError) -> None:
        self.pair.show_trouble(f"{error.title}. {error.hint}")

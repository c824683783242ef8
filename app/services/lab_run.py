"""An experiment in the window: the owner of its growing grid, from the engine lane to the disk and the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.errors import AppError
from app.core.held_values import with_model_values
from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Place, Plan, Vote
from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.services.archive import Archive
from app.services.ballots import Ballots
from app.services.experiment import Experiment, Grown, Seat, seats_of
from app.services.lab_progress import Pace, Progress
from app.services.lane import End, Outcome, Ticket
from app.services.model_manager import ModelManager
from app.services.preferences import Preferences
from app.storage.runs import RunState
from app.storage.stores import Stores

_PROGRESS_MS = 250
_MAKE_ROOM_MS = 5000
"""Somebody who waits for the model waits no longer than this for answers that are being written."""
_RETRY_MS = 3000
"""After so long, what could not be saved is tried again."""
_ENDED = (CellState.DONE, CellState.FAILED)


class LabRun(QObject):
    """One run that is open. Lives in the GUI thread.

    A cell shows as ended once it is on the disk: what was seen is never lost.

    Signals:
        cell_changed(Cell): it is queued again, being written, or has ended; those that ended have all that is known.
        cell_grew(Grown): new text of a cell that is being written.
        judged(Judgement): the judge has compared two answers.
        progressed(Progress): up to four times a second while it runs, and at every end.
        state_changed(RunState): it began, was paused, goes on, or is done.
        failed(AppError): a model cannot be used, or nothing can be saved; what is done is kept.
    """

    cell_changed = Signal(object)
    cell_grew = Signal(object)
    judged = Signal(object)
    progressed = Signal(object)
    state_changed = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        run_id: int,
        plan: Plan,
        models: ModelManager,
        preferences: Preferences,
        archive: Archive[Stores],
        cells: Iterable[Cell] = (),
        judgements: Iterable[Judgement] = (),
        parent: QObject | None = None,
    ) -> None:
        """`cells` and `judgements` are those that the store has of this run."""
        super().__init__(parent)
        self.run_id = run_id
        self.plan = plan
        self._models = models
        self._preferences = preferences
        self._archive = archive
        self._cells: dict[Place, Cell] = {cell.place: cell for cell in cells}
        self._judgements: dict[Duel, Judgement] = {one.duel: one for one in judgements}
        self._pace = Pace(plan, self._cells.values(), self._judgements.values())
        self._ticket: Ticket | None = None
        self.ballots = Ballots(run_id, archive)
        self._pause = StopFlag()
        self._unsaved: list[Cell | Judgement] = []
        self._saving = False
        self._outcome: Outcome | None = None
        self.state = RunState.DONE if self._pace.now().is_complete else RunState.PAUSED
        self._progress_timer = QTimer(self, interval=_PROGRESS_MS)
        self._progress_timer.timeout.connect(lambda: self.progressed.emit(self.progress()))
        self._makes_room = False
        self._room_timer = QTimer(self, singleShot=True, interval=_MAKE_ROOM_MS)
        self._room_timer.timeout.connect(self._cut_off)
        models.room_wanted.connect(self._make_room)
        self._retry_timer = QTimer(self, singleShot=True, interval=_RETRY_MS)
        self._retry_timer.timeout.connect(self._save)

    @property
    def busy(self) -> bool:
        """Whether it is at work, coming to a pause, or still saving."""
        return self._ticket is not None

    @property
    def pausing(self) -> bool:
        """Whether a pause was asked for and what is in the works is coming to its end."""
        return self.busy and self._pause.is_set()

    @property
    def makes_room(self) -> bool:
        """Whether it lets somebody else use the model, and goes on by itself after that."""
        return self._makes_room

    def cell(self, place: Place) -> Cell:
        """A cell as it is now."""
        found = self._cells.get(place)
        return found if found is not None else Cell(place)

    def cells(self) -> Mapping[Place, Cell]:
        """Every cell that is being written or has ended."""
        return self._cells

    def judgements(self) -> Sequence[Judgement]:
        """What the judge has said so far."""
        return tuple(self._judgements.values())

    def judgement(self, duel: Duel) -> Judgement | None:
        """What the judge has said about two answers in this order."""
        return self._judgements.get(duel)

    def votes(self) -> list[Vote]:
        """The judge's votes and the person's."""
        judged = [vote for one in self._judgements.values() if (vote := one.vote) is not None]
        return judged + self.ballots.votes()

    def read_whole(self, then: Callable[[list[Cell]], None], failed: Callable[[AppError], None]) -> None:
        """Read every answer that has ended with all that is known of it."""
        run_id, plan = self.run_id, self.plan
        self._archive.ask(lambda stores: stores.runs.whole_cells(run_id, plan), then, failed)

    def progress(self) -> Progress:
        """How far it is."""
        return self._pace.now()

    def start(self) -> None:
        """Begin, or go on; nothing happens while it is at work or when all is done."""
        if self.busy or self.progress().is_complete:
            return
        self._pause, self._outcome = StopFlag(), None
        self._hold_values()
        ended = [cell for cell in self._cells.values() if cell.state in _ENDED]
        seats = seats_of(self.plan, self._seat)
        experiment = Experiment(self.plan, seats, ended, self._judgements.values())
        room, pause = self._models.room, self._pause

        def job(stop: StopFlag) -> Iterator[object]:
            return experiment.run(room, stop, pause)

        self._pace.begin()
        self._ticket = self._models.run(job)
        self._ticket.items.connect(self._take)
        self._ticket.ended.connect(self._ended)
        self._progress_timer.start()
        self._enter(RunState.RUNNING)

    def pause(self) -> None:
        """Begin with nothing further; what is in the works comes to its end first. `start` goes on."""
        self._makes_room = False
        self._pause.set()

    def stop(self) -> None:
        """Stop at once; what is in the works is asked for again by `start`."""
        self._makes_room = False
        self._pause.set()
        if self._ticket is not None:
            self._ticket.cancel()

    def retry(self, places: Sequence[Place]) -> None:
        """Forget these answers and what was judged of them, so that `start` asks for them again; not while busy."""
        if self.busy:
            return
        self._archive.ask(lambda stores: stores.runs.forget_cells(self.run_id, places))
        at = {(place.contestant, place.question, place.seed) for place in places}
        for duel in [
            duel
            for duel in self._judgements
            if {(duel.first, duel.question, duel.seed), (duel.second, duel.question, duel.seed)} & at
        ]:
            del self._judgements[duel]
        self.ballots.forget(at)
        for place in places:
            self._cells.pop(place, None)
            self.cell_changed.emit(Cell(place))
        self._pace = Pace(self.plan, self._cells.values(), self._judgements.values())
        self.progressed.emit(self.progress())
        self._enter(RunState.PAUSED)

    @property
    def has_judge_errors(self) -> bool:
        """Whether the judge could not say anything of some pair."""
        return any(one.error for one in self._judgements.values())

    def retry_judge(self) -> None:
        """Forget what the judge could not say, so that `start` asks it once more; not while busy."""
        if self.busy or not self.has_judge_errors:
            return
        run_id = self.run_id
        self._archive.ask(lambda stores: stores.runs.forget_judge_errors(run_id))
        self._judgements = {duel: one for duel, one in self._judgements.items() if not one.error}
        self._pace = Pace(self.plan, self._cells.values(), self._judgements.values())
        self.progressed.emit(self.progress())
        self._enter(RunState.PAUSED)

    def _hold_values(self) -> None:
        """Keep the sampler values that the models have when the run begins: it goes on with them, whatever changes."""
        plan = with_model_values(self.plan, lambda model_id: self._sampling(model_id, {}))
        if plan is not self.plan:
            self.plan, run_id = plan, self.run_id
            self._archive.ask(lambda stores: stores.runs.set_model_values(run_id, plan.model_values))

    def _sampling(self, model_id: str, overrides: Mapping[str, object]) -> Sampling:
        return self._preferences.resolved(Sampling, model_id or self._models.default_id, overrides).values

    def _seat(self, model_id: str, overrides: Mapping[str, object]) -> Seat:
        return Seat(self._models.spec(model_id or self._models.default_id), self._sampling(model_id, overrides))

    def _take(self, items: tuple[object, ...]) -> None:
        """News from the engine lane."""
        for news in items:
            self._pace.see(news)
            if isinstance(news, Grown):
                self._grow(news)
            elif isinstance(news, Judgement) or (isinstance(news, Cell) and news.state in _ENDED):
                self._unsaved.append(news)
            elif isinstance(news, Cell):
                if news.state is CellState.QUEUED:
                    self._cells.pop(news.place, None)
                else:
                    self._cells[news.place] = news
                self.cell_changed.emit(news)
        self._save()

    def _grow(self, grown: Grown) -> None:
        before = self._cells.get(grown.place, Cell(grown.place, CellState.RUNNING))
        self._cells[grown.place] = Cell(grown.place, CellState.RUNNING, before.text + grown.text)
        self.cell_grew.emit(grown)

    def _save(self) -> None:
        """Keep what has ended; then show it."""
        if self._saving or not self._unsaved:
            return
        batch, self._unsaved, self._saving = self._unsaved, [], True
        cells = [one for one in batch if isinstance(one, Cell)]
        judgements = [one for one in batch if isinstance(one, Judgement)]

        def saved(_nothing: None) -> None:
            self._saving = False
            for cell in cells:
                self._cells[cell.place] = cell
                self.cell_changed.emit(cell)
            for judgement in judgements:
                self._judgements[judgement.duel] = judgement
                self.judged.emit(judgement)
            self._save()
            self._finish()

        def refused(error: AppError) -> None:
            self._saving, self._unsaved = False, [*batch, *self._unsaved]
            self._retry_timer.start()
            self.failed.emit(error)

        self._archive.ask(lambda stores: stores.runs.save(self.run_id, cells, judgements), saved, refused)

    def _ended(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._finish()

    def _finish(self) -> None:
        """The work has ended and everything is saved."""
        if self._outcome is None or self._saving or self._unsaved:
            return
        outcome, self._outcome, self._ticket = self._outcome, None, None
        self._progress_timer.stop()
        for place in [place for place, cell in self._cells.items() if cell.state is CellState.RUNNING]:
            del self._cells[place]
            self.cell_changed.emit(Cell(place))
        self.progressed.emit(self.progress())
        complete = self.progress().is_complete
        self._room_timer.stop()
        made_room, self._makes_room = self._makes_room, False
        if made_room and not complete and outcome.error is None:
            self.start()  # behind those who wait
            return
        self._enter(RunState.DONE if complete and outcome.end is not End.FAILED else RunState.PAUSED)
        if outcome.error is not None:
            self.failed.emit(outcome.error)

    @Slot()
    def _make_room(self) -> None:
        """Somebody waits for the model: what is in the works may end, and the rest follows after them."""
        if self.busy and not self.pausing:
            self._makes_room = True
            self._pause.set()
            self._room_timer.start()
            self.progressed.emit(self.progress())

    @Slot()
    def _cut_off(self) -> None:
        if self._makes_room and self._ticket is not None:
            self._ticket.cancel()

    def _enter(self, state: RunState) -> None:
        self.state = state
        self._archive.ask(lambda stores: stores.runs.set_state(self.run_id, state))
        self.state_changed.emit(state)

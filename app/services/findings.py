"""What the checks find in the answers of a run that is open, worked out beside the window."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.lab import Cell, CellState, Finding, Place
from app.core.stopping import StopFlag
from app.scoring.look import findings_of
from app.scoring.measures import WINS, Missed, missed, tallies
from app.scoring.results import Results
from app.services.archive import Archive
from app.services.lab_run import LabRun
from app.services.lane import Lane, Outcome, Ticket
from app.storage.stores import Stores

_BEGIN_MS = 50
"""The grid is painted first: thousands of checks take a second of the same processor."""
_TURN_S = 0.002
"""So long it looks through answers, then it rests twice as long."""


class Findings(QObject):
    """Looks through each answer as it ends, and through those that had ended before. Lives in the GUI thread.

    Signals:
        changed(tuple): the findings of these `Place`s are others now.
        settled(): every answer that there is has been looked through.
        failed(AppError): a check cannot be carried out.
    """

    changed = Signal(tuple)
    settled = Signal()
    failed = Signal(object)

    def __init__(self, run: LabRun, archive: Archive[Stores], lane: Lane, parent: QObject | None = None) -> None:
        """`lane` is where the checks work: a regular expression may take a second."""
        super().__init__(parent)
        self._run, self._lane = run, lane
        self._plan = run.plan
        self._found: dict[Place, tuple[Finding, ...]] = {}
        self._passed: dict[Place, bool] = {}
        self._shares = [[0, 0] for _ in self._plan.contestants]
        self._waiting: list[Cell] = []
        self._ticket: Ticket | None = None
        self.checks = sum(len(question.checks) for question in self._plan.questions) + len(self._plan.checks)
        """How many there are; without any, nothing is looked for."""
        self._archive = archive
        self._closed = False
        run.cell_changed.connect(self._cell_changed)
        if self.checks and any(cell.state is CellState.DONE for cell in run.cells().values()):
            QTimer.singleShot(_BEGIN_MS, self, self._begin)

    def close(self) -> None:
        """Nobody wants to know any more: what is still being looked through is dropped."""
        self._closed = True
        if self._ticket is not None:
            self._ticket.cancel()

    def _begin(self) -> None:
        """Look through the answers that had ended before."""
        run_id, plan = self._run.run_id, self._plan
        self._archive.ask(lambda stores: stores.runs.whole_cells(run_id, plan), self._look)

    @property
    def busy(self) -> bool:
        """Whether answers wait to be looked through."""
        return self._ticket is not None

    def of(self, place: Place) -> tuple[Finding, ...] | None:
        """What was found in an answer, in the order of `scoring.look.checks_of`; None while that is not known."""
        return self._found.get(place)

    def passed(self, place: Place) -> bool | None:
        """Whether an answer passed all its checks; None where there are none, or nobody has looked yet."""
        return self._passed.get(place)

    def share(self, contestant: int) -> tuple[int, int]:
        """Of a prompt's answers that were looked through, so many passed all checks, and so many there are."""
        passed, looked = self._shares[contestant]
        return passed, looked

    def results(self) -> Results:
        """What came of the run so far, as scoring wants it; answers that nobody has looked through yet are left out."""
        run, done = self._run, CellState.DONE
        cells = {
            place: cell
            for place, cell in run.cells().items()
            if cell.state is CellState.FAILED or (cell.state is done and (place in self._found or not self.checks))
        }
        found = {place: self._found.get(place, ()) for place, cell in cells.items() if cell.state is done}
        return Results(run.plan, cells, found, tuple(run.votes()))

    def missed(self) -> list[Missed]:
        """The plan's thresholds that are not reached; nothing before the run is done and looked through.

        What asks for comparisons counts from the first one on: who rates by hand begins when the run is done.
        """
        if not self._plan.thresholds or self.busy or not self._run.progress().is_complete:
            return []
        results = self.results()
        found = missed(results, tallies(results))
        return found if results.votes or self._plan.judge is not None else [one for one in found if one.measure != WINS]

    def _cell_changed(self, cell: Cell) -> None:
        if cell.state is CellState.DONE and self.checks:
            self._look([cell])
        elif cell.place in self._found:
            self._put(cell.place, ())
            del self._found[cell.place]
            self.changed.emit((cell.place,))

    def _put(self, place: Place, found: tuple[Finding, ...]) -> None:
        """Keep what was found, and count it for its prompt."""
        share = self._shares[place.contestant]
        if (before := self._passed.pop(place, None)) is not None:
            share[0] -= before
            share[1] -= 1
        if found:
            self._passed[place] = now = all(one.passed for one in found)
            share[0] += now
            share[1] += 1
        self._found[place] = found

    def _look(self, cells: Iterable[Cell]) -> None:
        if self._closed:
            return
        self._waiting += [cell for cell in cells if cell.state is CellState.DONE]
        if self._ticket is not None or not self._waiting:
            return
        batch, self._waiting, plan = self._waiting, [], self._plan

        def job(stop: StopFlag) -> Iterator[object]:
            turn = time.perf_counter()
            for cell in batch:
                if stop.is_set():
                    return
                yield cell.place, cell.text, findings_of(plan, cell)
                # the window's thread wants the interpreter too, and paints hundreds of cells with it
                if time.perf_counter() - turn > _TURN_S:
                    time.sleep(2 * _TURN_S)
                    turn = time.perf_counter()

        self._ticket = self._lane.submit(job)
        self._ticket.items.connect(self._take)
        self._ticket.ended.connect(self._ended)

    def _take(self, items: tuple[tuple[Place, str, tuple[Finding, ...]], ...]) -> None:
        fresh = []
        for place, text, found in items if not self._closed else ():
            cell = self._run.cell(place)
            # it may have been asked for again meanwhile
            if cell.state is CellState.DONE and cell.text == text:
                self._put(place, found)
                fresh.append(place)
        if fresh:
            self.changed.emit(tuple(fresh))

    def _ended(self, outcome: Outcome) -> None:
        self._ticket = None
        if self._closed:
            return
        if outcome.error is not None:
            self.failed.emit(outcome.error)
        self._look(())
        if not self.busy:
            self.settled.emit()

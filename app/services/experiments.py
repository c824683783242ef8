"""All experiments: the list, the trash, those that are open, and what is done with one as a whole."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core import prompt_variables
from app.core.chat import Provenance
from app.core.errors import AppError
from app.core.held_values import with_model_values, without_model_values
from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Place, Plan
from app.core.options import Sampling
from app.core.plan_table import plan_of, table_of
from app.core.stopping import StopFlag
from app.scoring.results import Results, results_of
from app.services.archive import Archive
from app.services.findings import Findings
from app.services.lab_progress import Progress
from app.services.lab_run import LabRun
from app.services.lane import Lane, Outcome
from app.services.model_manager import ModelManager
from app.services.model_sums import Fill
from app.services.notice import Notice
from app.services.preferences import Preferences
from app.services.question_sets import QuestionSets
from app.services.run_files import RunFile, portable, read_plan_file, write_plan_file, write_run_file
from app.storage.model_sums import unsummed
from app.storage.runs import RunRow, RunState
from app.storage.stores import Stores

Result = TypeVar("Result")

DRAFT = "experiment_draft"
_OPEN_RUNS = 4
"""So many runs that are not at work stay in memory; going back to one of them shows it at once."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that is open, and what the checks find in it."""

    run: LabRun
    findings: Findings


class Experiments(QObject):
    """Lives in the GUI thread; what it tells is on the disk.

    Signals:
        changed(): `rows()` gives another list.
        progressed(int): the open run of this id has got further.
        trash_listed(tuple): the runs in the trash, last deleted first.
        exported(str): this file was written.
        notice(Notice): something to tell.
    """

    changed = Signal()
    progressed = Signal(int)
    trash_listed = Signal(tuple)
    exported = Signal(str)
    notice = Signal(object)

    def __init__(
        self,
        models: ModelManager,
        preferences: Preferences,
        archive: Archive[Stores],
        find_model: Callable[[str], str],
        sums_first: Callable[[Iterable[Provenance], Callable[[Fill], None], Callable[[Notice], None]], None],
        parent: QObject | None = None,
    ) -> None:
        """`find_model` gives the id of the model that goes by a name, "" where none on this computer does.

        sums_first: has what is exported wait until the models that made it are known; see `SumsFirst.wait`.
        """
        super().__init__(parent)
        self._find_model, self._sums_first = find_model, sums_first
        self._models, self._preferences, self._archive = models, preferences, archive
        self._checks = Lane("checks", self)
        self._files = Lane("lab files", self)
        self._writing: set[str] = set()
        self.question_sets = QuestionSets(archive, self._files, self)
        self._rows: tuple[RunRow, ...] = ()
        self._open: dict[int, OpenRun] = {}
        self.looked_at = 0
        """The run that is on screen, 0 for none: of others it is told when they are done."""

    # --- the list ---------------------------------------------------------------------------------------------------

    def rows(self) -> tuple[RunRow, ...]:
        """Every run, the newest first; `refresh` reads them."""
        return self._rows

    def row(self, run_id: int) -> RunRow | None:
        """One of them."""
        return next((row for row in self._rows if row.id == run_id), None)

    def progress(self, run_id: int) -> Progress | None:
        """How far an open run is; None for one that is not open."""
        held = self._open.get(run_id)
        return held.run.progress() if held is not None else None

    def refresh(self) -> None:
        """Read the list; answers with `changed` where it is another one."""
        self._do(lambda stores: None)

    def create(self, plan: Plan, then: Callable[[RunRow], None]) -> None:
        """A new run of which nothing is asked yet."""
        self._do(lambda stores: stores.runs.create(plan), then)

    def change(self, run_id: int, plan: Plan, then: Callable[[], object]) -> None:
        """Let a run that has no answers yet be another one."""

        def done(_nothing: None) -> None:
            self._close(run_id)
            then()

        self._do(lambda stores: stores.runs.set_plan(run_id, plan), done)

    def plan(self, run_id: int, then: Callable[[Plan], None]) -> None:
        """Read what a run asks; its name is the one it goes by now."""

        def work(stores: Stores) -> Plan:
            return dataclasses.replace(stores.runs.plan(run_id), name=stores.runs.row(run_id).name)

        self._archive.ask(work, then, self._failed)

    def typed_plan(self, run_id: int, then: Callable[[Plan], None]) -> None:
        """Read what a run asks as somebody would type it.

        What a started one says is no variable any more, and what its models had otherwise then is a change of its own.
        """
        row = self.row(run_id)
        is_draft = row is not None and row.state is RunState.DRAFT

        def escaped(plan: Plan) -> Plan:
            contestants = tuple(
                dataclasses.replace(one, system_prompt=prompt_variables.escape(one.system_prompt))
                for one in plan.contestants
            )
            return without_model_values(dataclasses.replace(plan, contestants=contestants), self._values_of)

        self.plan(run_id, lambda plan: then(plan if is_draft else escaped(plan)))

    def rename(self, run_id: int, name: str) -> None:
        """Give a run another name; an empty one changes nothing."""
        name = " ".join(name.split())
        if name:
            self._do(lambda stores: stores.runs.rename(run_id, name))

    def delete(self, run_id: int) -> None:
        """Put a run in the trash, stopped where it is; the notice that says so can undo it."""
        row = self.row(run_id)
        if row is None:
            return
        if run_id in self._open:
            self._open[run_id].run.stop()
        self._listed(tuple(other for other in self._rows if other.id != run_id))
        self._do(lambda stores: stores.runs.trash(run_id))
        self.notice.emit(Notice(f"“{row.name}” was deleted", actions=(("Undo", lambda: self.restore(run_id)),)))

    def restore(self, run_id: int) -> None:
        """Take a run out of the trash."""
        self._do(lambda stores: stores.runs.restore(run_id))

    def list_trash(self) -> None:
        """Ask what is in the trash; answers with `trash_listed`."""
        self._archive.ask(lambda stores: tuple(stores.runs.rows(trashed=True)), self.trash_listed.emit, self._failed)

    def purge(self, run_id: int) -> None:
        """Delete a run that is in the trash for good."""
        held = self._open.get(run_id)
        if held is not None and held.run.busy:
            self.notice.emit(Notice("This experiment is still coming to its end", "Try again in a moment."))
            return
        self._close(run_id)
        self._do(lambda stores: stores.runs.purge(run_id), lambda _: self.list_trash())

    # --- one of them ------------------------------------------------------------------------------------------------

    def open(self, run_id: int, then: Callable[[OpenRun], None]) -> None:
        """Read a run; `then` gets it. Opening it again gives the same one, which may be at work."""
        if run_id in self._open:
            self._open[run_id] = held = self._open.pop(run_id)  # the one used last stands last
            then(held)
            return

        def work(stores: Stores) -> tuple[Any, ...]:
            plan = dataclasses.replace(stores.runs.plan(run_id), name=stores.runs.row(run_id).name)
            return plan, stores.runs.cells(run_id), stores.runs.judgements(run_id)

        def opened(found: tuple[Any, ...]) -> None:
            if run_id not in self._open:
                self._open[run_id] = self._opened(run_id, *found)
                self._close_old()
            then(self._open[run_id])

        self._archive.ask(work, opened, self._failed)

    def read_results(self, run_id: int, then: Callable[[Results], None], *, judged_by: bool = False) -> None:
        """Read a run with all that was found in it, beside the window: to compare another one with it.

        judged_by: with what made the judge's verdicts, of which there may be many thousands.
        """

        def work(stores: Stores) -> tuple[Any, ...]:
            runs = stores.runs
            plan = dataclasses.replace(runs.plan(run_id), name=runs.row(run_id).name)
            made = runs.judged_by(run_id, plan) if judged_by else None
            return plan, runs.whole_cells(run_id, plan), runs.votes(run_id), made

        self._archive.ask(work, lambda found: self._beside(lambda: results_of(*found), then), self._failed)

    def read_cell(self, run: LabRun, place: Place, then: Callable[[Cell], None]) -> None:
        """A cell with what made it, which is on the disk alone for those that were not answered just now."""
        cell = run.cell(place)
        if cell.provenance is not None or cell.state in (CellState.QUEUED, CellState.RUNNING):
            then(cell)
            return
        run_id, plan = run.run_id, run.plan
        self._archive.ask(lambda stores: stores.runs.cell(run_id, place, plan), then, self._failed)

    def read_judgement(self, run: LabRun, duel: Duel, then: Callable[[Judgement], None]) -> None:
        """What the judge said of a pair, with what made it; `then` hears nothing where it said nothing."""
        said = run.judgement(duel)
        if said is None:
            return
        if said.provenance is not None:
            then(said)
            return
        run_id, plan = run.run_id, run.plan

        def made(found: Mapping[Duel, Provenance]) -> None:
            then(dataclasses.replace(said, provenance=found.get(duel)))

        self._archive.ask(lambda stores: stores.runs.judged_by(run_id, plan, duel), made, self._failed)

    def export(self, run_id: int, kind: RunFile, path: str) -> None:
        """Write a run's results to a file, with the SHA-256 of its models; answers with `exported`."""

        def written(_: None) -> None:
            self._writing.discard(path)
            self.exported.emit(path)

        def write(results: Results, fill: Fill) -> None:
            self._writing.add(path)
            self._beside(lambda: write_run_file(results.filled(fill), kind, Path(path)), written)

        def read(results: Results) -> None:
            self._beside(
                lambda: unsummed(results.made) if tells_made else [],
                lambda made: self._sums_first(made, lambda fill: write(results, fill), self.notice.emit),
            )

        tells_made = kind is not RunFile.CHECKS_CSV
        self.read_results(run_id, read, judged_by=tells_made)

    # --- plans ------------------------------------------------------------------------------------------------------

    def read_plan_file(self, path: str, then: Callable[[Plan], None]) -> None:
        """Read a plan file as somebody would type it.

        Models are named by it as on the command line, and known by their ids afterwards.
        """
        folder = Path(path).parent

        def read(plan: Plan) -> None:
            then(without_model_values(self._with_model_ids(plan, folder), self._values_of))

        self._beside(lambda: read_plan_file(Path(path)), read)

    def write_plan_file(self, plan: Plan, path: str) -> None:
        """Write a plan to a TOML file, for this or another computer; answers with `exported`."""
        whole = portable(with_model_values(plan, self._values_of), datetime.now(tz=UTC).astimezone())
        self._beside(lambda: write_plan_file(whole, Path(path)), lambda _: self.exported.emit(path))

    def keep_draft(self, plan: Plan | None) -> None:
        """Keep what is being put together; None where there is nothing any more."""
        table = table_of(plan) if plan is not None else None
        self._archive.ask(lambda stores: stores.state.set(DRAFT, table))

    def read_draft(self, then: Callable[[Plan | None], None]) -> None:
        """What was being put together when the app was last used."""

        def read(kept: Any) -> None:
            try:
                then(plan_of(json.loads(json.dumps(kept)), whole=False) if isinstance(kept, dict) else None)
            except AppError:
                then(None)  # of another version, or damaged

        self._archive.ask(lambda stores: stores.state.get(DRAFT), read)

    def close(self, timeout_s: float = 5.0) -> bool:
        """At the end of the program: stop all but files that are being written. Returns whether it ended in time."""
        ended = self._checks.close(timeout_s)
        return (self._files.drain if self._writing else self._files.close)(timeout_s) and ended

    # --- below ------------------------------------------------------------------------------------------------------

    def _opened(self, run_id: int, plan: Plan, cells: Any, judgements: Any) -> OpenRun:
        run = LabRun(run_id, plan, self._models, self._preferences, self._archive, cells, judgements, self)
        findings = Findings(run, self._archive, self._checks, run)
        run.progressed.connect(lambda _progress: self.progressed.emit(run_id))
        run.state_changed.connect(lambda state: self._state_changed(run, state))
        run.failed.connect(lambda error: self._run_failed(plan, error))
        findings.failed.connect(self._failed)
        return OpenRun(run, findings)

    def _state_changed(self, run: LabRun, state: RunState) -> None:
        self.refresh()
        if state is RunState.DONE and run.run_id != self.looked_at:
            row, progress = self.row(run.run_id), run.progress()
            failed = f", {progress.failed:,} failed" if progress.failed else ""
            name = row.name if row is not None else run.plan.name
            self.notice.emit(Notice(f"“{name}” is done", f"{progress.done:,} answers{failed}."))

    def _close_old(self) -> None:
        idle = [run_id for run_id, held in self._open.items() if not held.run.busy and not held.findings.busy]
        for run_id in idle[:-_OPEN_RUNS]:
            self._close(run_id)

    def _close(self, run_id: int) -> None:
        held = self._open.pop(run_id, None)
        if held is not None:
            held.findings.close()
            held.run.deleteLater()

    def _run_failed(self, plan: Plan, error: AppError) -> None:
        self.notice.emit(self._models.trouble(plan.model_id or self._models.default_id, error))

    def _values_of(self, model_id: str) -> Sampling:
        return self._preferences.resolved(Sampling, model_id or self._models.default_id, {}).values

    def _with_model_ids(self, plan: Plan, folder: Path) -> Plan:
        def known(name: str) -> str:
            if not name or any(entry.id == name for entry in self._models.entries()):
                return name
            if (folder / name).is_file():
                return str((folder / name).resolve())
            return self._find_model(name) or name

        judge = plan.judge
        return dataclasses.replace(
            plan,
            model_id=known(plan.model_id),
            contestants=tuple(dataclasses.replace(one, model_id=known(one.model_id)) for one in plan.contestants),
            judge=dataclasses.replace(judge, model_id=known(judge.model_id)) if judge is not None else None,
            model_values={known(name): values for name, values in plan.model_values.items()},
        )

    def _beside(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Do something that takes its time; `then` gets its result in the GUI thread."""

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            yield work()

        def ended(outcome: Outcome) -> None:
            if outcome.error is not None:
                self._failed(outcome.error)

        ticket = self._files.submit(job)
        ticket.items.connect(lambda items: then(items[0]))
        ticket.ended.connect(ended)

    def _do(self, work: Callable[[Stores], Result], then: Callable[[Result], None] | None = None) -> None:
        """Change something, list the runs anew, then tell."""

        def both(stores: Stores) -> tuple[Result, tuple[RunRow, ...]]:
            return work(stores), tuple(stores.runs.rows())

        def done(results: tuple[Result, tuple[RunRow, ...]]) -> None:
            self._listed(results[1])
            if then is not None:
                then(results[0])

        self._archive.ask(both, done, self._failed)

    def _listed(self, rows: tuple[RunRow, ...]) -> None:
        if rows != self._rows:
            self._rows = rows
            self.changed.emit()

    def _failed(self, error: AppError) -> None:
        self.notice.emit(Notice.of(error))
        self._archive.ask(lambda stores: tuple(stores.runs.rows()), self._listed)


__all__ = ["Experiments", "OpenRun", "RunFile", "RunRow", "RunState"]

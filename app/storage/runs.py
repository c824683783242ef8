"""Experiments in the database: their plans, every answer that has ended, and who was found better."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from app.core.chat import TRASH_DAYS, Provenance
from app.core.errors import AppError, StorageError
from app.core.judging import Ballot, Duel, Judgement
from app.core.lab import Cell, CellState, Place, Plan, Rater, Vote, system_prompt_of
from app.core.plan_table import plan_of, table_of
from app.core.text import clean
from app.storage.backups import Backups, forget_run_rows
from app.storage.chats import now_ms
from app.storage.database import Database
from app.storage.judgements import HALVES, judgements, made_of, save_judgement, save_vote
from app.storage.model_sums import Summed
from app.storage.replies import details_text, provenance_of
from app.storage.run_setups import RunSetups
from app.storage.trouble import told

_STATES = {str(state): state for state in (CellState.DONE, CellState.FAILED)}
_ROW = (
    "SELECT id, name, state, cells, (SELECT count(*) FROM cell WHERE run_id = run.id),"
    " (SELECT count(*) FROM vote WHERE run_id = run.id AND outcome IS NOT NULL), created_ms, updated_ms, deleted_ms"
    " FROM run"
)


class RunState(StrEnum):
    """Where a run is. One that was at work when the app ended is PAUSED."""

    DRAFT = "draft"
    """Nothing was asked yet: the plan can still be changed."""
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RunRow:
    """As much of a run as a list of many shows. `cells` is how many there will be, `ended` how many there are."""

    id: int
    name: str
    state: RunState
    cells: int
    ended: int
    votes: int
    created_ms: int
    updated_ms: int
    deleted_ms: int | None = None


class RunStore:
    """All runs. Each call is one transaction and is on the disk when it returns.

    Every method may raise StorageError; texts may hold anything and are cleaned first.
    """

    def __init__(
        self, database: Database, backups: Backups | None = None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        """`backups`: where copies lie from which deleted runs have to go too. `clock`: milliseconds since 1970."""
        self._database = database
        self._backups = backups
        self._clock = clock

    def create(self, plan: Plan) -> RunRow:
        """A new run of which nothing is done yet."""
        now = self._clock()
        run_id = self._database.insert(
            "INSERT INTO run (name, state, plan, cells, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?)",
            clean(plan.name),
            str(RunState.DRAFT),
            _plan_text(plan),
            _cells_of(plan),
            now,
            now,
        )
        return self.row(run_id)

    def row(self, run_id: int) -> RunRow:
        """One run, in the trash or not."""
        found = self._database.row(f"{_ROW} WHERE id = ?", run_id)
        if found is None:
            raise _no_run()
        return _run_row(found)

    def rows(self, *, trashed: bool = False) -> list[RunRow]:
        """All runs, the newest first; or those in the trash, last deleted first."""
        wanted, order = ("NOT NULL", "deleted_ms DESC, id DESC") if trashed else ("NULL", "id DESC")
        return [_run_row(row) for row in self._database.rows(f"{_ROW} WHERE deleted_ms IS {wanted} ORDER BY {order}")]

    def plan(self, run_id: int) -> Plan:
        """What is run; a draft may still be without prompts or questions."""
        found = self._database.row("SELECT plan, state FROM run WHERE id = ?", run_id)
        if found is None:
            raise _no_run()
        try:
            return plan_of(json.loads(found[0]), whole=found[1] != RunState.DRAFT)
        except (ValueError, AppError) as error:
            raise StorageError(
                "This experiment's plan is damaged",
                f"It cannot be read any more: {error}",
                "Its answers are kept. Export them, and make the experiment again.",
            ) from error

    def set_plan(self, run_id: int, plan: Plan) -> None:
        """Change what is run, as long as nothing has been answered.

        Raises:
            StorageError: there are answers already; they would be another plan's.
        """
        with self._database.transaction():
            if self._database.row("SELECT 1 FROM cell WHERE run_id = ? LIMIT 1", run_id):
                raise StorageError(
                    "This experiment has begun", "Its answers belong to the plan as it is.", "Repeat it with changes."
                )
            self._set(run_id, "plan = ?, cells = ?, name = ?", _plan_text(plan), _cells_of(plan), clean(plan.name))

    def set_model_values(self, run_id: int, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the sampler values that the models had when the run began; see `Plan.model_values`."""
        with self._database.transaction():
            self._set(run_id, "plan = ?", _plan_text(replace(self.plan(run_id), model_values=values)))

    def rename(self, run_id: int, name: str) -> None:
        """Give it another name."""
        self._set(run_id, "name = ?", clean(name))

    def set_state(self, run_id: int, state: RunState) -> None:
        """Say where it is."""
        self._set(run_id, "state = ?", str(state))

    def trash(self, run_id: int) -> None:
        """Put it in the trash."""
        self._set(run_id, "deleted_ms = ?", self._clock())

    def restore(self, run_id: int) -> None:
        """Take it out of the trash."""
        self._set(run_id, "deleted_ms = ?", None)

    def purge(self, run_id: int) -> None:
        """Delete it for good, with all its answers, from every copy too."""
        # copies first: cut off in between, the run is still there to be deleted again
        dropped = self._backups is not None and self._backups.forget_run(run_id)
        with told():
            forget_run_rows(self._database.connection, run_id)
        self._database.empty_journal()
        if dropped and self._backups is not None:
            self._backups.make(self._database.connection)

    def purge_old(self) -> None:
        """Delete what has been in the trash for longer than `TRASH_DAYS`."""
        before = self._clock() - TRASH_DAYS * 86_400_000
        for (run_id,) in self._database.rows("SELECT id FROM run WHERE deleted_ms < ?", before):
            self.purge(run_id)

    def recover(self) -> None:
        """At the start, before anything runs: what was at work when the app ended waits to go on."""
        self._database.run("UPDATE run SET state = 'paused' WHERE state = 'running'")

    # Answers

    def save(self, run_id: int, cells: Iterable[Cell], judgements: Iterable[Judgement] = ()) -> None:
        """Keep answers and judgements that have ended; one that is there already is replaced."""
        with self._database.transaction():
            setups = RunSetups(self._database, run_id)
            for cell in cells:
                self._save_cell(run_id, cell, setups)
            for one in judgements:
                save_judgement(self._database, run_id, one, setups)
            self._set(run_id, "updated_ms = ?", self._clock())

    def cells(self, run_id: int) -> list[Cell]:
        """Every answer that has ended, without its provenance, which `cell` has; by contestant, question and seed."""
        return [
            Cell(Place(contestant, question, seed), _STATES[state], text, None, error)
            for contestant, question, seed, state, text, error in self._database.rows(
                "SELECT contestant, question, seed, state, text, error FROM cell WHERE run_id = ?"
                " ORDER BY contestant, question, seed",
                run_id,
            )
            if state in _STATES
        ]

    def cell(self, run_id: int, place: Place, plan: Plan) -> Cell:
        """One cell with all that is known of it; queued where it has not ended. `plan` is the run's."""
        found = self._database.row(
            "SELECT state, cell.text, error, details, made_by.text FROM cell"
            " LEFT JOIN made_by ON made_by.id = made_by_id"
            " WHERE cell.run_id = ? AND contestant = ? AND question = ? AND seed = ?",
            *(run_id, place.contestant, place.question, place.seed),
        )
        if found is None or found[0] not in _STATES:
            return Cell(place)
        state, text, error, details, setup = found
        system = system_prompt_of(plan.contestants[place.contestant], plan.questions[place.question])
        how = Summed(self._database)(provenance_of(system, setup, details)) if setup is not None else None
        return Cell(place, _STATES[state], text, how, error)

    def whole_cells(self, run_id: int, plan: Plan) -> list[Cell]:
        """Every answer that has ended, with all that is known of it; `plan` is the run's."""
        summed = Summed(self._database)

        def made(contestant: int, question: int, setup: str, details: str) -> Provenance:
            system = system_prompt_of(plan.contestants[contestant], plan.questions[question])
            return summed(provenance_of(system, setup, details))

        return [
            Cell(
                Place(contestant, question, seed),
                _STATES[state],
                text,
                made(contestant, question, setup, details) if setup is not None else None,
                error,
            )
            for contestant, question, seed, state, text, error, details, setup in self._database.rows(
                "SELECT contestant, question, seed, state, cell.text, error, details, made_by.text FROM cell"
                " LEFT JOIN made_by ON made_by.id = made_by_id WHERE cell.run_id = ?"
                " ORDER BY contestant, question, seed",
                run_id,
            )
            if state in _STATES
        ]

    def forget_cells(self, run_id: int, places: Sequence[Place]) -> None:
        """Take answers out, so that they are asked for again; what was judged of them goes too."""
        with self._database.transaction():
            for place in places:
                at = (run_id, place.question, place.seed, place.contestant)
                self._database.run(
                    "DELETE FROM cell WHERE run_id = ? AND question = ? AND seed = ? AND contestant = ?", *at
                )
                self._database.run(
                    "DELETE FROM vote WHERE run_id = ?1 AND question = ?2 AND seed = ?3"
                    " AND (first = ?4 OR second = ?4)",
                    *at,
                )

    # Votes

    def judgements(self, run_id: int) -> list[Judgement]:
        """What the judge said, in the order it said it, without what made it, which `judged_by` has."""
        return judgements(self._database, run_id)

    def judged_by(self, run_id: int, plan: Plan, duel: Duel | None = None) -> dict[Duel, Provenance]:
        """What made the judge's verdicts, or that on one pair, as far as it was kept; `plan` is the run's."""
        return made_of(self._database, run_id, plan.judge.prompt if plan.judge is not None else "", duel)

    def forget_judge_errors(self, run_id: int) -> None:
        """Take out what the judge could not say, so that it is asked once more."""
        self._database.run("DELETE FROM vote WHERE run_id = ? AND id IN (SELECT vote_id FROM judge_error)", run_id)

    def votes(self, run_id: int) -> list[Vote]:
        """Everybody's votes; what a judge said without a verdict is none."""
        return [
            Vote(rater, question, seed, first, second, outcome / HALVES, words, at_ms)
            for rater in (Rater.JUDGE, Rater.PERSON)
            for question, seed, first, second, outcome, words, at_ms in self._votes(run_id, rater)
            if outcome is not None
        ]

    def add_vote(self, run_id: int, vote: Vote) -> int:
        """Keep a vote; the id by which it can be taken back."""
        duel = Duel(vote.question, vote.seed, vote.first, vote.second)
        return save_vote(self._database, run_id, vote.rater, duel, vote.outcome, vote.words, vote.at_ms)

    def ballots(self, run_id: int) -> list[Ballot]:
        """What the person said, skipped pairs too, in the order it was said."""
        return [
            Ballot(Duel(*at), None if outcome is None else outcome / HALVES, words, at_ms, vote_id)
            for *at, outcome, words, at_ms, vote_id in self._database.rows(
                "SELECT question, seed, first, second, outcome, words, at_ms, id FROM vote"
                " WHERE run_id = ? AND rater = 'person' ORDER BY id",
                run_id,
            )
        ]

    def add_ballot(self, run_id: int, ballot: Ballot) -> Ballot:
        """Keep what the person said of a pair; the same with the id by which it can be taken back."""
        words = clean(ballot.words)
        vote_id = save_vote(self._database, run_id, Rater.PERSON, ballot.duel, ballot.outcome, words, ballot.at_ms)
        return replace(ballot, words=words, id=vote_id)

    def remove_vote(self, vote_id: int) -> None:
        """Take a vote back."""
        self._database.run("DELETE FROM vote WHERE id = ?", vote_id)

    def _votes(self, run_id: int, rater: Rater) -> list[tuple[Any, ...]]:
        return self._database.rows(
            "SELECT question, seed, first, second, outcome, words, at_ms FROM vote WHERE run_id = ? AND rater = ?"
            " ORDER BY id",
            run_id,
            str(rater),
        )

    def _save_cell(self, run_id: int, cell: Cell, setups: RunSetups) -> None:
        if str(cell.state) not in _STATES:
            raise ValueError(f"a cell that is {cell.state} is not kept")
        made_by_id, details = None, "{}"
        if cell.provenance is not None:
            made_by_id, details = setups.id_of(cell.provenance), details_text(cell.provenance)
        self._database.run(
            "INSERT OR REPLACE INTO cell"
            " (run_id, contestant, question, seed, state, made_by_id, text, error, details)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(run_id, cell.place.contestant, cell.place.question, cell.place.seed),
            str(cell.state),
            made_by_id,
            clean(cell.text),
            clean(cell.error),
            details,
        )

    def _set(self, run_id: int, what: str, *values: Any) -> None:
        if not self._database.run(f"UPDATE run SET {what} WHERE id = ?", *values, run_id):
            raise _no_run()


def _run_row(row: tuple[Any, ...]) -> RunRow:
    states = {str(state): state for state in RunState}
    return RunRow(row[0], row[1], states.get(row[2], RunState.PAUSED), *row[3:])


def _plan_text(plan: Plan) -> str:
    return clean(json.dumps(table_of(plan), ensure_ascii=False))


def _cells_of(plan: Plan) -> int:
    return len(plan.contestants) * len(plan.questions) * len(plan.seeds)


def _no_run() -> StorageError:
    return StorageError("This experiment is gone", "It was deleted.", "Choose another one, or make a new one.")

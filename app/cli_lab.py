"""`orcinus lab`: run an experiment with system prompts from a plan file, and go on with it; no window needed.

Everything is kept in the folder that is given: the window's database is only read, for settings and known models.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import app
from app.cli_terminal import INTERRUPTED, MISSED, print_json, stop_on_interrupt
from app.core.errors import AppError, DownloadBusyError, PlanError, SettingError, StorageError
from app.core.held_values import with_model_values
from app.core.judging import Judgement
from app.core.lab import Cell, CellState, Plan, Question
from app.core.plan_file import filled, read_plan
from app.core.stopping import StopFlag
from app.services.experiment import Experiment, Seat, Seats, seats_of
from app.services.lab_progress import Pace, Progress
from app.setup import Choice, Parts, choose, engine_loader, headless
from app.storage.importing import Stopped, sum_up
from app.storage.model_folder import look
from app.storage.model_sums import ModelSeen, Sums
from app.storage.plan_folder import PlanFolder, read_text
from app.storage.run_folder import SUMMARY, RunFolder

if TYPE_CHECKING:
    from app.services.engine_room import EngineRoom

_BAR = 24
_WORTH_TELLING = 1 << 30
"""Bytes of a file whose reading takes seconds."""
_PLAIN_S, _JSON_S, _TERMINAL_S = 10.0, 1.0, 0.2


def run(asked: argparse.Namespace) -> int:
    """Do `lab run`; returns the exit code."""
    from app.scoring.measures import prove_thresholds

    plan = _plan(Path(asked.plan), rated=bool(asked.votes) or Path(asked.out).exists())
    with headless() as parts, stop_on_interrupt() as stop, _alone(Path(asked.out)):
        beside = Path(asked.plan).parent
        plan = filled(plan, _Names(parts, beside))
        folder = RunFolder(Path(asked.out), plan)
        prove_thresholds(plan, rated=bool(asked.votes or folder.ballots))
        plan = with_model_values(folder.plan, lambda model_id: _choice(parts, beside, model_id, {}).sampling)
        if plan is not folder.plan:
            folder.hold_values(plan)
        if asked.retry_failed:
            folder.forget_failed()
        with _room(parts) as room:
            _work(plan, _seats(parts, plan, beside), folder, room, stop, as_json=asked.json)
        if stop.is_set():
            print("Stopped. The same command goes on from here.", file=sys.stderr)
            return INTERRUPTED
        if asked.votes:
            _take_votes(Path(asked.votes), folder)
        folder.take_sums(_sums(parts, folder, stop))
        folder.tidy()
        return _tell_outcome(plan, folder, as_json=asked.json)


def _take_votes(path: Path, folder: RunFolder) -> None:
    """Take in what a person said of these answers, and say how much of it.

    Raises:
        AppError: the file cannot be read.
    """
    from app.datasets.rows import csv_rows, jsonl_rows
    from app.scoring.results import as_written

    if path.suffix.lower() in (".jsonl", ".ndjson"):
        taken, left_out = folder.take_ballots(row.values for row in jsonl_rows(path))
    else:
        taken, left_out = folder.take_ballots(as_written(row.values) for row in csv_rows(path))
    told = f"{taken} votes of a person taken"
    if left_out:
        told += f", {left_out} left out: they are on other questions, prompts or answers than these"
    print(f"{told}.", file=sys.stderr)


def _plan(path: Path, *, rated: bool) -> Plan:
    """rated: there may be a person's votes; whether there are is seen in the folder."""
    from app.scoring.look import prove
    from app.scoring.measures import prove_thresholds

    plan = read_plan(read_text(path), PlanFolder(path.parent, _readers()))
    try:
        prove(plan)
    except SettingError as error:
        raise PlanError(error.title, error.detail, error.hint) from error
    prove_thresholds(plan, rated=rated)
    return plan


def _readers() -> Mapping[str, Callable[[Path], Sequence[Question]]]:
    from app.datasets.questions import ENDINGS, Wanted, read_questions

    return dict.fromkeys(ENDINGS, lambda path: read_questions(path, Wanted(limit=None)).questions)


class _Names(dict[str, str]):
    """Names of models by how a plan names them, looked up when they are wanted."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        super().__init__()
        self._parts, self._folder = parts, folder

    def __missing__(self, model_id: str) -> str:
        self[model_id] = _choice(self._parts, self._folder, model_id, {}).name
        return self[model_id]


def _choice(parts: Parts, folder: Path, model_id: str, overrides: Mapping[str, object]) -> Choice:
    """The model that a plan names: a model file may be named as it lies beside the plan."""
    beside = folder / model_id
    return choose(parts, str(beside) if model_id and beside.is_file() else model_id, overrides)


def _seats(parts: Parts, plan: Plan, folder: Path) -> Seats:
    """Who answers.

    Raises:
        ModelFileError: there is no such model.
    """
    from app.services.engine_room import ModelSpec

    def seat(model_id: str, overrides: Mapping[str, object]) -> Seat:
        choice = _choice(parts, folder, model_id, overrides)
        if choice.notice:
            print(choice.notice, file=sys.stderr)
        return Seat(ModelSpec(choice.model_id, choice.path, choice.loading), choice.sampling)

    return seats_of(plan, seat)


def _work(plan: Plan, seats: Seats, folder: RunFolder, room: EngineRoom, stop: StopFlag, *, as_json: bool) -> None:
    """Do what is left of a plan; each answer is kept the moment it ends."""
    experiment = Experiment(plan, seats, folder.cells.values(), folder.judgements.values())
    pace = Pace(plan, folder.cells.values(), folder.judgements.values())
    line = LabLine(as_json=as_json)
    if pace.now().is_complete:
        return
    try:
        for news in experiment.run(room, stop, StopFlag()):
            pace.see(news)
            if isinstance(news, Judgement) or (isinstance(news, Cell) and news.state in _ENDED):
                folder.add(news)
            line.show(pace)
    finally:
        line.close()


_ENDED = (CellState.DONE, CellState.FAILED)


def _sums(parts: Parts, folder: RunFolder, stop: StopFlag) -> dict[ModelSeen, Sums]:
    """The SHA-256 of the models that answered, read where nobody has; one that was changed since has none."""
    found: dict[ModelSeen, Sums] = {}
    for model in folder.without_sums():
        path, *seen = model
        note = parts.remembered.model_files.get(path)
        if note is not None and note.seen == tuple(seen) and note.model.verified_ms:
            found[model] = note.model.sha256
        elif look(path) == tuple(seen):
            if seen[0] >= _WORTH_TELLING:
                print(f"Reading {path} for its SHA-256…", file=sys.stderr)
            # whoever can neither read it nor wait has the answers all the same
            with suppress(StorageError, Stopped):
                found[model] = sum_up(path, stop)
    return found


def _tell_outcome(plan: Plan, folder: RunFolder, *, as_json: bool) -> int:
    from app.scoring.measures import missed, summary, tallies
    from app.scoring.report import html_report
    from app.scoring.results import as_csv, cell_rows, check_rows, results_of

    results = results_of(plan, folder.cells.values(), folder.votes(), folder.judged_by())
    told = summary(results, [folder.judgements[duel] for duel in sorted(folder.judgements)])
    folder.write(SUMMARY, json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    folder.write("report.html", html_report(results, {"Orcinus": app.__version__}))
    folder.write("cells.csv", as_csv(cell_rows(results)))
    folder.write("checks.csv", as_csv(check_rows(results)))
    failed = [folder.cells[place] for place in sorted(folder.cells) if folder.cells[place].state is CellState.FAILED]
    for cell in failed:
        print(_printable(f"{_where(plan, cell)}: {cell.error}"), file=sys.stderr)
    unsaid = [one for one in folder.judgements.values() if one.error]
    if unsaid:
        print(_printable(f"{len(unsaid)} judgements could not be made: {unsaid[0].error}"), file=sys.stderr)
    not_reached = missed(results, tallies(results))
    for one in not_reached:
        print(_printable(str(one)), file=sys.stderr)
    if as_json:
        print_json(told)
    else:
        print(_table(told))
    return MISSED if not_reached else 1 if failed or unsaid else 0


def _table(told: Mapping[str, Any]) -> str:
    """The summary for people."""
    rows = [("prompt", "answers", "checks", "wins")]
    rows += [
        (_printable(one["name"]), str(one["answered"]), _percent(one["checks_passed"]), _percent(one["wins"]))
        for one in told["prompts"]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if told["judged"]:
        lines.append(f"\nThe judge compared {told['judged']} times; {told['unparsed']} had no verdict.")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _where(plan: Plan, cell: Cell) -> str:
    place = cell.place
    name, key = plan.contestants[place.contestant].name, plan.questions[place.question].key
    return f"{name}, question {key}, seed {plan.seeds[place.seed]}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


class LabLine:
    """Shows how far a run is: one line that changes on a terminal, a line now and then in a file, or JSON objects."""

    def __init__(
        self, *, as_json: bool, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._as_json = as_json
        self._stream = stream or (sys.stdout if as_json else sys.stderr)
        self._clock = clock
        self._on_terminal = not as_json and self._stream.isatty()
        self._every_s = _JSON_S if as_json else _TERMINAL_S if self._on_terminal else _PLAIN_S
        self._told_at = float("-inf") if as_json or self._on_terminal else clock()
        self._drawn = 0

    def show(self, pace: Pace) -> None:
        """Show it, unless that was done a moment ago."""
        now = self._clock()
        if now - self._told_at < self._every_s:
            return
        self._told_at = now
        progress = pace.now()
        if self._as_json:
            self._write(json.dumps(_progress_json(progress)) + "\n")
        elif self._on_terminal:
            text = progress_words(progress)[: max(10, shutil.get_terminal_size().columns - 1)]
            self._write("\r" + text.ljust(self._drawn))
            self._drawn = len(text)
        else:
            self._write(progress_words(progress) + "\n")

    def close(self) -> None:
        """Leave the terminal's line."""
        if self._drawn:
            self._write("\n")
            self._drawn = 0

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def progress_words(progress: Progress) -> str:
    """How far it is, in one line."""
    ended = progress.done + progress.failed
    whole = progress.total + progress.judgements
    share = (ended + progress.judged) / whole if whole else 1.0
    words = f"[{'#' * round(share * _BAR):<{_BAR}}] {ended} of {progress.total} answers"
    if progress.failed:
        words += f", {progress.failed} failed"
    if progress.judged or (ended == progress.total and progress.judgements):
        words += f", {progress.judged} of {progress.judgements} judged"
    if progress.tokens_per_s:
        words += f"  {progress.tokens_per_s:.0f} tokens/s"
    if progress.left_s:
        minutes, seconds = divmod(round(progress.left_s), 60)
        words += f", about {minutes} min left" if minutes else f", about {seconds} s left"
    return words


def _progress_json(progress: Progress) -> dict[str, Any]:
    return {
        "done": progress.done,
        "failed": progress.failed,
        "cells": progress.total,
        "judged": progress.judged,
        "judgements": progress.judgements,
        "running": len(progress.running),
        "tokens_per_s": round(progress.tokens_per_s, 1),
        "left_s": None if progress.left_s is None else round(progress.left_s, 1),
    }


@contextmanager
def _room(parts: Parts) -> Iterator[EngineRoom]:
    """An engine in a process of its own, as the window has it."""
    from app.services.engine_room import EngineRoom

    room = EngineRoom(engine_loader(parts))
    try:
        yield room
    finally:
        room.empty()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, so that two runs do not write into each other.

    Raises:
        AppError: somebody else holds it, or it cannot be made.
    """
    from app.hub.part_file import FileLock

    lock = FileLock(folder / ".lock")
    try:
        lock.take()
    except DownloadBusyError as error:
        raise AppError("This folder is in use", f"Another run writes to {folder}.", "Wait until it is done.") from error
    except OSError as error:
        raise AppError(f"{folder} cannot be written to", f"{error.strerror}.", "Give another folder.") from error
    try:
        yield
    finally:
        lock.drop()

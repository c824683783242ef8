"""Experiments and sets of questions as rows of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from app.core.chat import TRASH_DAYS
from app.core.prompts import found_in
from app.services.experiments import RunRow, RunState
from app.services.lab_progress import Progress
from app.services.question_sets import QuestionSet
from app.ui.chat_sections import moment
from app.ui.row_list import Cell, Column, Row

RUN_COLUMNS = (
    Column("Answers", "10,000 of 10,000", keep=4),
    Column("Votes", "12,000", keep=2, right=True),
    Column("State", "xxxx Ready to start", keep=5),
    Column("Changed", "30 Sep 2026", keep=1, right=True),
)
SET_COLUMNS = (
    Column("Questions", "10,000", keep=2, right=True),
    Column("Changed", "30 Sep 2026", keep=1, right=True),
)
TRASH_COLUMNS = (Column("Deleted", "30 Sep 2026", keep=1), Column("Kept", "30 more days", keep=2))
_STATES = {
    RunState.DRAFT: ("Ready to start", "edit", "muted"),
    RunState.RUNNING: ("Running", "play", "accent"),
    RunState.PAUSED: ("Paused", "pause", "warn"),
    RunState.DONE: ("Done", "check", "ok"),
}
_BUTTONS = {
    RunState.DRAFT: "Start",
    RunState.RUNNING: "Pause",
    RunState.PAUSED: "Go on",
    RunState.DONE: "Open",
}


def run_rows(
    runs: Iterable[RunRow], progress: Callable[[int], Progress | None], query: str, now: datetime
) -> list[Row]:
    """The runs whose name holds the words of `query`. `progress` tells of those that are open."""
    rows = []
    for run in runs:
        if not found_in(query, run.name):
            continue
        known = progress(run.id)
        ended = known.done + known.failed if known is not None else run.ended
        votes = max(run.votes, known.judged - known.unparsed) if known is not None else run.votes
        words, picture, tone = _STATES[run.state]
        if run.state is RunState.RUNNING and known is not None and ended == run.cells:
            words = "Judging"
        share = ended / max(1, run.cells)
        unfinished = run.state in (RunState.RUNNING, RunState.PAUSED)
        answers = f"{ended:,} of {run.cells:,}" if unfinished else f"{run.cells:,}"
        rows.append(
            Row(
                str(run.id),
                run.name,
                cells=(
                    Cell(
                        answers, "", "muted" if run.state is RunState.DRAFT else "text", share if unfinished else None
                    ),
                    Cell(f"{votes:,}" if votes else ""),
                    Cell(words, picture, tone),
                    Cell(short_date(run.updated_ms, now), "", "muted"),
                ),
                button=_BUTTONS[run.state],
            )
        )
    return rows


def set_rows(sets: Iterable[QuestionSet], query: str, now: datetime) -> list[Row]:
    """The sets whose name holds the words of `query`."""
    return [
        Row(
            str(one.id),
            one.name,
            cells=(Cell(f"{one.count:,}"), Cell(short_date(one.updated_ms, now), "", "muted")),
            button="Use",
        )
        for one in sets
        if found_in(query, one.name)
    ]


def trash_rows(runs: Iterable[RunRow], now: datetime) -> list[Row]:
    """Deleted runs, and how long they can be brought back."""
    rows = []
    for run in runs:
        when = moment(run.deleted_ms or 0)
        left = max(0, TRASH_DAYS - (now - when).days)
        more = "1 more day" if left == 1 else f"{left} more days"
        cells = (Cell(f"{when.day} {when:%b %Y}"), Cell(more))
        rows.append(Row(str(run.id), run.name, cells=cells, button="Restore"))
    return rows


def short_date(ms: int, now: datetime) -> str:
    """When something changed, as short as it can be told: "10:42", "Tue", "3 Mar", "3 Mar 2024"."""
    when = moment(ms)
    days = (now.date() - when.date()).days
    if days <= 0:
        return when.strftime("%H:%M")
    if days <= 7:
        return when.strftime("%a")
    return f"{when.day} {when:%b}" + ("" if when.year == now.year else f" {when.year}")

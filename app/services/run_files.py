"""Plan files and results of experiments on the disk; plain work for a lane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import app
from app.core import prompt_variables
from app.core.lab import Plan
from app.core.plan_file import read_plan, write_plan
from app.datasets.questions import ENDINGS, Wanted, read_questions
from app.scoring.results import Results, as_csv, as_jsonl, cell_rows, check_rows, vote_rows
from app.storage.export import write_whole
from app.storage.plan_folder import PlanFolder, read_text


class RunFile(StrEnum):
    """What can be written of a run."""

    REPORT = "report"
    """One HTML file with plots."""
    ANSWERS_CSV = "answers-csv"
    ANSWERS_JSONL = "answers-jsonl"
    CHECKS_CSV = "checks-csv"
    VOTES_CSV = "votes-csv"
    VOTES_JSONL = "votes-jsonl"


_TABLES = {
    RunFile.ANSWERS_CSV: (cell_rows, as_csv),
    RunFile.ANSWERS_JSONL: (cell_rows, as_jsonl),
    RunFile.CHECKS_CSV: (check_rows, as_csv),
    RunFile.VOTES_CSV: (vote_rows, as_csv),
    RunFile.VOTES_JSONL: (vote_rows, as_jsonl),
}


def read_plan_file(path: Path) -> Plan:
    """The plan in a TOML file, with the questions and prompts of the files that it names.

    Raises:
        AppError: it cannot be read, or is no plan; the text names the line, or the table and the key.
    """
    readers = dict.fromkeys(ENDINGS, lambda file: read_questions(file, Wanted(limit=None)).questions)
    return read_plan(read_text(path), PlanFolder(path.parent, readers))


def write_plan_file(plan: Plan, path: Path) -> None:
    """Write a plan with everything in it, to be run by `lab run` too.

    Raises:
        AppError: it cannot be written.
    """
    write_whole(path, write_plan(plan).encode())


def portable(plan: Plan, moment: datetime) -> Plan:
    """The plan as it means the same on another computer, and on another day.

    Models go by the names of their files, without folders; `{{date}}` and `{{time}}` get their values of now.
    """

    def name(model_id: str) -> str:
        return Path(model_id).name if Path(model_id).is_absolute() else model_id

    used = {one.name for each in plan.contestants for one in prompt_variables.variables(each.system_prompt)}
    known = prompt_variables.built_in(moment, "")
    judge = plan.judge
    return replace(
        plan,
        model_id=name(plan.model_id),
        contestants=tuple(replace(one, model_id=name(one.model_id)) for one in plan.contestants),
        judge=replace(judge, model_id=name(judge.model_id)) if judge is not None else None,
        variables={key: value for key, value in known.items() if key in used} | dict(plan.variables),
        model_values={name(model_id): values for model_id, values in plan.model_values.items()},
    )


def write_run_file(results: Results, kind: RunFile, path: Path, facts: Mapping[str, str] | None = None) -> None:
    """Write a run's results. facts: what else made them, by name, for the report.

    Raises:
        AppError: it cannot be written.
    """
    if kind is RunFile.REPORT:
        from app.scoring.report import html_report

        text = html_report(results, {"Orcinus": app.__version__, **(facts or {})})
    else:
        rows, write = _TABLES[kind]
        text = write(rows(results))
    write_whole(path, text.encode("utf-8", "surrogatepass"))

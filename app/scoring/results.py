"""A run with what was found in it, and its cells, checks and votes as rows for CSV and JSON lines."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeAlias

from app.core.chat import Provenance
from app.core.checks import name_of
from app.core.judging import Duel
from app.core.lab import Cell, CellState, Finding, Place, Plan, Rater, Vote
from app.core.made_by import handed_on, without_folders
from app.core.plan_table import table_of
from app.scoring.look import checks_of, findings_of

Row: TypeAlias = dict[str, Any]

_FORMULA = re.compile("'*[=+\\-@\t\r]")
"""How a text begins that a spreadsheet runs; behind apostrophes too, so that taking one away gives the text back."""


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a plan.

    findings: of every cell that is done, in the order of `look.checks_of`. judged_by: what made the judge's verdicts,
    as far as it was kept.
    """

    plan: Plan
    cells: Mapping[Place, Cell]
    findings: Mapping[Place, Sequence[Finding]]
    votes: Sequence[Vote]
    judged_by: Mapping[Duel, Provenance] = field(default_factory=dict)

    @property
    def done(self) -> list[Cell]:
        """The cells with an answer, in the order of the plan."""
        return [self.cells[place] for place in sorted(self.cells) if self.cells[place].state is CellState.DONE]

    @property
    def made(self) -> list[Provenance]:
        """What made the answers and the verdicts."""
        answers = (cell.provenance for cell in self.cells.values())
        return [*(how for how in answers if how is not None), *self.judged_by.values()]

    def filled(self, fill: Callable[[Provenance], Provenance]) -> Results:
        """The same, with more of what made the answers and the verdicts, as `fill` knows it."""
        cells = {
            place: cell if cell.provenance is None else replace(cell, provenance=fill(cell.provenance))
            for place, cell in self.cells.items()
        }
        return replace(self, cells=cells, judged_by={duel: fill(how) for duel, how in self.judged_by.items()})


def results_of(
    plan: Plan, cells: Iterable[Cell], votes: Sequence[Vote], judged_by: Mapping[Duel, Provenance] | None = None
) -> Results:
    """Look through every answer; takes as long as the checks do, so never in the window's thread."""
    by_place = {cell.place: cell for cell in cells}
    found = {place: findings_of(plan, cell) for place, cell in by_place.items() if cell.state is CellState.DONE}
    return Results(plan, by_place, found, tuple(votes), judged_by or {})


def plan_hash(plan: Plan) -> str:
    """SHA-256 of everything a plan says: equal plans have equal ones, on every computer."""
    said = json.dumps(table_of(plan), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def text_hash(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cell_rows(results: Results) -> Iterator[Row]:
    """Every cell: who was asked what, what came of it, and what made it."""
    plan = results.plan
    for place in sorted(results.cells):
        cell, question = results.cells[place], plan.questions[place.question]
        found = results.findings.get(place, ())
        yield {
            **_where(plan, place),
            "question_text": question.text,
            "question_system_prompt": question.system_prompt,
            "reference": question.reference,
            "state": str(cell.state),
            "answer": cell.text,
            "answer_sha256": text_hash(cell.text) if cell.state is CellState.DONE else "",
            "error": without_folders(cell.error, cell.provenance),
            "checks_passed": sum(one.passed for one in found),
            "checks": len(found),
            "provenance": _made(cell.provenance),
        }


def check_rows(results: Results) -> Iterator[Row]:
    """Every check of every answer."""
    plan = results.plan
    for place in sorted(results.findings):
        checks = checks_of(plan, plan.questions[place.question])
        for check, found in zip(checks, results.findings[place], strict=True):
            yield {
                **_where(plan, place),
                "check": name_of(check),
                "kind": check.kind,
                "values": dict(check.values),
                "passed": found.passed,
                "value": found.value,
                "words": found.words,
            }


def vote_rows(results: Results) -> Iterator[Row]:
    """Every vote. outcome: 1 where the first was better, 0 where the second was, 0.5 where they are equal.

    The hashes are of the two answers' texts: whoever reads the votes can see whether it is these that were compared.
    A judge's vote has what made it.
    """
    plan = results.plan

    def answer(contestant: int, vote: Vote) -> str:
        cell = results.cells.get(Place(contestant, vote.question, vote.seed))
        return text_hash(cell.text) if cell is not None and cell.state is CellState.DONE else ""

    for vote in results.votes:
        duel = Duel(vote.question, vote.seed, vote.first, vote.second)
        made = results.judged_by.get(duel) if vote.rater is Rater.JUDGE else None
        yield {
            "rater": str(vote.rater),
            "question": plan.questions[vote.question].key,
            "seed": plan.seeds[vote.seed],
            "first": plan.contestants[vote.first].name,
            "second": plan.contestants[vote.second].name,
            "outcome": vote.outcome,
            "words": vote.words,
            "at_ms": vote.at_ms,
            "first_sha256": answer(vote.first, vote),
            "second_sha256": answer(vote.second, vote),
            "provenance": _made(made),
        }


def as_csv(rows: Iterable[Row]) -> str:
    """Rows as a table with a header; what is nested is spread over columns with dots, lists are JSON.

    It begins with a byte order mark, without which Excel takes UTF-8 for something else. A text that a spreadsheet
    would run as a formula gets an apostrophe in front; see `as_written`.
    """
    flat = [{name: _harmless(value) for name, value in _flat(row).items()} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\r\n")
    if names:
        writer.writeheader()
    writer.writerows(flat)
    return "\ufeff" + out.getvalue()


def as_written(values: Mapping[str, Any]) -> Row:
    """The texts of a row of `as_csv` as they were, without the apostrophes that keep them from being formulas."""
    return {
        name: value[1:] if isinstance(value, str) and value.startswith("'") and _FORMULA.match(value) else value
        for name, value in values.items()
    }


def as_jsonl(rows: Iterable[Row]) -> str:
    """Rows as JSON objects, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _made(how: Provenance | None) -> Row:
    return asdict(handed_on(how)) if how is not None else {}


def _where(plan: Plan, place: Place) -> Row:
    contestant = plan.contestants[place.contestant]
    return {
        "prompt": contestant.name,
        "prompt_version": contestant.version,
        "question": plan.questions[place.question].key,
        "seed": plan.seeds[place.seed],
    }


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _flat(row: Mapping[str, Any], before: str = "") -> Row:
    found: Row = {}
    for name, value in row.items():
        if isinstance(value, Mapping) and name != "values":
            found |= _flat(value, f"{before}{name}.")
        elif isinstance(value, Mapping | list | tuple):
            found[before + name] = json.dumps(value, ensure_ascii=False)
        else:
            found[before + name] = value
    return found

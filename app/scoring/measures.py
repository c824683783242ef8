"""Measures of contestants that a threshold can ask for, and the summary of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from app.core.checks import name_of
from app.core.errors import PlanError
from app.core.judging import Judgement
from app.core.lab import CellState, Plan, Rater, Threshold, Vote
from app.scoring.agreement import agreement, steadiness
from app.scoring.look import checks_of
from app.scoring.ranking import rank
from app.scoring.results import Results
from app.scoring.win_table import win_rate, win_table

ANSWERED, CHECKS, WINS = "answered", "checks", "wins"
MEASURES: Mapping[str, str] = {
    ANSWERED: "the share of questions that got an answer",
    CHECKS: "the share of checks passed; those of an answer that failed count as not passed",
    WINS: "the share of duels won, ties half",
}
"""What a threshold can ask for, 0 to 1, besides a check's own name."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A threshold that a contestant did not reach; `value` is None where there was nothing to measure."""

    contestant: str
    measure: str
    low: float
    value: float | None

    def __str__(self) -> str:
        found = "there is nothing to measure" if self.value is None else f"{self.value:.3f}"
        return f"{self.contestant}: {self.measure} must be at least {self.low:g}, but {found}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each check of one contestant passed: by the check's name, passed and looked for."""

    cells: int
    answered: int
    checks: Mapping[str, tuple[int, int]]

    @property
    def share(self) -> float | None:
        """Of all checks, the share that passed; None without any."""
        looked = sum(tries for _, tries in self.checks.values())
        return sum(hits for hits, _ in self.checks.values()) / looked if looked else None


def prove_thresholds(plan: Plan, *, rated: bool = False) -> None:
    """See that every threshold can be measured, before anything is run. rated: a person's votes may come to it.

    Raises:
        PlanError: one asks for something that is not known, or that this plan does not measure.
    """
    names = {name_of(check) for question in plan.questions for check in checks_of(plan, question)}
    for number, one in enumerate(plan.thresholds, start=1):
        if one.measure not in MEASURES and one.measure not in names:
            known = ", ".join([*MEASURES, *sorted(names)])
            raise PlanError(f"threshold {number} has no measure {one.measure!r}", f"There are: {known}.", "Mend it.")
        if one.measure == WINS and plan.judge is None and not rated:
            hint = "Add [judge], or give a person's votes with --votes."
            raise PlanError(f"threshold {number} needs a judge", "Without one nobody wins.", hint)
        if not 0 <= one.low <= 1:
            raise PlanError(f"threshold {number} cannot be {one.low:g}", "It is a number from 0 to 1.", "Mend it.")


def tallies(results: Results) -> list[Tally]:
    """For each contestant, how its answers did; every cell that has ended counts."""
    plan = results.plan
    counts: list[dict[str, list[int]]] = [{} for _ in plan.contestants]
    ended, answered = [0] * len(plan.contestants), [0] * len(plan.contestants)
    for cell in results.cells.values():
        one = cell.place.contestant
        done = cell.state is CellState.DONE
        ended[one] += 1
        answered[one] += done
        checks = checks_of(plan, plan.questions[cell.place.question])
        passed = [found.passed for found in results.findings[cell.place]] if done else [False] * len(checks)
        for check, fine in zip(checks, passed, strict=True):
            count = counts[one].setdefault(name_of(check), [0, 0])
            count[0] += fine
            count[1] += 1
    return [
        Tally(whole, fine, {name: (hits, tries) for name, (hits, tries) in count.items()})
        for whole, fine, count in zip(ended, answered, counts, strict=True)
    ]


def missed(results: Results, found: Sequence[Tally]) -> list[Missed]:
    """The thresholds that were not reached, in the plan's order; one without a contestant is for each.

    `found` is what `tallies` says of the results.
    """
    plan, votes = results.plan, results.votes
    return [
        Missed(plan.contestants[index].name, one.measure, one.low, value)
        for one in plan.thresholds
        for index in range(len(plan.contestants))
        if one.contestant in ("", plan.contestants[index].name)
        and ((value := _measured(one, index, found[index], votes)) is None or value < one.low)
    ]


def summary(results: Results, judgements: Sequence[Judgement]) -> dict[str, Any]:
    """What came of a run, as plain values for JSON; the same cells and judgements give the same.

    `judgements` are all of the judge's, also those without a verdict; the votes are those of the results.
    """
    plan, cells, votes = results.plan, results.cells, results.votes
    found, both = tallies(results), agreement(votes)
    names = [one.name for one in plan.contestants]
    made = [[cell.provenance for cell in cells.values() if cell.place.contestant == index and cell.provenance
             and cell.state is CellState.DONE] for index in range(len(names))]  # fmt: skip
    return {
        "name": plan.name,
        "cells": len(names) * len(plan.questions) * len(plan.seeds),
        "done": sum(one.answered for one in found),
        "failed": sum(one.cells - one.answered for one in found),
        "judged": len(judgements),
        "unparsed": sum(one.outcome is None for one in judgements),
        "votes": {str(rater): sum(vote.rater is rater for vote in votes) for rater in Rater},
        "prompts": [
            {
                "name": name,
                "answered": tally.answered,
                "checks": {check: {"passed": hits, "of": tries} for check, (hits, tries) in tally.checks.items()},
                "checks_passed": tally.share,
                "wins": win_rate(votes, index),
                "tokens": fmean(how.completion_tokens for how in made[index]) if made[index] else None,
                "tokens_per_s": fmean(how.tokens_per_s for how in made[index]) if made[index] else None,
            }
            for index, (name, tally) in enumerate(zip(names, found, strict=True))
        ],
        "win_table": [[{"wins": one.wins, "of": one.votes} for one in row] for row in win_table(votes, len(names))],
        "ranking": [
            {"name": names[one.contestant], "points": one.points, "low": one.low, "high": one.high, "first": one.first}
            for one in (rank(votes, len(names)).ranks if votes else ())
        ],
        "judge": _judge(results),
        "judge_changed_its_mind": steadiness(votes).share,
        "agreement": {"pairs": both.pairs, "share": both.share, "kappa": both.kappa},
        "missed": [
            {"prompt": one.contestant, "measure": one.measure, "low": one.low, "value": one.value}
            for one in missed(results, found)
        ],
    }


def _judge(results: Results) -> dict[str, Any] | None:
    """What made the verdicts, as the first of them tells; None where no judge was asked."""
    made = [results.judged_by[duel] for duel in sorted(results.judged_by)]
    if not made:
        return None
    return {
        "model": made[0].model_name,
        "quant": made[0].model_quant,
        "sha256": list(made[0].model_sha256),
        "template": made[0].template,
        "sampling": {key: value for key, value in made[0].sampling.items() if key != "seed"},
        "tokens": fmean(how.completion_tokens for how in made),
        "tokens_per_s": fmean(how.tokens_per_s for how in made),
    }


def _measured(threshold: Threshold, index: int, tally: Tally, votes: Sequence[Vote]) -> float | None:
    if threshold.measure == ANSWERED:
        return tally.answered / tally.cells if tally.cells else None
    if threshold.measure == CHECKS:
        return tally.share
    if threshold.measure == WINS:
        return win_rate(votes, index)
    hits, tries = tally.checks.get(threshold.measure, (0, 0))
    return hits / tries if tries else None

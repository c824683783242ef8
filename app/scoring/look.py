"""Look through an answer with every check that is meant for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from app.core.checks import Answer, CheckKind, kind_of, name_of, values_of
from app.core.errors import SettingError
from app.core.lab import Cell, Check, Finding, Plan, Question
from app.scoring.json_answer import looks_like_json, schema_of
from app.scoring.language import is_in_language, prove_codes
from app.scoring.likeness import is_similar
from app.scoring.pattern import compiled, matches
from app.scoring.wording import contains, equals, has_length, lacks, stops

Look: TypeAlias = Callable[[Mapping[str, Any], Answer, Question], Finding]

_LOOKS: Mapping[CheckKind, Look] = {
    CheckKind.CONTAINS: contains,
    CheckKind.LACKS: lacks,
    CheckKind.REGEX: matches,
    CheckKind.EQUALS: equals,
    CheckKind.JSON: looks_like_json,
    CheckKind.LENGTH: has_length,
    CheckKind.LANGUAGE: is_in_language,
    CheckKind.STOPS: stops,
    CheckKind.SIMILAR: is_similar,
}


def look(check: Check, answer: Answer, question: Question) -> Finding:
    """What a check finds in an answer.

    Raises:
        SettingError: the check itself is wrong; `prove` says so beforehand.
    """
    return _LOOKS[kind_of(check)](values_of(check), answer, question)


def prove(plan: Plan) -> None:
    """See that every check of a plan can be carried out, before anything is run.

    Raises:
        SettingError: a check or one of its values is wrong; the text names both.
    """
    for check in plan.checks:
        prove_check(check)
    for question in plan.questions:
        for check in question.checks:
            prove_check(check)


def prove_check(check: Check) -> None:
    """See that a check can be carried out.

    Raises:
        SettingError: its kind or a value is wrong, down to the regular expression, schema and languages.
    """
    values = values_of(check)
    try:
        match kind_of(check):
            case CheckKind.REGEX:
                compiled(values["pattern"], values["case"])
            case CheckKind.JSON if values["schema"] is not None:
                schema_of(values["schema"])
            case CheckKind.LANGUAGE:
                prove_codes(values["codes"])
    except SettingError as error:
        raise SettingError(f"The check {name_of(check)!r} cannot be used", str(error), error.hint) from error


def checks_of(plan: Plan, question: Question) -> tuple[Check, ...]:
    """The checks for answers to a question: the plan's, then its own."""
    return (*plan.checks, *question.checks)


def findings_of(plan: Plan, cell: Cell) -> tuple[Finding, ...]:
    """What the checks find in a finished cell, in the order of `checks_of`."""
    question = plan.questions[cell.place.question]
    made = cell.provenance
    answer = Answer(cell.text, made.stop_reason, made.completion_tokens or None) if made else Answer(cell.text)
    return tuple(look(check, answer, question) for check in checks_of(plan, question))

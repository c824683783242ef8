"""The kinds of checks there are, the values each takes, and how a check is named and its values are proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import SettingError
from app.core.lab import Check


class CheckKind(StrEnum):
    """What a check looks for."""

    CONTAINS = "contains"
    LACKS = "lacks"
    REGEX = "regex"
    EQUALS = "equals"
    JSON = "json"
    LENGTH = "length"
    LANGUAGE = "language"
    STOPS = "stops"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class CheckValue:
    """A value that a kind of check takes.

    kind: "texts" (one text or a list of them), "text", "yes", "whole" (a number from 0), "share" (0 to 1), "schema"
    (a table, or JSON text) or "choice". A default of None means that it may be left out. `needed` ones may not.
    """

    kind: str
    default: Any = None
    needed: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""


VALUES: Mapping[CheckKind, Mapping[str, CheckValue]] = {
    CheckKind.CONTAINS: {
        "texts": CheckValue("texts", needed=True, help="What the answer shall contain."),
        "which": CheckValue("choice", "all", choices=("all", "any"), help="Whether all must be there, or any of them."),
        "case": CheckValue("yes", False, help="Whether capitals matter."),
    },
    CheckKind.LACKS: {
        "texts": CheckValue("texts", needed=True, help="What the answer shall not contain, none of them."),
        "case": CheckValue("yes", False, help="Whether capitals matter."),
    },
    CheckKind.REGEX: {
        "pattern": CheckValue("text", needed=True, help="A regular expression that must be found in the answer."),
        "whole": CheckValue("yes", False, help="Whether it must describe the whole answer."),
        "case": CheckValue("yes", True, help="Whether capitals matter."),
        "absent": CheckValue("yes", False, help="Whether it must not be found."),
    },
    CheckKind.EQUALS: {
        "text": CheckValue("text", "", help="What the answer shall be; empty for the question's reference."),
        "case": CheckValue("yes", False, help="Whether capitals matter."),
        "spaces": CheckValue("yes", False, help="Whether every space and line break matters."),
        "marks": CheckValue("yes", False, help="Whether quotation and punctuation marks around it matter."),
    },
    CheckKind.JSON: {
        "schema": CheckValue("schema", help="A JSON schema that it must keep to."),
        "fenced": CheckValue("yes", True, help="Whether it may stand in a fenced block of code."),
    },
    CheckKind.LENGTH: {
        "unit": CheckValue("choice", "words", choices=("words", "characters", "tokens"), help="What is counted."),
        "low": CheckValue("whole", 0, help="At least so many."),
        "high": CheckValue("whole", help="At most so many; left out, there is no upper end."),
    },
    CheckKind.LANGUAGE: {
        "codes": CheckValue("texts", needed=True, help='Languages it may be in, as two letters: "en", "de".'),
    },
    CheckKind.STOPS: {},
    CheckKind.SIMILAR: {
        "method": CheckValue("choice", "chrf", choices=("chrf", "rouge-l"), help="How likeness is measured."),
        "low": CheckValue("share", 0.5, help="How alike it must be to the reference, 0 to 1."),
    },
}
"""Every kind of check with its values, in the order a form shows them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as a check sees it.

    stop_reason: why it ended, as its provenance says. tokens: how many the model wrote; None where nobody counted.
    """

    text: str
    stop_reason: str = ""
    tokens: int | None = None


def kind_of(check: Check) -> CheckKind:
    """The kind of a check.

    Raises:
        SettingError: there is no such kind.
    """
    try:
        return CheckKind(check.kind)
    except ValueError:
        kinds = ", ".join(CheckKind)
        raise SettingError(f"There is no check {check.kind!r}", hint=f"Choose one of: {kinds}.") from None


def name_of(check: Check) -> str:
    """What a check is called in tables: the person's label, else its kind and what it looks for."""
    if check.label:
        return check.label
    shown = [_short(value) for value in check.values.values() if not isinstance(value, bool)]
    return " ".join([check.kind, *shown])


def values_of(check: Check) -> dict[str, Any]:
    """The values of a check, proved, with defaults for what is left out; "texts" is always a tuple.

    Raises:
        SettingError: the kind or a value is unknown, missing or out of range; the text names both.
    """
    known = VALUES[kind_of(check)]
    for key in check.values:
        if key not in known:
            takes = f"It takes: {', '.join(known)}." if known else "It takes no values."
            raise SettingError(f"The check {name_of(check)!r} knows no value {key!r}", hint=takes)
    values = {key: _value(check, key, value) for key, value in known.items()}
    low, high = values.get("low"), values.get("high")
    if high is not None and low is not None and high < low:
        raise SettingError(
            f"The check {name_of(check)!r} can never pass",
            f'"low" is {low}, and "high" is {high}, which is less.',
            "Change one of the two.",
        )
    return values


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value))
    text = "schema" if isinstance(value, Mapping) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _value(check: Check, key: str, known: CheckValue) -> Any:
    given = check.values.get(key)
    if given is None:
        if known.needed:
            raise SettingError(f'The check {name_of(check)!r} has no "{key}"', hint=known.help)
        return known.default
    wrong = _what_is_wrong(known, given)
    if wrong:
        raise SettingError(
            f'"{key}" of the check {name_of(check)!r} must be {wrong}', f"It is {given!r:.80}.", known.help
        )
    if known.kind == "texts":
        return (given,) if isinstance(given, str) else tuple(given)
    return given


def _what_is_wrong(known: CheckValue, given: Any) -> str:
    """What the value should have been; "" where it is."""
    number = isinstance(given, int | float) and not isinstance(given, bool)
    match known.kind:
        case "texts":
            return "" if _are_texts(given) else "a text, or a list of texts, none of them empty"
        case "text":
            fine = isinstance(given, str) and (given or not known.needed)
            return "" if fine else "a text that is not empty" if known.needed else "a text"
        case "yes":
            return "" if isinstance(given, bool) else "true or false"
        case "whole":
            return "" if number and isinstance(given, int) and given >= 0 else "a whole number from 0"
        case "share":
            return "" if number and 0 <= given <= 1 else "a number from 0 to 1"
        case "schema":
            return "" if isinstance(given, str | bool | Mapping) else "a table, or JSON as text"
        case _:
            return "" if given in known.choices else "one of " + ", ".join(known.choices)


def _are_texts(given: Any) -> bool:
    if isinstance(given, str):
        return bool(given)
    return isinstance(given, Sequence) and bool(given) and all(isinstance(one, str) and one for one in given)

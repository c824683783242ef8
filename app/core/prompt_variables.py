r"""Variables in a system prompt: what is one, where it stands, and the text with values in their places.

A variable is exactly `{{name}}` or `{{name=default}}`:

- two braces, not three, and no blank behind the first two;
- a name: a letter or `_`, then letters, digits, `_` and `-`, at most 64 in all; capitals count;
- perhaps `=` and a default: anything on one line but braces. `{{name=}}` may stay empty.

Everything else stays as it is: `{name}`, `{{ name }}` and `{{ user.name }}` (Jinja), `{{#each}}`, `{{user.name}}`,
`{{{name}}}` (Mustache), `{% if %}`, `${{ env }}`, JSON and code. A backslash before a variable makes it plain text:
`\{{name}}` is sent as `{{name}}`. Two give one backslash and the value. Backslashes elsewhere mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

DATE, TIME, MODEL = "date", "time", "model"
BUILT_IN = (DATE, TIME, MODEL)
"""Names whose values the app knows; no form asks for them."""

_VARIABLE = re.compile(
    r"(?<!\\)(?P<slashes>\\*)(?<!\{)\{\{(?P<name>[^\W\d][\w-]{0,63})(?:=(?P<default>[^{}\r\n]*))?\}\}(?!\})"
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place of a variable, `start` and `end` in characters of the text, its backslashes included.

    `escaped`: it is sent as it stands, without the backslash. `default` is None where none is given here.
    """

    start: int
    end: int
    name: str
    default: str | None
    escaped: bool = False
    slashes: int = 0


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a text, for a form: its default is the first one that is given anywhere, None for none."""

    name: str
    default: str | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether the app knows its value."""
        return self.name in BUILT_IN


@dataclass(frozen=True, slots=True)
class Resolved:
    """A text with values in the places of its variables.

    `unresolved` names those that have none, in reading order: they stand in the text as they were, and it is not to be
    sent.
    """

    text: str
    unresolved: tuple[str, ...] = ()


def occurrences(text: str) -> tuple[Occurrence, ...]:
    """Every variable and escaped one in reading order."""
    found = []
    for match in _VARIABLE.finditer(text):
        slashes = len(match["slashes"])
        found.append(Occurrence(*match.span(), match["name"], match["default"], slashes % 2 == 1, slashes))
    return tuple(found)


def variables(text: str) -> tuple[Variable, ...]:
    """The variables of a text, each once, in the order they first appear."""
    found: dict[str, str | None] = {}
    for one in occurrences(text):
        if not one.escaped and found.get(one.name) is None:
            found[one.name] = one.default
    return tuple(Variable(name, default) for name, default in found.items())


def resolve(text: str, values: Mapping[str, str]) -> Resolved:
    """Put a value, else the default, in the place of each variable. What comes in is not searched for variables again.

    Args:
        text: the text with variables.
        values: by name; "" is a value too. Those of `built_in` belong to them.
    """
    defaults = {variable.name: variable.default for variable in variables(text)}
    parts: list[str] = []
    unresolved: dict[str, None] = {}
    at = 0
    for one in occurrences(text):
        parts += [text[at : one.start], "\\" * (one.slashes // 2)]
        at = one.end
        value = values.get(one.name, defaults.get(one.name))
        if one.escaped:
            parts.append(text[one.start + one.slashes : one.end])
        elif value is None:
            unresolved[one.name] = None
            parts.append(text[one.start + one.slashes : one.end])
        else:
            parts.append(value)
    return Resolved("".join((*parts, text[at:])), tuple(unresolved))


def with_default(text: str, name: str, default: str | None) -> str:
    """The text with another default for a variable, where the one in force stands, else where it appears first.

    Args:
        text: the text with variables.
        name: the variable's; without it in the text, nothing changes.
        default: what is to be sent where nobody gives a value; None for none, which takes every default of it away.

    Raises:
        ValueError: a default stands on one line and has no braces.
    """
    if default is not None and not can_be_default(default):
        raise ValueError(f"no default can be {default!r}")
    places = [one for one in occurrences(text) if one.name == name and not one.escaped]
    in_force = next((one for one in places if one.default is not None), places[0] if places else None)
    for one in reversed(places):
        if one is in_force or default is None:
            ending = "" if default is None else f"={default}"
            written = "\\" * one.slashes + f"{{{{{name}{ending}}}}}"
            text = text[: one.start] + written + text[one.end :]
    return text


def can_be_default(text: str) -> bool:
    """Whether this can stand in a prompt as a variable's default: on one line and without braces."""
    return not any(sign in text for sign in "{}\r\n")


def escape(text: str) -> str:
    """The text so that it is sent as it stands: what looks like a variable gets backslashes."""
    return _VARIABLE.sub(lambda match: match["slashes"] + "\\" + match[0], text)


def built_in(moment: datetime, model_name: str) -> dict[str, str]:
    """What the app knows: "Saturday 21 November 2026", "17:05", and the model's name unless it is empty.

    The words are English on every computer, so that the same moment gives the same text.
    """
    day = f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    known = {DATE: day, TIME: f"{moment.hour:02}:{moment.minute:02}", MODEL: model_name}
    return {name: value for name, value in known.items() if value}

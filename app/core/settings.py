"""Settings: each is declared once, with its range, unit, words and scope; forms, checks and storage follow from that.

A group of settings is a frozen dataclass whose fields are made by `setting(...)`. Only what a person changed is kept,
as a mapping from key to value; `resolve` lays such mappings over each other and says where each value came from.

None as a value means the setting's own word for "no value" (`none_label`: Off, Auto, Random...). It is a choice like
any other and not the same as 0, nor the same as "not set here", which is the key's absence.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Generic, TypeVar, cast

from app.core.errors import SettingError

Group = TypeVar("Group")
Value = float | int | bool | str | tuple[str, ...] | None
_LONGEST_TEXT = 4096
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\\": "\\"}
"""How what cannot be typed into a line is written there; any other backslash stands for itself."""


class Scope(StrEnum):
    """Where a setting can be changed."""

    APP = "app"
    MODEL = "model"
    """Per model."""
    CHAT = "chat"
    """Per model, and over that per chat."""


class Kind(StrEnum):
    """What a value looks like; decides the form's field."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    CHOICE = "choice"
    LINES = "lines"
    """A list of strings, one a line."""
    TEXT = "text"
    """One line of text; an empty one is no value."""


class Source(StrEnum):
    """Where a resolved value came from."""

    DEFAULT = "default"
    MODEL = "model"
    """The model's own, as its catalogue entry or its authors ask for."""
    MODEL_CHANGED = "model_changed"
    """Changed by the person for this model."""
    CHAT = "chat"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Setting:
    """The declaration of one setting.

    `low` and `high` are hard limits, both allowed; `soft_high` is where a slider ends. `choices` maps each allowed
    value of a CHOICE to its label. `none_label` is None where a value is always needed, and `usual` is where the form's
    field then starts when a value is first wanted. `part` is the heading under which the form shows it, `advanced` ones
    are folded away.
    """

    key: str
    kind: Kind
    default: Value
    label: str
    help: str
    scope: Scope
    part: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    soft_high: float | None = None
    step: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    none_label: str | None = None
    usual: Value = None
    advanced: bool = False
    line: Callable[[str], object] | None = None
    """Writes one of the LINES as it is kept; raises ValueError where it is none."""

    def checked(self, value: Any) -> Value:
        """The value in this setting's type.

        Raises:
            SettingError: it is of another kind or out of range; the text says what is allowed.
        """
        if value is None:
            if self.none_label is None:
                raise self._refused(value)
            return None
        check = {
            Kind.FLOAT: self._number,
            Kind.INT: self._number,
            Kind.BOOL: self._bool,
            Kind.CHOICE: self._choice,
            Kind.TEXT: self._text,
        }
        return check.get(self.kind, self._lines)(value)

    def parsed(self, text: str) -> Value:
        r"""A value typed as text, as on the command line: numbers, on/off, a choice, "off"/"auto", one line each.

        In lines that have no form of their own, \n, \t, \r and \\ are a line break, a tab, a carriage return and a
        backslash.

        Raises:
            SettingError: the text is not a value of this setting.
        """
        word = text.strip()
        nothing = {"none", (self.none_label or "").lower()} | (set() if self.kind is Kind.BOOL else {"off"})
        if self.none_label is not None and word.lower() in nothing:
            return None
        if self.kind is Kind.BOOL:
            known = {
                "on": True,
                "true": True,
                "yes": True,
                "1": True,
                "off": False,
                "false": False,
                "no": False,
                "0": False,
            }
            if word.lower() not in known:
                raise self._refused(text)
            return known[word.lower()]
        if self.kind in (Kind.FLOAT, Kind.INT):
            try:
                return self.checked(float(word))
            except (ValueError, SettingError):
                raise self._refused(word) from None
        if self.kind is Kind.LINES:
            return self.checked(tuple(self._unescaped(line) for line in text.split("\n") if line))
        return self.checked(word)

    def typed(self, lines: Sequence[str]) -> str:
        """How LINES are typed, one a line: what `parsed` reads back as these."""
        if self.line is not None:
            return "\n".join(lines)
        ways = str.maketrans({meant: way for way, meant in _ESCAPES.items()})
        return "\n".join(line.translate(ways) for line in lines)

    def _unescaped(self, line: str) -> str:
        return line if self.line is not None else re.sub(r"\\[ntr\\]", lambda found: _ESCAPES[found[0]], line)

    def allowed(self) -> str:
        """What may be entered, as a phrase: "a number from 0 to 2, or off"."""
        if self.kind is Kind.BOOL:
            return f"on, off or {self.none_label.lower()}" if self.none_label else "on or off"
        if self.kind is Kind.CHOICE:
            phrase = "one of " + ", ".join(value for value, _ in self.choices)
        elif self.kind is Kind.LINES:
            phrase = "a list of texts" if self.line is None else "a list of lines as in its description"
        elif self.kind is Kind.TEXT:
            phrase = "one line of text"
        else:
            word = "a whole number" if self.kind is Kind.INT else "a number"
            phrase = (
                f"{word} from {self.low:,.10g} to {self.high:,.10g}"
                if self.low is not None and self.high is not None
                else word
            )
        return phrase + (f", or {self.none_label.lower()}" if self.none_label else "")

    def _refused(self, value: Any) -> SettingError:
        return SettingError(
            f"{self.label} cannot be {str(value)[:60]!r}", f"It takes {self.allowed()}.", "The value before is kept."
        )

    def _number(self, value: Any) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._refused(value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise self._refused(value)
        if self.kind is Kind.FLOAT:
            return float(value)
        if value != int(value):
            raise self._refused(value)
        return int(value)

    def _bool(self, value: Any) -> Value:
        if not isinstance(value, bool):
            raise self._refused(value)
        return value

    def _choice(self, value: Any) -> Value:
        if not isinstance(value, str) or value not in {known for known, _ in self.choices}:
            raise self._refused(value)
        return value

    def _text(self, value: Any) -> Value:
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
            raise self._refused(value)
        if not value.strip():
            return self.checked(None)
        return value.strip()

    def _lines(self, value: Any) -> Value:
        if (
            isinstance(value, str)
            or not isinstance(value, Sequence)
            or not all(isinstance(line, str) for line in value)
        ):
            raise self._refused(value)
        try:
            return tuple(str(self.line(line)) if self.line is not None else line for line in value if line)
        except ValueError:
            raise self._refused(value) from None


def setting(default: Value, *, kind: Kind, label: str, help: str, scope: Scope, **more: Any) -> Any:
    """A dataclass field that declares a setting; the field's name becomes its key."""
    return dataclasses.field(
        default=default,
        metadata={"declared": {"kind": kind, "default": default, "label": label, "help": help, "scope": scope, **more}},
    )


@cache
def declared(group: Hashable) -> Mapping[str, Setting]:
    """Every setting of a group by key, in the order of declaration."""
    return {
        f.name: Setting(key=f.name, **f.metadata["declared"])
        for f in dataclasses.fields(cast("Any", group))
        if f.metadata
    }


@dataclass(frozen=True, slots=True)
class Resolved(Generic[Group]):
    """A group's values in force, and for each key where it came from."""

    values: Group
    sources: Mapping[str, Source]
    refused: tuple[SettingError, ...] = ()
    """Stored values that no longer fit their setting; the layer below was used instead."""


def resolve(group: type[Group], layers: Iterable[tuple[Source, Mapping[str, Any]]]) -> Resolved[Group]:
    """Lay mappings over the group's defaults, the later over the earlier. Unknown keys are passed over."""
    known = declared(cast("Hashable", group))
    values: dict[str, Value] = {}
    sources = dict.fromkeys(known, Source.DEFAULT)
    refused: list[SettingError] = []
    for source, layer in layers:
        for key in known.keys() & layer.keys():
            try:
                values[key] = known[key].checked(layer[key])
            except SettingError as error:
                refused.append(error)
            else:
                sources[key] = source
    return Resolved(group(**values), sources, tuple(refused))

"""The plan of an experiment as a TOML file that a person writes and a program keeps."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.core import prompt_variables
from app.core.errors import PlanError
from app.core.lab import Plan
from app.core.plan_table import Files, plan_of, table_of
from app.core.text import clean

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\r": "\\r"}


def read_plan(text: str, files: Files | None = None) -> Plan:
    """The plan in a TOML file's text. `files` reads the files that it names.

    Raises:
        PlanError: it is no TOML (the text names the line), or no plan (it names the table and the key).
        AppError: a file that it names cannot be read.
    """
    try:
        table = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        where = str(error).replace("at end of document", f"at line {text.rstrip().count(chr(10)) + 1}, the last")
        raise PlanError("The plan is not valid TOML", f"{where}.", "Nothing was run. Mend the line.") from error
    return plan_of(table, files)


def filled(plan: Plan, models: Mapping[str, str]) -> Plan:
    """The plan with the values of its variables in their places, and no variables any more.

    `models` has the names of the models, by the id that plan and contestants name, "" included: they are the values of
    `{{model}}`. A plan has no date and no time of its own, as it means the same whenever it is run.

    Raises:
        PlanError: a variable has no value; the text names it and the prompt.
    """
    contestants = []
    for one in plan.contestants:
        known = dict(plan.variables)
        if any(each.name == prompt_variables.MODEL for each in prompt_variables.variables(one.system_prompt)):
            known[prompt_variables.MODEL] = models[one.model_id or plan.model_id]
        found = prompt_variables.resolve(one.system_prompt, known)
        if found.unresolved:
            name = found.unresolved[0]
            raise PlanError(
                f"{{{{{name}}}}} has no value",
                f"It stands in the prompt “{one.name}”.",
                f'Nothing was run. Write {name} = "..." below [variables], or a default into the prompt: '
                f"{{{{{name}=default}}}}. What is no variable gets a backslash: \\{{{{{name}}}}}.",
            )
        contestants.append(replace(one, system_prompt=found.text))
    return replace(plan, contestants=tuple(contestants), variables={})


def write_plan(plan: Plan) -> str:
    """A plan as TOML with everything inline; `read_plan` makes the same plan of it.

    Raises:
        PlanError: a check holds "null", which TOML cannot say.
    """
    return "".join(_lines(table_of(plan), ())).lstrip("\n")


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """The lines of a table: first its plain values, then the tables in it."""
    lines: list[str] = []
    later: list[str] = []
    for key, value in table.items():
        # a check's own values stay on one line: a schema would tear it apart
        if isinstance(value, dict) and "kind" not in table:
            below = (*path, key)
            later += [f"\n[{_dotted(below)}]\n", *_lines(value, below)]
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value) and "kind" not in table:
            below = (*path, key)
            for one in value:
                later += [f"\n[[{_dotted(below)}]]\n", *_lines(one, below)]
        else:
            lines.append(f"{_key(key)} = {_value(value)}\n")
    return lines + later


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(map(_key, path))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(clean(key))


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(clean(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(key))} = {_value(held)}" for key, held in value.items()) + "}"
    raise PlanError(
        f"A plan file cannot hold {value!r}", "TOML has no word for it.", "Give a JSON schema as a text instead."
    )


def _text(text: str) -> str:
    if "\n" not in text:
        return _quoted(text)
    return '"""\n' + "\n".join(_quoted(line)[1:-1] for line in text.split("\n")) + '"""'


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    return f"\\u{ord(sign):04X}" if (sign < " " and sign != "\t") or sign == "\x7f" else sign

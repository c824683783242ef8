"""Answers that shall be JSON, and keep to a schema where one is given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import jsonschema
import referencing
import regex
from jsonschema import validators

from app.core.checks import Answer
from app.core.errors import SettingError
from app.core.lab import Finding, Question
from app.scoring.pattern import LIMIT_S

Schema: TypeAlias = Mapping[str, Any] | bool

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)


def looks_like_json(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether an answer is one JSON value, alone or in its only fenced block, and keeps to a schema."""
    text = answer.text.strip()
    if values["fenced"] and len(blocks := _FENCE.findall(answer.text)) == 1:
        text = blocks[0][1]
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        return Finding(False, "It is nested too deeply to be read.")
    except ValueError as error:
        return Finding(False, f"It is no JSON: {error}.")
    if values["schema"] is None:
        return Finding(True, "It is JSON.")
    return _kept(schema_of(values["schema"]), found)


def schema_of(given: Schema | str) -> Schema:
    """A JSON schema, proved against the draft that it names (2020-12 where it names none).

    Raises:
        SettingError: it is none.
    """
    schema = given
    try:
        if isinstance(schema, str):
            schema = json.loads(schema)
        if not isinstance(schema, Mapping | bool):
            raise SettingError("The JSON schema must be a table", hint='Begin it with "{".')
        validators.validator_for(schema, default=jsonschema.Draft202012Validator).check_schema(schema)
    except jsonschema.SchemaError as error:
        where = error.json_path
        raise SettingError("The JSON schema is wrong", f"{where}: {error.message:.200}.", "Mend it there.") from error
    except (ValueError, RecursionError) as error:
        raise SettingError("The JSON schema is no JSON", f"{error}.", "Mend it there.") from error
    return schema


def _kept(schema: Schema, found: Any) -> Finding:
    checker = _checker_for(str(schema.get("$schema", "")) if isinstance(schema, Mapping) else "")
    # with a registry of its own, a "$ref" to a place on the net is an error and not a request
    try:
        errors = checker(schema, registry=referencing.Registry()).iter_errors(found)
        worst = jsonschema.exceptions.best_match(errors)
    except referencing.exceptions.Unresolvable as error:
        return Finding(False, f"The schema refers to {error.ref!r}, which is not in it.")
    except TimeoutError:
        return Finding(False, f"A pattern in the schema was not done after {LIMIT_S:g} s.")
    except RecursionError:
        return Finding(False, "The schema refers to itself without end.")
    if worst is None:
        return Finding(True, "It is JSON and keeps to the schema.", 1.0)
    return Finding(False, f"{worst.json_path}: {worst.message:.200}.", 0.0)


@lru_cache(maxsize=8)
def _checker_for(draft: str) -> Any:
    base = validators.validator_for({"$schema": draft}, default=jsonschema.Draft202012Validator)
    ours = {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional}
    return validators.extend(base, ours)


def _pattern(validator: Any, pattern: str, found: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    """The keyword "pattern" under a time limit, which the library's own has not."""
    if not validator.is_type(found, "string"):
        return
    try:
        there = regex.search(pattern, found, timeout=LIMIT_S)
    except regex.error:
        yield jsonschema.ValidationError(f"{pattern!r} is no regular expression")
        return
    if there is None:
        yield jsonschema.ValidationError(f"{found!r:.80} does not match {pattern!r}")


def _pattern_properties(validator: Any, by_pattern: Any, found: Any, schema: Schema) -> Iterator[Any]:
    """The keyword "patternProperties" under the same limit."""
    if validator.is_type(found, "object"):
        for pattern, inner in by_pattern.items():
            for name, value in found.items():
                if _is_in(pattern, name):
                    yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _additional(validator: Any, extra: Any, found: Any, schema: Any) -> Iterator[Any]:
    """The keyword "additionalProperties", which asks the patterns too."""
    if not validator.is_type(found, "object"):
        return
    for name, value in found.items():
        if name in schema.get("properties", {}) or any(
            _is_in(one, name) for one in schema.get("patternProperties", {})
        ):
            continue
        if extra is False:
            yield jsonschema.ValidationError(f"{name!r:.80} is not expected")
        else:
            yield from validator.descend(value, extra, path=name)


def _is_in(pattern: str, name: str) -> bool:
    try:
        return regex.search(pattern, name, timeout=LIMIT_S) is not None
    except regex.error:
        return False


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")

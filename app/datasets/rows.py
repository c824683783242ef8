"""Rows of CSV and JSON files, one after another, each with the line it stands in."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from app.core.errors import AppError

LONGEST_LINE = 16 << 20
"""Characters of one line, or one field of a table."""

_LARGEST_JSON = 256 << 20
_PEEK_BYTES = 1 << 20
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the names of its columns; `where` is "line 7" or "row 7", for messages."""

    values: Mapping[str, Any]
    where: str


def trouble(path: Path, where: str, what: str, hint: str = "Mend the file there, or choose another.") -> AppError:
    """What is wrong with a file, and where."""
    return AppError(f"{path.name} cannot be read", f"{where[:1].upper()}{where[1:]}: {what}." if where else what, hint)


def csv_rows(path: Path, delimiter: str = "") -> Iterator[Row]:
    """The rows of a table below its header; the delimiter is found out where none is given.

    Raises:
        AppError: the file cannot be opened or decoded, a field is too long, or a row has more fields than the header.
    """
    csv.field_size_limit(LONGEST_LINE)
    with opened(path) as file:
        reader = csv.reader(file, delimiter=delimiter or _delimiter(path))
        header: list[str] = []
        try:
            for fields in reader:
                where = f"line {reader.line_num}"
                if not any(field.strip() for field in fields):
                    continue
                if not header:
                    header = [field.strip() for field in fields]
                    continue
                if len(fields) > len(header) and any(field.strip() for field in fields[len(header) :]):
                    raise trouble(path, where, f"it has {len(fields)} fields, and the header has {len(header)}")
                yield Row(dict(zip(header, fields, strict=False)), where)
        except csv.Error as error:
            raise trouble(path, f"line {reader.line_num}", f"{error}") from error
        except UnicodeError as error:
            raise _undecodable(path, f"after line {reader.line_num}") from error


def jsonl_rows(path: Path) -> Iterator[Row]:
    """The objects of a file with one in each line; or, where it begins with a bracket, those of one JSON list.

    Raises:
        AppError: the file cannot be opened or decoded, or a line is no JSON object; the line is named.
    """
    with opened(path) as file:
        number = 0
        try:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise trouble(path, f"line {number}", "it is longer than 16 million characters")
                if number == 1 and line.lstrip().startswith("["):
                    yield from _json_list(path)
                    return
                if line.strip():
                    yield Row(_object(path, line, f"line {number}"), f"line {number}")
        except UnicodeError as error:
            raise _undecodable(path, f"after line {number}") from error


def opened(path: Path) -> TextIO:
    """A text file in the encoding that it is in: UTF-8 or UTF-16 by their marks, else UTF-8, else Windows-1252.

    Raises:
        AppError: it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_PEEK_BYTES)
        return path.open("r", encoding=encoding_of(start), newline="")
    except OSError as error:
        raise AppError(
            f"{path.name} cannot be opened", f"{error.strerror or error}.", "Choose another file."
        ) from error


def encoding_of(start: bytes) -> str:
    """The encoding of a text that begins with these bytes."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter(path: Path) -> str:
    """The one that cuts the first rows into the same number of fields, the more the better."""
    with opened(path) as file:
        try:
            start = file.read(1 << 16)
        except UnicodeError as error:
            raise _undecodable(path, "in its first lines") from error
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(start.splitlines(keepends=True), delimiter=delimiter) if row][:20]
        except csv.Error:
            continue
        # the last row may be cut off by the end of what was read
        whole = widths[:-1] or widths
        if whole and whole[0] > most and sum(width == whole[0] for width in whole) >= len(whole) * 0.8:
            best, most = delimiter, whole[0]
    return best


def _json_list(path: Path) -> Iterator[Row]:
    if path.stat().st_size > _LARGEST_JSON:
        raise trouble(path, "", "A JSON list of more than 256 MB does not fit.", "Save it with one object a line.")
    with opened(path) as file:
        found = _parsed(path, file.read(), "")
    if not isinstance(found, list):
        raise trouble(path, "line 1", "it is no list of objects")
    for number, one in enumerate(found, start=1):
        if not isinstance(one, dict):
            raise trouble(path, f"entry {number}", "it is no object with named values")
        yield Row(one, f"entry {number}")


def _object(path: Path, line: str, where: str) -> Mapping[str, Any]:
    found = _parsed(path, line, where)
    if not isinstance(found, dict):
        raise trouble(path, where, 'it is no object with named values, such as {"question": "…"}')
    return found


def _parsed(path: Path, text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise trouble(path, where, "it is nested too deeply") from error
    except json.JSONDecodeError as error:
        place = where or f"line {error.lineno}"
        raise trouble(path, place, f"it is no JSON ({error.msg}, column {error.colno})") from error


def _undecodable(path: Path, where: str) -> AppError:
    return trouble(path, where, "its characters cannot be read", "Save the file as UTF-8 and try again.")


def names_of(rows: Sequence[Row]) -> list[str]:
    """The columns that rows have, in the order they come up."""
    return list(dict.fromkeys(name for row in rows for name in row.values))

"""Questions from what a person types or pastes, and from files: text, CSV, JSONL, Parquet."""

from __future__ import annotations

import dataclasses
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import AppError
from app.core.lab import Question
from app.core.text import clean
from app.datasets.columns import MEANINGS, has_unread_checks, meaning_of, question_of
from app.datasets.parquet import ParquetFile
from app.datasets.rows import LONGEST_LINE, Row, csv_rows, jsonl_rows, opened

ENDINGS = (".txt", ".md", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
"""Files that are read, by the end of their name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of a file is wanted.

    limit: at most so many questions, the first ones; None for all. sample_seed: instead of the first ones, so many
    drawn by chance with this seed, in the order of the file. columns: what a person said of the columns, see
    `columns.MEANINGS`.
    """

    limit: int | None = 1000
    sample_seed: int | None = None
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuestionsRead:
    """Questions with keys of their own.

    rows: so many were looked at; empty: so many of them ask nothing; unread_checks: so many have checks that are not
    understood and were left out.
    """

    questions: tuple[Question, ...]
    rows: int
    empty: int
    columns: Mapping[str, str]
    unread_checks: int = 0


def questions_from_text(text: str, *, by_paragraph: bool | None = None) -> tuple[Question, ...]:
    """A question in each line, or in each paragraph where empty lines part them; None takes what the text looks like.

    It looks like paragraphs where it has an empty line between others.
    """
    text = clean(text).replace("\r\n", "\n").strip("\ufeff\n ")
    if by_paragraph is None:
        by_paragraph = re.search(r"\n[ \t]*\n", text) is not None
    parts = re.split(r"\n[ \t]*\n", text) if by_paragraph else text.split("\n")
    return with_keys(Question("", part.strip()) for part in parts if part.strip())


def read_questions(path: Path, wanted: Wanted | None = None) -> QuestionsRead:
    """The questions in a file, which is told by the end of its name.

    Raises:
        AppError: it cannot be opened or read, or has no column of questions; the text names the line.
    """
    wanted = wanted or Wanted()
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _from_parquet(path, wanted)
    if ending in (".csv", ".tsv"):
        return _from_rows(path, csv_rows(path, "\t" if ending == ".tsv" else ""), wanted)
    if ending in (".jsonl", ".ndjson", ".json"):
        return _from_rows(path, jsonl_rows(path), wanted)
    if ending in (".txt", ".md"):
        found = questions_from_text(_whole(path))
        picked = list(_picked(found, wanted))
        return QuestionsRead(tuple(picked), len(found), 0, {})
    raise AppError(
        f"{path.name} is of no kind that is read", hint=f"Questions are read from files with {', '.join(ENDINGS)}."
    )


def columns_of(path: Path) -> tuple[str, ...]:
    """The names of a file's columns, as its first row has them; none for plain text.

    Raises:
        AppError: it cannot be opened or read.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        with ParquetFile(path) as file:
            return tuple(column.name for column in file.columns if column.flat)
    if ending in (".csv", ".tsv"):
        rows = csv_rows(path, "\t" if ending == ".tsv" else "")
    elif ending in (".jsonl", ".ndjson", ".json"):
        rows = jsonl_rows(path)
    else:
        return ()
    first = next(rows, None)
    return tuple(first.values) if first is not None else ()


def with_keys(questions: Iterable[Question]) -> tuple[Question, ...]:
    """The same questions, those without a key named after their place, and each key there once."""
    seen: Counter[str] = Counter()
    found: list[Question] = []
    for number, question in enumerate(questions, start=1):
        key = wished = question.key or str(number)
        while seen[key]:
            seen[wished] += 1
            key = f"{wished} ({seen[wished]})"
        seen[key] += 1
        found.append(question if key == question.key else dataclasses.replace(question, key=key))
    return tuple(found)


def _whole(path: Path) -> str:
    with opened(path) as file:
        try:
            text = file.read(LONGEST_LINE + 1)
        except UnicodeError as error:
            raise AppError(
                f"{path.name} cannot be read", "Its characters cannot be read.", "Save it as UTF-8."
            ) from error
    if len(text) > LONGEST_LINE:
        raise AppError(
            f"{path.name} is too long", "A text of more than 16 million characters is not read.", "Use CSV or JSONL."
        )
    return text


def _from_rows(path: Path, rows: Iterator[Row], wanted: Wanted) -> QuestionsRead:
    meaning: dict[str, str] = {}
    looked = empty = unread = 0

    def asked() -> Iterator[Question]:
        nonlocal looked, empty, unread
        for row in rows:
            looked += 1
            if not meaning:
                meaning.update(_understood(path, row.values, wanted))
            question = question_of(row.values, meaning)
            if question is None:
                empty += 1
            else:
                unread += has_unread_checks(row.values, meaning)
                yield question if question.key else dataclasses.replace(question, key=str(looked))

    found = with_keys(_picked(asked(), wanted))
    if not found:
        raise AppError(f"There is no question in {path.name}", _rows_looked(looked), "Choose another file.")
    return QuestionsRead(found, looked, empty, meaning, unread)


def _from_parquet(path: Path, wanted: Wanted) -> QuestionsRead:
    with ParquetFile(path) as file:
        flat = [column.name for column in file.columns if column.flat]
        meaning = _understood(path, flat, wanted)
        names = list(dict.fromkeys(meaning.values()))
        if missing := [name for name in names if name not in flat]:
            raise AppError(f"{path.name} has no column {missing[0]!r}", _has(flat), "Choose one of them.")
        places = _places(file.rows, wanted)
        rows = (Row(dict(zip(names, values, strict=True)), "") for values in file.read(names, places))
        found: list[Question] = []
        looked = unread = 0
        for row in rows:
            place = places[looked] if places is not None else looked
            looked += 1
            if (question := question_of(row.values, meaning)) is not None:
                found.append(question if question.key else dataclasses.replace(question, key=str(place + 1)))
                unread += has_unread_checks(row.values, meaning)
            if wanted.limit is not None and len(found) >= wanted.limit:
                break
    if not found:
        raise AppError(f"There is no question in {path.name}", _rows_looked(looked), "Choose another file.")
    return QuestionsRead(with_keys(found), looked, looked - len(found), meaning, unread)


def _places(rows: int, wanted: Wanted) -> list[int] | None:
    """The rows of a sample, rising; None where the rows come as they are."""
    if wanted.sample_seed is None or wanted.limit is None or wanted.limit >= rows:
        return None
    return sorted(random.Random(wanted.sample_seed).sample(range(rows), wanted.limit))


def _picked(questions: Iterable[Question], wanted: Wanted) -> Iterator[Question]:
    """The first ones, or a sample of all (Vitter's algorithm R), which is all that is held in memory."""
    if wanted.limit is None:
        yield from questions
    elif wanted.sample_seed is None:
        for number, question in enumerate(questions, start=1):
            yield question
            if number >= wanted.limit:
                break
    else:
        chance = random.Random(wanted.sample_seed)
        kept: list[tuple[int, Question]] = []
        for number, question in enumerate(questions):
            if number < wanted.limit:
                kept.append((number, question))
            elif (place := chance.randrange(number + 1)) < wanted.limit:
                kept[place] = (number, question)
        yield from (question for _, question in sorted(kept, key=lambda one: one[0]))


def _understood(path: Path, names: Iterable[str], wanted: Wanted) -> dict[str, str]:
    names = list(names)
    meaning = meaning_of(names, wanted.columns)
    if "text" not in meaning and "turns" not in meaning:
        raise AppError(
            f"{path.name} has no column of questions",
            _has(names),
            f"Name the column of questions one of: {', '.join(MEANINGS['text'])}.",
        )
    return meaning


def _has(names: list[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:12])
    return f"Its columns are {shown}." if names else "It has no columns of plain values."


def _rows_looked(rows: int) -> str:
    return f"{rows:,} rows were looked at, and none asks anything." if rows else "It is empty."

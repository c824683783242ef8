"""Questions that are kept under a name, to be asked in one experiment after another."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.errors import AppError, StorageError
from app.core.lab import Question
from app.core.plan_table import questions_of, tables_of_questions
from app.core.prompts import tidy_name
from app.core.text import clean
from app.storage.chats import now_ms
from app.storage.database import Database

_UNNAMED = "Questions"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """As much of a set as a list of many shows; `count` is how many questions it has."""

    id: int
    name: str
    count: int
    updated_ms: int


class QuestionSetStore:
    """All sets. Each call is one transaction and is on the disk when it returns.

    Every method may raise StorageError.
    """

    def __init__(self, database: Database, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    def rows(self) -> list[QuestionSet]:
        """All sets, by name."""
        found = self._database.rows("SELECT id, name, count, updated_ms FROM question_set")
        return sorted((QuestionSet(*row) for row in found), key=lambda one: (one.name.casefold(), one.id))

    def questions(self, set_id: int) -> tuple[Question, ...]:
        """What is in a set."""
        found = self._database.row("SELECT questions FROM question_set WHERE id = ?", set_id)
        if found is None:
            raise StorageError("These questions are gone", "The set was deleted.", "Choose another one.")
        try:
            tables = json.loads(found[0])
            return questions_of(tables if isinstance(tables, list) else ())
        except (ValueError, AppError) as error:
            raise StorageError(
                "These questions are damaged", f"They cannot be read any more: {error}", "Read them from a file again."
            ) from error

    def create(self, name: str, questions: Sequence[Question]) -> int:
        """Keep questions as a new set; its id."""
        return self._database.insert(
            "INSERT INTO question_set (updated_ms, name, questions, count) VALUES (?, ?, ?, ?)",
            self._clock(),
            tidy_name(clean(name)) or _UNNAMED,
            _text(questions),
            len(questions),
        )

    def replace(self, set_id: int, questions: Sequence[Question]) -> None:
        """Let a set hold these questions instead of those it has."""
        self._database.run(
            "UPDATE question_set SET questions = ?, count = ?, updated_ms = ? WHERE id = ?",
            _text(questions),
            len(questions),
            self._clock(),
            set_id,
        )

    def rename(self, set_id: int, name: str) -> None:
        """Give a set another name; an empty one changes nothing."""
        if name := tidy_name(clean(name)):
            self._database.run("UPDATE question_set SET name = ? WHERE id = ?", name, set_id)

    def delete(self, set_id: int) -> None:
        """Delete a set; experiments that asked its questions keep theirs."""
        self._database.run("DELETE FROM question_set WHERE id = ?", set_id)


def _text(questions: Sequence[Question]) -> str:
    return clean(json.dumps(tables_of_questions(questions), ensure_ascii=False))

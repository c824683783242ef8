"""What came of making answers once more, kept with the answer; only the last time counts."""

from __future__ import annotations

import json
from dataclasses import asdict

from app.core.lab import Place
from app.core.reproduced import Reproduced
from app.core.text import clean
from app.storage.database import Database

Answer = int | tuple[int, Place]
"""A chat's answer, by its id; or one of a run: the run's id, and where it stands in the grid."""


class ReproductionStore:
    """All of them. They go with the answers that they tell of. Every method may raise StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, answer: Answer) -> Reproduced | None:
        """What came of it the last time; None where nobody has tried."""
        column, answer_id = self._place(answer)
        found = self._database.row(f"SELECT at_ms, details FROM reproduction WHERE {column} = ?", answer_id)
        return _reproduced(*found) if found is not None else None

    def keep(self, answer: Answer, what: Reproduced) -> None:
        """Keep what came of it instead of what came of it before; nothing happens where the answer is gone."""
        column, answer_id = self._place(answer)
        if answer_id is None:
            return
        details = {key: value for key, value in asdict(what).items() if key != "at_ms"}
        with self._database.transaction():
            self._database.run(f"DELETE FROM reproduction WHERE {column} = ?", answer_id)
            self._database.run(
                f"INSERT INTO reproduction ({column}, at_ms, details) VALUES (?, ?, ?)",
                answer_id,
                what.at_ms,
                clean(json.dumps(details, ensure_ascii=False)),
            )

    def _place(self, answer: Answer) -> tuple[str, int | None]:
        """The column that names it, and its id; None where it is gone."""
        if isinstance(answer, int):
            found = self._database.row("SELECT id FROM message WHERE id = ?", answer)
            return "message_id", found[0] if found is not None else None
        run_id, place = answer
        found = self._database.row(
            "SELECT id FROM cell WHERE run_id = ? AND contestant = ? AND question = ? AND seed = ?",
            *(run_id, place.contestant, place.question, place.seed),
        )
        return "cell_id", found[0] if found is not None else None


def _reproduced(at_ms: int, text: str) -> Reproduced | None:
    try:
        details = json.loads(text)
        return Reproduced(at_ms, int(details["differs_at"]), str(details["text"]), tuple(map(str, details["reasons"])))
    except (ValueError, TypeError, KeyError):
        return None

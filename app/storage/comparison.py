"""The comparison as it was left: its columns, and what was asked and answered in each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from app.core.chat import MessageState, Provenance
from app.core.exchange import Exchange
from app.core.text import clean
from app.storage.backups import Backups, forget_comparison_rows
from app.storage.database import Database
from app.storage.model_sums import Summed
from app.storage.replies import pack, provenance_from, unpack
from app.storage.settings import StateStore
from app.storage.trouble import told

KEY = "comparison"
"""Under it, in what the app remembers, lie the columns themselves."""
Spot = tuple[int, int]
"""Where an exchange is: its column, and its place in that, each from 0."""
_STATES = {str(state): state for state in MessageState}


class ComparisonStore:
    """One comparison, replaced as it changes. Each call is one transaction and is on the disk when it returns.

    Every method may raise StorageError.
    """

    def __init__(self, database: Database, backups: Backups | None = None) -> None:
        """`backups`: where copies lie from which what is forgotten has to go too."""
        self._database = database
        self._backups = backups
        self._state = StateStore(database)

    def columns(self) -> Any:
        """The columns as `keep` was given them; None where none were kept, or they are damaged."""
        return self._state.get(KEY)

    def exchanges(self) -> dict[Spot, Exchange]:
        """What was asked and answered, column by column and in order.

        One that was being written when the app went away is INTERRUPTED.
        """
        summed = Summed(self._database)
        found = {}
        for at, number, question, state, text, token_ids, made in self._database.rows(
            "SELECT column_at, number, question, state, text, token_ids, made FROM column_answer"
            " ORDER BY column_at, number"
        ):
            how = _provenance(made)
            found[at, number] = Exchange(
                question,
                text,
                _ended(_STATES.get(state, MessageState.INTERRUPTED)),
                unpack(token_ids),
                summed(how) if how is not None else None,
            )
        return found

    def keep(
        self, columns: Any, said: Mapping[Spot, Exchange], gone: Iterable[Spot] = (), *, anew: bool = False
    ) -> None:
        """Keep the columns, and what is other of what was said in them.

        columns: anything that JSON can hold. gone: exchanges that there are no more. anew: `said` is all there is.
        """
        with self._database.transaction():
            self._state.set(KEY, columns)
            if anew:
                self._database.run("DELETE FROM column_answer")
            for spot in gone:
                self._database.run("DELETE FROM column_answer WHERE column_at = ? AND number = ?", *spot)
            for spot, one in said.items():
                self._database.run(
                    "INSERT OR REPLACE INTO column_answer (column_at, number, question, state, text, token_ids, made)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    *spot,
                    clean(one.question),
                    str(one.state),
                    clean(one.text),
                    pack(one.token_ids),
                    _made(one.provenance),
                )

    def forget(self) -> None:
        """Take out all that was said, from every copy too; the columns stay."""
        # copies first: cut off in between, it is still there to be forgotten again
        dropped = self._backups is not None and self._backups.forget_comparison()
        with told():
            forget_comparison_rows(self._database.connection)
        self._database.empty_journal()
        if dropped and self._backups is not None:
            self._backups.make(self._database.connection)


def _ended(state: MessageState) -> MessageState:
    return MessageState.INTERRUPTED if state is MessageState.STREAMING else state


def _made(how: Provenance | None) -> str:
    return clean(json.dumps(asdict(how), ensure_ascii=False, default=dict)) if how is not None else ""


def _provenance(made: str) -> Provenance | None:
    try:
        table = json.loads(made) if made else None
    except ValueError:
        return None
    return provenance_from(table) if isinstance(table, dict) else None

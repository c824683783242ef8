"""What many answers and judgements of a run share of how they were made: kept once for all of them."""

from __future__ import annotations

import hashlib

from app.core.chat import Provenance
from app.storage.database import Database
from app.storage.replies import setup_text


class RunSetups:
    """Those of one run, each found by the hash of its text; used inside one transaction."""

    def __init__(self, database: Database, run_id: int) -> None:
        self._database = database
        self._run_id = run_id
        self._ids: dict[str, int] = {}

    def id_of(self, how: Provenance) -> int:
        """The id under which an answer's setup is kept; it is from now on."""
        text = setup_text(how)
        if text not in self._ids:
            self._ids[text] = self._kept(text)
        return self._ids[text]

    def _kept(self, text: str) -> int:
        digest = hashlib.sha256(text.encode()).digest()
        if found := self._database.row("SELECT id FROM made_by WHERE run_id = ? AND sha256 = ?", self._run_id, digest):
            return int(found[0])
        return self._database.insert(
            "INSERT INTO made_by (run_id, sha256, text) VALUES (?, ?, ?)", self._run_id, digest, text
        )

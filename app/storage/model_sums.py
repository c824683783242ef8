"""The SHA-256 of model files, kept by path, size and time: an answer tells by them for good which bytes made it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from app.core.chat import Provenance
from app.core.text import clean
from app.storage.database import Database

Sums = tuple[str, ...]
"""One of each of a model's files, in order: 64 hexadecimal digits."""
ModelSeen = tuple[str, int, int]
"""A model's path, and the size and time that its files had."""


class ModelSumStore:
    """All sums that were found. They stay when the file goes, as answers do.

    Every method may raise StorageError.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        """`clock`: milliseconds since 1970."""
        self._database = database
        self._clock = clock

    def of(self, path: str, size_bytes: int, mtime_ns: int) -> Sums:
        """Those of a model as it was with this size and time; empty while nobody has read it.

        Of a model from the Hub they are known since its bytes were proven right.
        """
        seen = (clean(path), size_bytes, mtime_ns)
        found = self._database.row(
            "SELECT sha256 FROM model_sum WHERE path = ? AND size_bytes = ? AND mtime_ns = ?", *seen
        )
        if found is not None:
            return _sums(_parsed(found[0]))
        found = self._database.row(
            "SELECT details FROM model_file WHERE path = ? AND size_bytes = ? AND mtime_ns = ? AND verified_ms > 0",
            *seen,
        )
        return _sums_of_note(found[0]) if found is not None else ()

    def keep(self, path: str, size_bytes: int, mtime_ns: int, sums: Sums) -> None:
        """A model with this size and time was read, and these are its sums."""
        self._database.run(
            "INSERT OR REPLACE INTO model_sum (path, size_bytes, mtime_ns, sha256, at_ms) VALUES (?, ?, ?, ?, ?)",
            clean(path),
            size_bytes,
            mtime_ns,
            json.dumps(sums),
            self._clock(),
        )

    def places(self, sums: Sums) -> list[ModelSeen]:
        """Where a model with these sums was seen: path, size and time, the latest first."""
        found = self._database.rows(
            "SELECT path, size_bytes, mtime_ns FROM model_sum WHERE sha256 = ? ORDER BY at_ms DESC", json.dumps(sums)
        )
        noted = self._database.rows("SELECT path, size_bytes, mtime_ns, details FROM model_file WHERE verified_ms > 0")
        proven = ((path, size, time) for path, size, time, details in noted if _sums_of_note(details) == sums)
        return list(dict.fromkeys((*found, *proven)))


class Summed:
    """Tells provenances of the sums that were found after the answers were made; looks for each file once."""

    def __init__(self, database: Database) -> None:
        self._store = ModelSumStore(database, lambda: 0)
        self._found: dict[ModelSeen, Sums] = {}

    def __call__(self, how: Provenance) -> Provenance:
        """The same, with the sums of the model's files where they are known by now."""
        if how.model_sha256 or not how.model_size_bytes:
            return how
        place = seen_of(how)
        if place not in self._found:
            self._found[place] = self._store.of(*place)
        return replace(how, model_sha256=self._found[place]) if self._found[place] else how


def seen_of(how: Provenance) -> ModelSeen:
    """The model's files as they were when they answered."""
    return how.model_path, how.model_size_bytes, how.model_mtime_ns


def unsummed(made: Iterable[Provenance | None]) -> list[Provenance]:
    """What made these answers, once for each model whose sums are not known and may be found out."""
    found = {seen_of(how): how for how in made if how is not None and how.model_size_bytes and not how.model_sha256}
    return list(found.values())


def _sums_of_note(details: str) -> Sums:
    found = _parsed(details)
    return _sums(found.get("sha256")) if isinstance(found, dict) else ()


def _sums(found: object) -> Sums:
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None

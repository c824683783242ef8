"""What is remembered of model files over restarts: whether their trial was passed, and what deaths they cost."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.engine.split_files import stamps

log = logging.getLogger(__name__)

DEATHS_ALLOWED = 3
_HEAD_BYTES = 1 << 20
_MOST_FILES = 1000
"""The ones used longest ago are forgotten first: all that costs is another trial."""
_LARGEST_BYTES = 32 << 20


@dataclass(slots=True)
class Record:
    """What became of one file with one version of the engine.

    `refused` is why it was put aside in its trial, in a sentence. `deaths` counts those in a row. `gpu_layers`: no more
    than so many from now on, as long as `asked_layers` is what the person asks for; None for no limit. `no_room`: there
    was no room for more, rather than a death.
    """

    path: str
    engine: str
    passed: bool = False
    refused: str = ""
    deaths: int = 0
    gpu_layers: int | None = None
    asked_layers: int | None = None
    report: str = ""
    no_room: bool = False

    @property
    def tells(self) -> bool:
        """Whether there is anything in it to remember."""
        return self.passed or bool(self.refused) or self.deaths > 0 or self.gpu_layers is not None

    @property
    def is_put_aside(self) -> bool:
        """Whether it is not loaded any more."""
        return bool(self.refused) or self.deaths >= DEATHS_ALLOWED


class Records:
    """The records of all files, in one small file of their own. Used by one thread, but for `put_aside`."""

    def __init__(self, path: Path | None, engine: str) -> None:
        """`path` is where they are kept, None for in memory alone. What was found with another `engine` counts not."""
        self._path = path
        self._engine = engine
        self._records = _read(path) if path is not None else {}
        self._kept = self._tables()
        """What the file held when it was last read or written, as far as this program knows."""
        self.put_aside: Mapping[str, str] = MappingProxyType({})
        """Paths of the files that are put aside, each with its identity. Replaced whole: any thread may read it."""
        self._show()

    def of(self, path: str) -> Record:
        """The record of the file that lies at this path now; a new one where nothing is known of it.

        What lay there before is forgotten.
        """
        key = identity(path)
        record = self._records.pop(key, None)
        if record is None or record.engine != self._engine:
            record = Record(path, self._engine)
        record.path = path
        for other in [key for key, one in self._records.items() if one.path == path]:
            del self._records[other]  # another file lay there
        self._records[key] = record  # at the end: it is the one used last
        self._show()
        return record

    def forget(self, path: str) -> None:
        """Begin anew with the file at this path, and with what lay there before."""
        self._take_over()
        self._records.pop(identity(path), None)
        for key in [key for key, record in self._records.items() if record.path == path]:
            del self._records[key]
        self.save()

    def look_again(self) -> None:
        """Files may have been replaced: what was put aside is forgotten where another file lies there now."""
        gone = [path for path, key in self.put_aside.items() if os.path.exists(path) and identity(path) != key]
        for path in gone:
            self.forget(path)

    def save(self) -> None:
        """Write them down, whole or not at all; where that fails they hold for this run.

        What other programs have written since is kept; of a file that was judged here and there, this verdict.
        """
        self._take_over()
        while len(self._records) > _MOST_FILES:
            del self._records[next(iter(self._records))]
        self._show()
        if self._path is None:
            return
        unready = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            with unready.open("w", encoding="utf-8") as file:
                json.dump(tables := self._tables(), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unready, self._path)
            self._kept = tables
        except OSError as error:
            log.warning("What was learnt of the model files could not be kept: %s", error)
            with suppress(OSError):
                unready.unlink(missing_ok=True)

    def _take_over(self) -> None:
        """Bring in what is on the disk where nothing has changed here since it was last read or written.

        Records are changed where they are: whoever loads a model holds on to its record.
        """
        others = _read(self._path) if self._path is not None else {}
        if not others:  # gone or damaged: what is known here is all there is
            return
        ours = self._tables()
        unchanged = [key for key, table in self._kept.items() if ours.get(key) == table]
        for key in unchanged:
            record = self._records[key]
            news = others.get(key) or Record(record.path, record.engine)  # forgiven elsewhere
            for field in fields(Record):
                setattr(record, field.name, getattr(news, field.name))
        new = {key: one for key, one in others.items() if key not in self._kept and key not in self._records}
        self._records = {**new, **self._records}
        self._kept = {key: asdict(one) for key, one in others.items()}

    def _tables(self) -> dict[str, dict[str, Any]]:
        return {key: asdict(one) for key, one in self._records.items() if one.tells}

    def _show(self) -> None:
        aside = {
            record.path: key
            for key, record in self._records.items()
            if record.is_put_aside and record.engine == self._engine
        }
        self.put_aside = MappingProxyType(aside)


def identity(path: str) -> str:
    """Which file lies at a path now: a hash of its size, its time and its first megabyte.

    Of a model in several files, sizes and times are those of all. The same wherever they are moved. Takes some
    milliseconds.
    """
    found = hashlib.sha256()
    try:
        found.update(f"{stamps(path)} ".encode())
        if stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            with open(path, "rb") as file:
                found.update(file.read(_HEAD_BYTES))
    except (OSError, ValueError):
        found.update(path.encode("utf-8", "surrogatepass"))
    return found.hexdigest()[:32]


def _read(path: Path) -> dict[str, Record]:
    """What was kept; nothing where that cannot be read, which costs no more than new trials."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ValueError("it is far too long")
        found = json.loads(path.read_text("utf-8"))
        return {str(key): record for key, table in found.items() if (record := _record(table)) is not None}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        log.warning("What was learnt of the model files cannot be read, and begins anew: %s", error)
        return {}


_KINDS: dict[str, Any] = {"str": str, "bool": bool, "int": int, "int | None": (int, type(None))}


def _record(table: Any) -> Record | None:
    """One record as it was kept; None where it is not one."""
    kinds = {field.name: _KINDS[str(field.type)] for field in fields(Record)}
    if not isinstance(table, dict) or not {"path", "engine"} <= set(table) <= set(kinds):
        return None
    if not all(isinstance(value, kinds[name]) for name, value in table.items()):
        return None
    record = Record(**table)
    return record if record.deaths >= 0 else None

"""How a model is loaded into a process of its own, and what is learnt from the deaths of such processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.core.errors import EngineDiedError, ModelFileError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine import host
from app.engine.base import Engine, ModelFacts

log = logging.getLogger(__name__)

_DEATHS_ALLOWED = 3
Load = Callable[[str, Loading, StopFlag, Callable[[float], None]], Engine | None]
FileKey = tuple[str, int, int]
"""A file as it is now: another one under the same name begins anew."""


@dataclass(slots=True)
class _Record:
    """What became of a file's processes. `gpu_layers`: at most so many from now on; None for no limit."""

    deaths: int = 0
    gpu_layers: int | None = None


class Loader:
    """Loads models in processes, or in this one where none can be started. Used by one thread at a time.

    After a death with layers on the GPU the next load puts half of them there, then none. After three deaths in a row
    the file is not loaded again while this program runs, unless it is changed or `forgive` is called.
    """

    def __init__(self, load_here: Load, start: Sequence[str] = ()) -> None:
        """`load_here` loads within this process; `start` is how the process is started: see `HostProcess`."""
        self._load_here = load_here
        self._start = start
        self._records: dict[FileKey, _Record] = {}

    def __call__(
        self,
        path: str,
        loading: Loading,
        stop: StopFlag,
        on_progress: Callable[[float], None] = lambda _fraction: None,
    ) -> Engine | None:
        """Load a model file; None when stopped meanwhile.

        Raises:
            ModelFileError: the file cannot be used, or has cost too many processes.
            ModelMemoryError: there is no room for it.
            EngineDiedError: the process ended while it loaded.
        """
        key = _key(path)
        record = self._records.setdefault(key, _Record())
        if record.deaths >= _DEATHS_ALLOWED:
            raise _put_aside(path)
        wanted = loading
        if record.gpu_layers is not None:
            loading = replace(loading, gpu_layers=min(record.gpu_layers, _or_many(loading.gpu_layers)))
        try:
            engine = host.load(path, loading, stop, on_progress, self._start)
        except EngineDiedError:
            self._died(record, None, loading)
            raise
        except OSError as error:
            log.warning("No process could be started for the engine, so it runs in the window's: %s", error)
            return self._load_here(path, loading, stop, on_progress)
        if engine is not None:
            engine.on_end = lambda died: self._ended(record, engine.facts, loading, died=died)
            if loading != wanted:
                engine.tell(_fewer_layers(loading.gpu_layers or 0))
        return engine

    def forgive(self, path: str) -> None:
        """Load a file again that was put aside."""
        self._records.pop(_key(path), None)

    def _ended(self, record: _Record, facts: ModelFacts, loading: Loading, *, died: bool) -> None:
        if died:
            self._died(record, facts, loading)
        else:
            record.deaths = 0

    def _died(self, record: _Record, facts: ModelFacts | None, loading: Loading) -> None:
        record.deaths += 1
        if facts is None:  # while it loaded: how many were on their way to the GPU is not known
            record.gpu_layers = 0 if loading.gpu_layers != 0 else record.gpu_layers
        elif facts.gpu_layers:
            record.gpu_layers = facts.gpu_layers // 2 if record.gpu_layers is None else 0


def _key(path: str) -> FileKey:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return path, 0, 0
    return path, found.st_size, found.st_mtime_ns


def _or_many(layers: int | None) -> int:
    return 1 << 16 if layers is None else layers


def _fewer_layers(layers: int) -> str:
    where = f"only {layers} layers are put on the GPU" if layers else "it runs without the GPU"
    return f"The engine stopped unexpectedly the last time this model ran, so now {where}."


def _put_aside(path: str) -> ModelFileError:
    return ModelFileError(
        f"{os.path.basename(path)} is not loaded any more",
        f"The engine stopped unexpectedly {_DEATHS_ALLOWED} times in a row with this file.",
        "Download it again or choose another file of this model; after a restart of Orcinus it can be tried once more.",
    )

"""How a model is loaded into a process of its own, and what is learnt from the deaths of such processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from app.core.adapters import paths_of
from app.core.errors import EngineDiedError, ModelMemoryError, PutAsideError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine import host
from app.engine.base import Engine
from app.engine.engine_process import HostProcess
from app.engine.host import HostedEngine
from app.engine.records import DEATHS_ALLOWED, Record, Records
from app.engine.trial import engine_version

log = logging.getLogger(__name__)

Progress = Callable[[float], None]
Load = Callable[[str, Loading, StopFlag, Progress], Engine | None]
_TRIAL_SHARE = 0.6
"""Of the progress of loading a new file, which is read for its trial and from the system's cache afterwards."""
_PATIENCE_S = 30.0
_SLOWEST_BYTES_PER_S = 25e6
"""A trial is given up when it shows no progress for longer than `_PATIENCE_S`, or than reading all of the file so
slowly would take: at its end all weights are looked at without a word."""

_NO_PROCESS = (
    "The engine could not be given a process of its own ({}), so it runs in the window’s: should llama.cpp fail, the "
    "window ends with it."
)


class Loader:
    """Loads models in processes, or in this one where none can be started. Used by one thread at a time.

    A file that is new here is tried first, in a process of its own. After a death with layers on the GPU, or where they
    find no room there, the next load puts half of them there, then none. After three deaths in a row, or one in its
    trial, the file is put aside: it is not loaded again before it is changed, the engine is another version, or
    `forgive` is called. Deaths with LoRA adapters attached count against those, as the file alone passed its trial. A
    death that the system or the program's own end brought says nothing against any file.
    """

    def __init__(
        self,
        load_here: Load,
        start: Sequence[str] = (),
        records: Records | None = None,
        trusted: Collection[str] = (),
        apart: Callable[[], bool] = lambda: True,
    ) -> None:
        """`load_here` loads within this process, as is done while `apart` says so.

        `start` is how a process is started: see `HostProcess`. Files at `trusted` paths need no trial.
        """
        self._load_here = load_here
        self._start = start
        self._records = records or Records(None, engine_version())
        self._trusted = frozenset(trusted)
        self._apart = apart
        self._processes: tuple[HostProcess, ...] = ()

    def __call__(
        self, path: str, loading: Loading, stop: StopFlag, on_progress: Progress = lambda _fraction: None
    ) -> Engine | None:
        """Load a model file; None when stopped meanwhile.

        Raises:
            PutAsideError: the file, or an adapter, has cost too many processes, or the file one in its trial.
            ModelFileError: the file cannot be used.
            ModelMemoryError: there is no room for it.
            EngineDiedError: the process ended while it loaded.
        """
        record = self._records.of(path)
        if record.is_put_aside:
            raise _put_aside(record)
        for adapter in self._adapters(loading):
            if adapter.is_put_aside:
                raise _adapter_put_aside(adapter)
        if not record.passed and path not in self._trusted:
            if not self._try(record, loading, stop, lambda done: on_progress(done * _TRIAL_SHARE)):
                return None
            after = on_progress
            on_progress = lambda done: after(_TRIAL_SHARE + (1 - _TRIAL_SHARE) * done)  # noqa: E731
        refused: OSError | None = None
        try:
            if self._apart():
                try:
                    return self._load_apart(record, loading, stop, on_progress)
                except OSError as error:
                    refused = error
                    log.warning("No process could be started for the engine, so it runs in the window's: %s", error)
            engine = self._load_here(path, _limited(record, loading), stop, on_progress)
            if engine is not None and refused is not None:
                engine.tell(_NO_PROCESS.format(refused.strerror or refused))
            return engine
        except ModelMemoryError as error:
            if error.gpu_layers:
                _lower(record, loading, error.gpu_layers)
                record.no_room = True
                self._records.save()
            raise

    @property
    def put_aside(self) -> Mapping[str, str]:
        """Paths of the files that are put aside; any thread may read it."""
        return self._records.put_aside

    def forgive(self, path: str) -> None:
        """Forget what this file did: it is tried, and loaded, as if it were new."""
        self._records.forget(path)

    def look_again(self) -> None:
        """Files may have been replaced by others of the same name."""
        self._records.look_again()

    def end_now(self) -> None:
        """End the processes that are at work, whatever they are at; from any thread."""
        for process in self._processes:
            process.kill()

    def _started(self, process: HostProcess) -> None:
        self._processes = (*(one for one in self._processes if one.is_alive), process)

    def _try(self, record: Record, loading: Loading, stop: StopFlag, on_progress: Progress) -> bool:
        """See whether a new file costs a process; False when stopped.

        Where no process can be started, or there is no room without a GPU, there is nothing to learn.
        """
        try:
            process = HostProcess(self._start)
        except OSError:
            return True
        self._started(process)
        try:
            if not process.try_file(record.path, loading, stop, on_progress, _patience_s(record.path)):
                return False
        except ModelMemoryError:
            return True
        except EngineDiedError as error:
            if error.by_us or error.by_system:  # which may have been short of memory for other reasons
                raise
            record.refused, record.report = error.detail, error.report
            self._records.save()
            raise _put_aside(record) from error
        finally:
            process.end()
        record.passed = True
        self._records.save()
        return True

    def _load_apart(
        self, record: Record, wished: Loading, stop: StopFlag, on_progress: Progress
    ) -> HostedEngine | None:
        loading = _limited(record, wished)
        try:
            engine = host.load(record.path, loading, stop, on_progress, self._start, self._started)
        except EngineDiedError as error:
            self._died(record, wished, error)
            raise
        if engine is not None:
            engine.on_death = lambda error: self._died(record, wished, error)
            engine.on_reply = lambda: self._replied([record, *self._adapters(wished)])
            if loading != wished:
                engine.tell(_fewer_layers(record, loading.gpu_layers or 0), why_cpu=not loading.gpu_layers)
        return engine

    def _adapters(self, loading: Loading) -> list[Record]:
        return [self._records.of(path) for path in paths_of(loading.adapters)]

    def _replied(self, used: Sequence[Record]) -> None:
        if any(record.deaths for record in used):
            for record in used:
                record.deaths = 0
            self._records.save()

    def _died(self, record: Record, wished: Loading, error: EngineDiedError) -> None:
        if error.by_us or error.by_system:  # fewer layers on the GPU would take more of the memory that ran out
            return
        adapters = self._adapters(wished)
        for suspect in adapters or [record]:
            suspect.deaths += 1
            suspect.report = error.report
        if adapters and any(adapter.is_put_aside for adapter in adapters):
            error.detail += f" That was {DEATHS_ALLOWED} times in a row with a LoRA adapter, which is put aside."
            error.hint = _adapter_put_aside(adapters[0]).hint
        elif record.is_put_aside:
            error.detail += f" That was {DEATHS_ALLOWED} times in a row, so this file is put aside."
            error.hint = _put_aside(record).hint
        if error.gpu_layers is None or error.gpu_layers > 0:
            _lower(record, wished, error.gpu_layers)
        self._records.save()


def _adapter_put_aside(record: Record) -> PutAsideError:
    return PutAsideError(
        f"The LoRA adapter {os.path.basename(record.path)} was put aside",
        f"The engine stopped unexpectedly {DEATHS_ALLOWED} times in a row with it attached.",
        "Take it off the model’s LoRA adapters, or try it once more.",
        record.report,
    )


def _patience_s(path: str) -> float:
    try:
        return max(_PATIENCE_S, os.path.getsize(path) / _SLOWEST_BYTES_PER_S)
    except (OSError, ValueError):
        return _PATIENCE_S


def _or_many(layers: int | None) -> int:
    return 1 << 16 if layers is None else layers


def _limited(record: Record, wished: Loading) -> Loading:
    """How the file is loaded after what it did; as wished again once the person has asked for other layers."""
    if record.gpu_layers is None:
        return wished
    if record.asked_layers != wished.gpu_layers:
        record.gpu_layers = None
        return wished
    return replace(wished, gpu_layers=min(record.gpu_layers, _or_many(wished.gpu_layers)))


def _lower(record: Record, wished: Loading, layers: int | None) -> None:
    """From now on half of the layers that were on the GPU; none where that was tried, or nobody knows how many."""
    halves = record.gpu_layers is None and layers is not None
    record.gpu_layers = (layers or 0) // 2 if halves else 0
    record.asked_layers, record.no_room = wished.gpu_layers, False


def _fewer_layers(record: Record, layers: int) -> str:
    where = f"only {layers} layers are put on the GPU" if layers else "it runs without the GPU"
    if record.no_room:
        return f"There was no room for more on the GPU the last time this model was loaded, so now {where}."
    return f"The engine stopped unexpectedly the last time this model ran, so now {where}."


def _put_aside(record: Record) -> PutAsideError:
    if record.refused:
        why = f"The engine stopped unexpectedly when this file was tried for the first time: {record.refused}"
    else:
        why = f"The engine stopped unexpectedly {DEATHS_ALLOWED} times in a row with this file."
    return PutAsideError(
        f"{os.path.basename(record.path)} was put aside",
        why,
        "Download it again, choose another file of this model, or try it once more.",
        record.report,
    )

"""The one loaded model, owned by the engine lane's thread; the GUI thread only ever reads its `status`."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from app.core.errors import AppError, EngineDiedError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.base import Engine, ModelFacts

Load = Callable[[str, Loading, StopFlag, Callable[[float], None]], Engine | None]
"""Loads a model file: path, how, the flag that stops it, and who hears of the progress (0..1); None when stopped."""


class Keeping(Protocol):
    """Where and how much of what was read of chats is kept; asked on the engine lane's thread."""

    @property
    def folder(self) -> str:
        """Where it is kept; "" for nowhere."""
        ...

    @property
    def limit_bytes(self) -> int:
        """All of it together."""
        ...

    def forget(self, conversation: int) -> None:
        """Delete what was kept of a conversation; no engine is loaded that could."""
        ...


class Quarantine(Protocol):
    """The engine's processes, and the files that ended them; asked on the engine lane's thread where not said."""

    @property
    def put_aside(self) -> Container[str]:
        """Paths of the files that are not loaded any more; any thread may read it."""
        ...

    def forgive(self, path: str) -> None:
        """Take a file as if it were new."""
        ...

    def look_again(self) -> None:
        """Files may have been replaced by others of the same name."""
        ...

    def end_now(self) -> None:
        """End the process that is at work, whatever it is at; from any thread."""
        ...


class LoadStopped(Exception):  # noqa: N818  (stopping is not an error)
    """Loading was stopped before it was done."""


class Kind(StrEnum):
    """Where a model is in its life."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model's state: `progress` runs from 0 to 1 while loading, `facts` are there when ready, `error` when failed."""

    kind: Kind = Kind.UNLOADED
    progress: float = 0.0
    facts: ModelFacts | None = None
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model is wanted and how it shall be loaded. Equal specs mean that nothing needs loading."""

    model_id: str
    path: str
    loading: Loading


class EngineRoom:
    """Holds at most one engine and swaps it when another model, or another way of loading, is asked for.

    Everything but `status` belongs to the engine lane's thread. `status` is replaced as a whole, so any thread may read
    it at any time.
    """

    def __init__(self, load: Load, keeping: Keeping | None = None, quarantine: Quarantine | None = None) -> None:
        self._load = load
        self._keeping = keeping
        self.quarantine = quarantine
        self._engine: Engine | None = None
        self._spec: ModelSpec | None = None
        self.status: tuple[str, ModelState] = ("", ModelState())

    def engine(self, spec: ModelSpec, stop: StopFlag) -> Engine:
        """The engine for this spec, loaded if need be; takes as long as loading takes.

        One whose process ended while nobody looked is replaced.

        Raises:
            ModelError: it cannot be loaded; no model is loaded then.
            LoadStopped: it was stopped.
        """
        if self._engine is not None and self._spec == spec and self._engine.is_alive:
            return self._engine
        self.empty()
        state = ModelState(Kind.LOADING)
        self.status = (spec.model_id, state)

        def progress(share: float) -> None:
            self.status = (spec.model_id, replace(state, progress=share))

        try:
            engine = self._load(spec.path, spec.loading, stop, progress)
            if engine is None:
                raise LoadStopped
        except AppError as error:
            self.status = (spec.model_id, ModelState(Kind.FAILED, error=error))
            raise
        except BaseException:
            self.status = ("", ModelState())
            raise
        self._engine, self._spec = engine, spec
        if self._keeping is not None and self._keeping.folder:
            try:
                engine.keep_in(self._keeping.folder, self._keeping.limit_bytes)
            except EngineDiedError as error:
                self.died(error)
                raise
        self.status = (spec.model_id, ModelState(Kind.READY, 1.0, engine.facts))
        return engine

    def loaded(self, spec: ModelSpec) -> Engine | None:
        """The engine, if this very spec is loaded."""
        if self._engine is not None and not self._engine.is_alive:
            self.empty()
        return self._engine if self._spec == spec else None

    def died(self, error: EngineDiedError) -> None:
        """The engine's process ended by itself: let go of what is left of it, and say so until it is loaded again."""
        model_id = self.status[0]
        self.empty()
        self.status = (model_id, ModelState(Kind.FAILED, error=error))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Work with the engine: whatever goes wrong in there, what is asked next starts from a sound context."""
        try:
            yield
        except EngineDiedError as error:
            self.died(error)
            raise
        except Exception:
            self.empty()
            raise

    def rest(self, stop: StopFlag) -> None:
        """Use an idle moment to write down what was read; an engine that fails at it is let go of."""
        if self._engine is not None:
            with self.guarded():
                self._engine.rest(stop)

    def drop(self, conversation: int) -> None:
        """A conversation was deleted: nothing of it stays, in memory or on disk."""
        if self._keeping is not None:
            self._keeping.forget(conversation)
        if self._engine is not None:
            self._engine.drop(conversation)

    def empty(self) -> None:
        """Give the model's memory back."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None
        self._spec = None
        self.status = ("", ModelState())

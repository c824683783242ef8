"""What the window and the command line need alike before they start: the process, and which model with which values."""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.errors import AppError, ModelFileError
from app.core.library import LocalModel
from app.core.options import Loading, Sampling
from app.core.overflow import Overflow
from app.core.secrets import without_secrets
from app.core.stopping import StopFlag
from app.engine import devices
from app.hub.catalog import Catalog, read_catalog
from app.paths import Paths, find_paths
from app.services.resolution import Resolution
from app.services.shelf import named, survey
from app.storage.model_notes import ModelNote
from app.storage.remembered import Remembered, read_remembered

if TYPE_CHECKING:
    from app.engine.base import Engine
    from app.engine.loader import Loader

Group = TypeVar("Group")

_LOG_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """Where things are, what models are known and what the person changed."""

    paths: Paths
    catalog: Catalog
    remembered: Remembered


@dataclass(frozen=True, slots=True)
class Choice:
    """A model with the values in force for it."""

    model_id: str
    path: str
    system_prompt: str
    sampling: Sampling
    loading: Loading
    overflow: Overflow
    notice: str = ""
    """A sentence for the person, where another model was chosen than they may expect."""
    name: str = ""
    """What the model is called in the window."""


def prepare_process(paths: Paths) -> None:
    """Logging, crash reports and an environment in which libraries behave; once, before any of them is imported."""
    # ggml would fork and attach a debugger to a dying program, and CUDA_PATH or this one could bring in foreign code
    os.environ["GGML_NO_BACKTRACE"] = "1"
    os.environ.pop("LLAMA_CPP_LIB_PATH", None)
    if not paths.lasting:
        return
    try:
        paths.logs_dir.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            paths.logs_dir / "orcinus.log", maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8", errors="replace"
        )
        crashes = open(paths.logs_dir / "crash.log", "a", encoding="utf-8")  # noqa: SIM115  (faulthandler needs it open)
    except OSError as error:
        print(f"There is no log: {error}", file=sys.stderr)  # noqa: T201  (and so it cannot go there)
        return
    handler.setFormatter(_Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    faulthandler.enable(crashes)
    devices.report_aborts_to(crashes.fileno())


def read_header(path: str) -> LocalModel:
    """What a model file's header tells; on a worker, for it takes up to a third of a second.

    Raises:
        ModelFileError: there is no file there, or no model that can be run.
    """
    from app.engine.model_file import inspect  # not before the first paint

    file = inspect(path)
    return LocalModel(
        path,
        file.name,
        file.size_bytes,
        file.quant,
        file.architecture,
        file.n_params,
        file.n_ctx_train,
        inexact=file.inexact,
    )


@contextmanager
def headless() -> Iterator[Parts]:
    """The parts for the command line. The database is only read, so an open window is not disturbed."""
    paths = find_paths(os.environ)
    os.environ["GGML_NO_BACKTRACE"] = "1"
    try:
        remembered = read_remembered(paths.database)
    except AppError as error:
        print(f"Your settings cannot be read, so the defaults are used. {error}", file=sys.stderr)  # noqa: T201
        remembered = Remembered()
    yield Parts(paths, read_catalog(paths.resources_dir), remembered)


def engine_loader(parts: Parts, trusted: Collection[str] = ()) -> Loader:
    """Loads models as the window does, in a process of their own. Files at `trusted` paths are not tried first.

    What it learns of files and what the window learnt is one record.
    """
    running = Resolution(parts.catalog, parts.remembered.settings).running()
    return new_loader(parts.paths, bundled_models(parts.catalog) | set(trusted), lambda: running.own_process)


def bundled_models(catalog: Catalog) -> frozenset[str]:
    """Paths of the models that come with the program: they were tried before it left."""
    return frozenset(str(entry.file) for entry in catalog.entries if entry.file is not None)


def new_loader(paths: Paths, trusted: Collection[str], own_process: Callable[[], bool]) -> Loader:
    """Loads models in a process of their own, or in this one where that is asked for at the time."""
    from app.engine.loader import Loader
    from app.engine.records import Records
    from app.engine.trial import engine_version

    return Loader(_load_here, (), Records(paths.trials_file, engine_version()), trusted, own_process)


def _load_here(path: str, loading: Loading, stop: StopFlag, on_progress: Callable[[float], None]) -> Engine | None:
    from app.engine.llama import load  # a fifth of a second, which a process of the engine's own takes by itself

    return load(path, loading, stop, on_progress)


def models_folder(parts: Parts) -> str:
    """Where models are kept."""
    resolution = Resolution(parts.catalog, parts.remembered.settings)
    return resolution.fetching().models_folder or str(parts.paths.models_dir)


def models_on_disk(parts: Parts) -> list[ModelNote]:
    """Every model that is known or lies in the models folder, the one used last first; opens files that are new."""
    files = parts.remembered.model_files
    known = {model.path: files.get(model.path, ModelNote(LocalModel(model.path, model.name)))
             for model in parts.remembered.models}  # fmt: skip
    order = {path: place for place, path in enumerate(known)}
    seen = survey(models_folder(parts), {**files, **known}, read_header, StopFlag())
    notes = [found.note for found in seen if found.note.model.architecture and not found.note.forgotten]
    return sorted(notes, key=lambda note: order.get(note.model.path, len(order)))


def choose(parts: Parts, model: str, values: Mapping[str, Any]) -> Choice:
    """The model that a person named, else the one used last, else the one that comes with the app.

    `model` is a path, or a name as `named` takes it. `values` are settings by key, laid over everything else.

    Raises:
        ModelFileError: there is no such model or file.
    """
    bundled = {entry.id: str(entry.file) for entry in parts.catalog.entries if entry.file is not None}
    names = {known.path: (Path(known.path).name, known.name) for known in parts.remembered.models}
    model_id = model or parts.remembered.last_model_id
    notice = ""
    if not model and model_id not in bundled and not _is_file(model_id):
        notice = f"{model_id} is gone, so the starter model answers." if model_id else ""
        model_id = next(iter(bundled))
    if model_id not in bundled and not os.path.lexists(model_id):
        found = _on_disk_as(parts, model_id)
        if found is None:
            raise _no_model(parts, model_id, tuple(bundled))
        names[found.path] = (Path(found.path).name, found.name)
        model_id = found.path
    if model_id not in bundled:
        model_id = os.path.abspath(model_id)
    resolution = Resolution(parts.catalog, parts.remembered.settings, lambda name: names.get(name, (Path(name).name,)))

    def resolved(group: type[Group]) -> Group:
        # `resolve` passes over the keys of other groups
        return resolution.resolved(group, model_id, values).values

    return Choice(
        model_id,
        bundled.get(model_id, model_id),
        resolution.model_prompt(model_id),
        resolved(Sampling),
        resolved(Loading),
        resolved(Overflow),
        notice,
        next(
            (entry.name for entry in parts.catalog.entries if entry.id == model_id),
            names.get(model_id, ("", Path(model_id).stem))[1],
        ),
    )


def _no_model(parts: Parts, text: str, bundled: tuple[str, ...]) -> ModelFileError:
    entry = parts.catalog.entry(text)
    if entry is not None and entry.repo:
        return ModelFileError(
            f"{entry.name} is not on this computer yet",
            "It is known by name, but its file has to be downloaded first.",
            f"Download it with: orcinus models download {entry.id}",
        )
    return ModelFileError(
        f"There is no model {text!r}",
        "It is neither a file nor the name of a model on this computer.",
        "Give the path of a GGUF file, or one of: " + ", ".join(bundled) + ".",
    )


def _on_disk_as(parts: Parts, text: str) -> LocalModel | None:
    """The model on disk that is meant; of several the one used last, else the largest.

    Raises:
        ModelFileError: it is there, but its content was found to be wrong.
    """
    usable = [note.model for note in models_on_disk(parts) if note.model.present]
    found = named(text, usable, parts.catalog)
    sound = [model for model in found if not model.damaged]
    if found and not sound:
        raise ModelFileError(
            f"{found[0].name} is damaged",
            f"{found[0].path} does not hold the bytes that the Hub lists.",
            "Remove it and download it again.",
        )
    used = {known.path for known in parts.remembered.models}
    return next((model for model in sound if model.path in used), None) or max(
        sound, key=lambda model: model.size_bytes, default=None
    )


def _is_file(path: str) -> bool:
    try:
        return Path(path or ".").is_file()
    except ValueError:  # a path with NUL in it
        return False


class _Discreet(logging.Formatter):
    """Access tokens never reach the log, not even in what an exception says."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))

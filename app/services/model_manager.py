"""The models a person can choose from, and the life of the one that is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.adapters import paths_of
from app.core.errors import AppError
from app.core.exactness import caution
from app.core.library import LocalModel
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.base import ModelFacts
from app.hub.catalog import Catalog
from app.services.engine_room import EngineRoom, Kind, LoadStopped, ModelSpec, ModelState
from app.services.lane import Job, Lane, Outcome, Ticket
from app.services.model_library import ModelLibrary
from app.services.notice import Notice
from app.services.preferences import Preferences
from app.services.recovery import remedy, trouble

_REST_MS = 15_000
"""After so long without work, what was read is written down; sooner would be in the way of the next message."""
_KILLED_S = 2.0
"""For the engine lane to see that the process is gone."""
_WATCH_MS = 100
"""How often the loading progress is looked at; only while the engine lane is at work."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be chosen. `id` is the catalogue's, or the path of a file opened from disk."""

    id: str
    name: str
    path: str
    size_bytes: int = 0
    note: str = ""
    bundled: bool = False
    inexact: str = ""
    """Why it may write otherwise beside other answers than alone, as far as its file has told; core/exactness.py."""


class ModelManager(QObject):
    """Knows the models and runs jobs on the engine lane. Lives in the GUI thread.

    Signals:
        models_changed(): an entry came, went or changed.
        state_changed(str): this model began to load, got further, is ready, failed or was unloaded.
        file_opened(str): a file from disk can be used now; its model id.
        file_refused(AppError): a file from disk cannot be used, and why.
        notice(Notice): the engine died or came back, or a file was put aside, where no reply tells of it.
        room_wanted(): somebody waits for an answer while other work has the engine; long work makes room.
    """

    models_changed = Signal()
    state_changed = Signal(str)
    file_opened = Signal(str)
    file_refused = Signal(object)
    notice = Signal(object)
    room_wanted = Signal()

    def __init__(
        self,
        catalog: Catalog,
        preferences: Preferences,
        room: EngineRoom,
        library: ModelLibrary,
        parent: QObject | None = None,
    ) -> None:
        """`library` knows the files; this adds the models that come with the app."""
        super().__init__(parent)
        self._preferences = preferences
        self._room = room
        self._library = library
        self._entries: dict[str, ModelEntry] = {}
        for entry in catalog.entries:
            if entry.file is not None:
                size = entry.file.stat().st_size if entry.file.exists() else 0
                self._entries[entry.id] = ModelEntry(
                    entry.id, entry.name, str(entry.file), size, entry.note, bundled=True
                )
        preferences.know_models_by(self._names)
        library.changed.connect(self.models_changed)
        library.removing.connect(self._let_go)
        library.added.connect(self._look_at_quarantine)
        self._engine_lane = Lane("engine", self)
        self._watch = QTimer(self)
        self._watch.setInterval(_WATCH_MS)
        self._watch.timeout.connect(self._look)
        self._seen = room.status
        self._rested = True
        self._rest_timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest_timer.timeout.connect(self._rest)

    @property
    def default_id(self) -> str:
        """The model that comes with the app."""
        return next(iter(self._entries))

    def entries(self) -> tuple[ModelEntry, ...]:
        """Every model that can be chosen, the one that comes with the app first."""
        return (*self._entries.values(), *(_entry_of(model) for model in self._library.models() if not model.damaged))

    def entry(self, model_id: str) -> ModelEntry:
        """One model; a file that was forgotten meanwhile is still described by its path."""
        if model_id in self._entries:
            return self._entries[model_id]
        model = self._library.model(model_id)
        return _entry_of(model) if model else ModelEntry(model_id, Path(model_id).stem, model_id)

    def state(self, model_id: str) -> ModelState:
        """Where this model is in its life."""
        loaded_id, state = self._room.status
        return state if loaded_id == model_id else ModelState()

    def caution(self, model_ids: Iterable[str]) -> str:
        """What is to be said of these models before they write several answers at once; "" for nothing."""
        told = []
        for model_id in dict.fromkeys(model_ids):
            entry, facts = self.entry(model_id or self.default_id), self.state(model_id or self.default_id).facts
            told.append((entry.name, facts.inexact if facts is not None else entry.inexact))
        return caution(told)

    def spec(self, model_id: str) -> ModelSpec:
        """The model with the loading settings in force."""
        loading = self._preferences.resolved(Loading, model_id).values
        return ModelSpec(model_id, self.entry(model_id).path, loading)

    def open_file(self, path: str) -> None:
        """Look at a GGUF file and use it where it lies; answers with file_opened or file_refused."""
        self._library.add_file(path, "use", self.file_opened.emit, self.file_refused.emit)

    def remove(self, model_id: str) -> None:
        """Take a file off the list; the file itself stays where it is."""
        if model_id not in self._entries:
            self._library.forget(model_id)

    def run(self, job: Job, *, pressing: bool = False) -> Ticket:
        """Queue work that needs the engine; it may call `room.engine(...)`, which loads what is missing.

        `pressing`: somebody looks at the window and waits for it.
        """
        waits = not self._engine_lane.is_idle
        self._rested = False
        self._rest_timer.stop()
        ticket = self._engine_lane.submit(job)
        ticket.ended.connect(self._look)
        self._watch.start()
        if pressing and waits:
            self.room_wanted.emit()
        return ticket

    @property
    def room(self) -> EngineRoom:
        """For jobs on the engine lane alone."""
        return self._room

    def prepare(self, model_id: str, *, forgiven: bool = False) -> Ticket:
        """Load a model in the background, so that the first reply need not wait for it."""
        spec = self.spec(model_id)

        def job(stop: StopFlag) -> Iterator[object]:
            if forgiven:
                self._forgive(spec)
            try:
                yield self._room.engine(spec, stop).facts
            except LoadStopped:
                return

        ticket = self.run(job)
        ticket.ended.connect(lambda outcome: self._prepared(model_id, outcome))
        return ticket

    def load_again(self, model_id: str) -> None:
        """Load a model whose engine died, or whose file was put aside."""

        def there(items: tuple[ModelFacts, ...]) -> None:
            if not items[-1].notices:  # which are told with the news that it is loaded
                self.notice.emit(Notice(f"{self.entry(model_id).name} is loaded again"))

        self.prepare(model_id, forgiven=bool(self._put_aside(self.spec(model_id)))).items.connect(there)

    def is_put_aside(self, model_id: str) -> bool:
        """Whether its file ended the engine's process too often, and is loaded only when the person wants it."""
        quarantine = self._room.quarantine
        return quarantine is not None and self.entry(model_id).path in quarantine.put_aside

    def _put_aside(self, spec: ModelSpec) -> list[str]:
        """Of the model's file and its adapters', those that are loaded only when the person wants it."""
        aside = self._room.quarantine.put_aside if self._room.quarantine is not None else ()
        return [path for path in (spec.path, *paths_of(spec.loading.adapters)) if path in aside]

    def _forgive(self, spec: ModelSpec) -> None:
        if self._room.quarantine is not None:
            for path in self._put_aside(spec) or [spec.path]:
                self._room.quarantine.forgive(path)

    def trouble(self, model_id: str, error: AppError, *, again: Callable[[], None] | None = None) -> Notice:
        """The notice about an error that this model met. `again` does once more what was wanted of it."""
        return trouble(error, self.remedy(model_id, error), lambda: self.load_again(model_id), again)

    def remedy(self, model_id: str, error: AppError | None) -> str:
        """The words for loading this model again after this error; "" where that alone would not help."""
        return remedy(error, put_aside=bool(self._put_aside(self.spec(model_id))))

    def unload(self) -> None:
        """Give the loaded model's memory back, after what is running now."""

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            self._room.empty()
            yield None

        self.run(job)

    def drop_conversation(self, conversation: int) -> None:
        """A chat was deleted: what was read of it goes too, from memory and from the disk."""

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            self._room.drop(conversation)
            yield None

        self._engine_lane.submit(job).ended.connect(self._look)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop everything, wait, and give the memory back. Returns whether the engine lane ended in time."""
        self._watch.stop()
        self._rest_timer.stop()
        ended = self._engine_lane.close(timeout_s)
        if not ended and self._room.quarantine is not None:
            self._room.quarantine.end_now()  # a driver hangs; its memory shall not outlive the window
            ended = self._engine_lane.close(_KILLED_S)
        if ended:
            self._room.empty()
        return ended

    def _let_go(self, model_id: str) -> None:
        """Its file is about to be deleted, which some systems refuse while it is loaded."""
        if self._room.status[0] == model_id:
            self.unload()

    def _prepared(self, model_id: str, outcome: Outcome) -> None:
        if outcome.error is not None and self.remedy(model_id, outcome.error):
            self.notice.emit(self.trouble(model_id, outcome.error))

    def _look_at_quarantine(self) -> None:
        """A file that was put aside may have been downloaded again."""
        quarantine = self._room.quarantine

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            if quarantine is not None:
                quarantine.look_again()
            yield None

        if quarantine is not None:
            self._engine_lane.submit(job).ended.connect(self.models_changed)

    def _names(self, model_id: str) -> tuple[str, ...]:
        entry = self.entry(model_id)
        return (Path(entry.path).name, entry.name)

    def _look(self) -> None:
        status = self._room.status
        if status is not self._seen:
            changed = dict.fromkeys((self._seen[0], status[0]))
            if status[0] not in ("", self._seen[0], *self._entries):
                self._library.refresh(asked=False)  # its file may have been changed since it was looked at
            self._seen = status
            for model_id in changed:
                if model_id:
                    self.state_changed.emit(model_id)
        if self._engine_lane.is_idle:
            self._watch.stop()
            if not self._rested and status[1].kind is Kind.READY:
                self._rest_timer.start()

    def _rest(self) -> None:
        """Nobody has wanted anything for a while: write down what a crash would lose."""
        self._rested = True

        def job(stop: StopFlag) -> Iterator[object]:
            self._room.rest(stop)
            yield None

        self._engine_lane.submit(job).ended.connect(self._look)


def _entry_of(model: LocalModel) -> ModelEntry:
    return ModelEntry(model.path, model.name, model.path, model.size_bytes, inexact=model.inexact)


__all__ = ["Kind", "ModelEntry", "ModelManager", "ModelState"]

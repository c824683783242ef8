"""Builds the parts and connects them; the only place that knows them all."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from app.core.bundled_prompts import read_bundled_prompts
from app.core.errors import AppError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.paths import Paths
from app.services.archive import Archive
from app.services.engine_room import EngineRoom, Load
from app.services.lane import Lane
from app.services.notice import Notice
from app.storage.stores import Stores, open_stores
from app.ui.main_window import MainWindow
from app.ui.warming import warm_up

if TYPE_CHECKING:
    from app.left_behind import LeftBehind
    from app.services.preferences import Preferences

log = logging.getLogger(__name__)


class Program(QObject):
    """The running app: its parts, in the order they were built."""

    def __init__(
        self,
        application: QApplication,
        paths: Paths,
        load_model: Load | None = None,
        window: MainWindow | None = None,
    ) -> None:
        """`load_model` stands in for llama.cpp's loader where time or faults are measured; `window` may be open."""
        super().__init__(application)
        self._paths = paths
        self._spare_lane = Lane("spare", self)
        self._archive, remembered, warnings, kept = _open_archive(paths, self)
        # Imported while the storage lane opens the database
        from app.engine.forecast import forecast
        from app.engine.model_file import inspect
        from app.engine.plan import needs_of
        from app.engine.probe import Probe
        from app.hub.catalog import read_catalog
        from app.services.discover import Discover
        from app.services.downloads import Downloads
        from app.services.experiments import Experiments
        from app.services.fitting import Fitting
        from app.services.hardware import HardwareWatch
        from app.services.hub_access import HubAccess
        from app.services.judging import Judging
        from app.services.library import Library
        from app.services.model_library import ModelLibrary
        from app.services.model_manager import ModelManager
        from app.services.preferences import Preferences
        from app.services.prompt_library import PromptLibrary
        from app.services.shelf import named
        from app.setup import bundled_models, read_header

        catalog = read_catalog(paths.resources_dir)
        self.preferences = Preferences(catalog, _KeptValues(self._archive), remembered.settings, self)
        # a chat in memory has an id that another one on the disk has too
        self._kept = _KeptReading(paths.cache_dir / "kv" if kept else None, self.preferences)
        self._chat_ids = [chat.id for chat in remembered.chats]
        self.model_library = ModelLibrary(
            str(paths.models_dir),
            self.preferences,
            self._archive,
            read_header,
            remembered.models,
            remembered.model_files,
            self,
        )
        room = self._engine_room(load_model, bundled_models(catalog))
        self.models = ModelManager(catalog, self.preferences, room, self.model_library, self)
        access = HubAccess(self.preferences.fetching)
        self.discover = Discover(access, self)
        probe = Probe(lambda: facts.placement if (facts := room.status[1].facts) is not None else None)
        self.hardware = HardwareWatch(lambda again: probe.look(again=again), probe.machine, forecast, self)
        self.fitting = Fitting(probe.machine, lambda path: needs_of(inspect(path), Loading()), self)
        for replaced in (self.model_library.removing, self.model_library.added):
            replaced.connect(self.fitting.forget)
        self.downloads = Downloads(
            access,
            self.model_library,
            self.preferences,
            self._archive,
            read_header,
            remembered.downloads,
            self,
        )
        self.library = Library(
            self._archive,
            self.models,
            self.preferences,
            remembered.chats,
            remembered.last_chat_id,
            remembered.last_model_id,
            self,
        )
        bundled_prompts = read_bundled_prompts(paths.resources_dir, catalog.entries)
        self.prompts = PromptLibrary(self._archive, bundled_prompts, self)
        self.library.origins.know_bundled(bundled_prompts)
        self.model_library.removing.connect(self.library.origins.let_go)
        self.experiments = Experiments(
            self.models,
            self.preferences,
            self._archive,
            lambda text: next((found.path for found in named(text, self.model_library.models(), catalog)), ""),
            self.library.origins.sums_first,
            self,
        )
        self.preferences.know_prompts_by(self.prompts.authors_versions(catalog.entries))
        self.judging = Judging(self)
        self.window = window or MainWindow(settings_file=str(paths.window_file))
        from app.ui.model_services import ModelServices

        hub = ModelServices(
            catalog.entries,
            self.model_library,
            self.downloads,
            self.discover,
            self.fitting,
            self.models,
            self.preferences,
            lambda: access.endpoint,
            self.hardware,
            self.prompts,
            self.experiments,
            self.judging,
            self.library.origins,
        )
        self.window.attach(self.library, self.models, self.preferences, hub)
        for warning in (paths.warning and Notice(paths.warning, level="warning"), *warnings):
            if warning:
                self.window.tell(warning)

    def _engine_room(self, load_model: Load | None, bundled: Collection[str]) -> EngineRoom:
        """`bundled` models come with the program: they were tried before."""
        from app.engine.loader import Loader
        from app.setup import new_loader

        if load_model is None:
            load_model = new_loader(self._paths, bundled, lambda: self.preferences.running().own_process)
        return EngineRoom(load_model, self._kept, load_model if isinstance(load_model, Loader) else None)

    def open(self, files: Sequence[str]) -> None:
        """Show the window; what it can do without comes after the first paint."""
        self.window.show()
        QTimer.singleShot(0, self, lambda: self._opened(files))

    def come_to_front(self, files: tuple[str, ...]) -> None:
        """A second start asked for this window."""
        self.window.setWindowState(self.window.windowState() & ~self.window.windowState().WindowMinimized)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        for path in files:
            self.models.open_file(path)

    def close(self) -> tuple[bool, bool]:
        """Stop the engine and save everything. Whether all was saved, and whether the engine ended."""
        self.library.flush()
        self._spare_lane.close()
        self.judging.close()
        self.experiments.close()
        self.downloads.close()
        self.discover.close()
        self.fitting.close()
        self.hardware.close()
        self.model_library.close()
        engine_ended = self.models.close()
        saved = self._archive.close(lambda stores: stores.close())
        return saved, engine_ended

    def _opened(self, files: Sequence[str]) -> None:
        self.window.fill()
        for path in files:
            self.models.open_file(path)
        from app.left_behind import left_behind
        from app.services.hub_access import import_ahead

        self._archive.ask(lambda stores: stores.upkeep(), self._kept_up)
        self._archive.ask(lambda stores: left_behind(stores, self._paths), self._tell_left_behind)
        self.model_library.refresh(asked=False)
        self.downloads.start()
        for ahead in (warm_up, import_ahead):
            self._spare_lane.submit(lambda stop, steps=ahead: takewhile(lambda _: not stop.is_set(), steps()))  # type: ignore[misc]
        self._spare_lane.submit(self._tidy)

    def _tidy(self, stop: StopFlag) -> Iterator[object]:
        del stop
        self._kept.tidy(self._chat_ids)
        yield None

    def _kept_up(self, notices: tuple[str, ...]) -> None:
        for text in notices:
            self.window.tell(Notice(text, level="warning"))

    def _tell_left_behind(self, found: tuple[LeftBehind, ...]) -> None:
        from app.left_behind import tell_no_more

        for left in found:
            work = partial(tell_no_more, left=left)
            self.window.tell(left.notice(lambda work=work: self._archive.ask(work)))  # type: ignore[misc]


class _KeptReading:
    """What was read of chats is kept beside the other things that can be made again."""

    def __init__(self, folder: Path | None, preferences: Preferences) -> None:
        self._preferences = preferences
        self.folder = str(folder) if folder is not None else ""

    @property
    def limit_bytes(self) -> int:
        """As the person set it."""
        return self._preferences.running().kept_gb * 10**9

    def forget(self, conversation: int) -> None:
        """Delete a deleted chat's."""
        from app.engine.snapshots import forget

        if self.folder:
            forget(Path(self.folder), conversation)

    def tidy(self, conversations: Sequence[int]) -> None:
        """Delete what belongs to none of these chats, or is more than wished."""
        from app.engine.snapshots import forget_all_but

        if self.folder:
            forget_all_but(Path(self.folder), conversations, self.limit_bytes)


class _KeptValues:
    """Hands changed settings to the storage lane."""

    def __init__(self, archive: Archive[Stores]) -> None:
        self._archive = archive

    def set(self, scope: str, key: str, value: Any) -> None:
        """Keep one changed value."""
        self._archive.ask(lambda stores: stores.settings.set(scope, key, value))

    def clear(self, scope: str, key: str) -> None:
        """Forget it."""
        self._archive.ask(lambda stores: stores.settings.clear(scope, key))


def _open_archive(paths: Paths, parent: QObject) -> tuple[Archive[Stores], Any, tuple[Notice, ...], bool]:
    """The archive, what it remembers, what there is to tell, and whether anything is kept on the disk.

    A database that cannot be used is left alone, and this run keeps nothing.
    """
    archive: Archive[Stores] = Archive(lambda: open_stores(paths.database), parent)
    remembered, error = _wait(archive)
    if error is None:
        notices = tuple(Notice(text, level="warning") for text in remembered.notices)
        return archive, remembered, notices, paths.database is not None
    log.warning("The database cannot be used: %s", error)
    archive.close(lambda stores: stores.close())
    notice = Notice(error.title, error.detail, f"{error.hint} Until then, chats are not saved.".strip(), "error")
    archive = Archive(lambda: open_stores(None), parent)
    remembered, error = _wait(archive)
    if error is not None:
        raise error
    return archive, remembered, (notice,), False


def _wait(archive: Archive[Stores]) -> tuple[Any, AppError | None]:
    """Open the stores on their lane and wait for what they remember: without it there is nothing to show."""
    loop = QEventLoop()
    found: list[Any] = [None, None]

    def then(remembered: Any) -> None:
        found[0] = remembered

    def failed(error: AppError) -> None:
        found[1] = error

    archive.ask(lambda stores: stores.remembered(), then, failed)
    while found == [None, None]:
        # not exec(): it would end too soon when the window is closed meanwhile
        loop.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    return found[0], found[1]


def hook_crashes(tell: Callable[[Notice], None]) -> None:
    """What nobody foresaw goes to the log and, once, into the window; the program goes on."""
    from app.services.lane import unforeseen

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        log.critical("Nobody foresaw this", exc_info=(kind, error, trace))
        tell(Notice.of(unforeseen(error)))

    sys.excepthook = hook

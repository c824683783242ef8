"""The services as the app builds them: real stores, real lanes; the engine is real or scripted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ModelFileError
from app.core.library import LocalModel
from app.core.overflow import WhenFull
from app.engine.llama import load
from app.engine.loader import Loader
from app.engine.scripted import Script, scripted_loader
from app.hub.catalog import Catalog, read_catalog
from app.paths import find_paths
from app.services.archive import Archive
from app.services.chat_session import ChatSession
from app.services.discover import Discover
from app.services.downloads import Downloads
from app.services.engine_room import EngineRoom, Load
from app.services.experiments import Experiments
from app.services.hub_access import HubAccess
from app.services.library import Library
from app.services.model_library import ModelLibrary
from app.services.model_manager import ModelManager
from app.services.preferences import Preferences
from app.services.shelf import named
from app.storage.stores import Stores, open_stores
from tests.services.filling import CONTEXT
from tests.standin_hub.server import StandInHub


@cache
def known_models() -> Catalog:
    """The catalogue that comes with the app, read once: nothing changes it."""
    return read_catalog(find_paths().resources_dir)


class Keychain:
    """A keychain in memory."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.secrets[service, username]


class Services:
    """Everything below the window, over a database in a folder of the test's own."""

    def __init__(self, database: Path, load_model: Load, wait: Callable[..., None]) -> None:
        self.database = database
        self.wait = wait
        self.notices: list[Any] = []
        self.archive: Archive[Stores] = Archive(lambda: open_stores(database))
        remembered = self.ask(lambda stores: stores.remembered())
        catalog = known_models()
        self.preferences = Preferences(catalog, self, remembered.settings)
        self.loads: list[tuple[str, Any]] = []

        def counted(path, loading, stop, on_progress):
            self.loads.append((path, loading))
            return load_model(path, loading, stop, on_progress)

        self.model_library = ModelLibrary(
            str(database.parent / "models"),
            self.preferences,
            self.archive,
            self._inspect,
            remembered.models,
            remembered.model_files,
        )
        self.model_library.notice.connect(self.notices.append)
        self.keychain = Keychain()
        self.access = HubAccess(self.preferences.fetching, self.keychain, {})
        self.discover = Discover(self.access)
        self.downloads = Downloads(
            self.access, self.model_library, self.preferences, self.archive, self._inspect, remembered.downloads
        )
        self.downloads.notice.connect(self.notices.append)
        self.models = ModelManager(catalog, self.preferences, self._room(counted, load_model), self.model_library)
        self.library = Library(
            self.archive,
            self.models,
            self.preferences,
            remembered.chats,
            remembered.last_chat_id,
            remembered.last_model_id,
        )
        self.library.notice.connect(self.notices.append)
        self.experiments = Experiments(
            self.models,
            self.preferences,
            self.archive,
            lambda text: next((found.path for found in named(text, self.model_library.models(), catalog)), ""),
            self.library.origins.sums_first,
        )
        self.experiments.notice.connect(self.notices.append)

    def _room(self, load_counted: Load, load_model: Load) -> EngineRoom:
        return EngineRoom(load_counted, quarantine=load_model if isinstance(load_model, Loader) else None)

    # Preferences keeps its values through these
    def set(self, scope: str, key: str, value: Any) -> None:
        self.archive.ask(lambda stores: stores.settings.set(scope, key, value))

    def clear(self, scope: str, key: str) -> None:
        self.archive.ask(lambda stores: stores.settings.clear(scope, key))

    def ask(self, work: Callable[[Stores], Any]) -> Any:
        """Do work on the storage lane and wait for its result."""
        found: list[Any] = []
        self.archive.ask(work, found.append, found.append)
        self.wait(lambda: bool(found))
        return found[0]

    def chat(self, model_id: str = "") -> ChatSession:
        """A new chat whose notices are heard."""
        session = self.library.new_chat(model_id)
        session.notice.connect(self.notices.append)
        return session

    def reopen(self, chat_id: int) -> ChatSession:
        """A saved chat, with its messages."""
        session = self.library.session(chat_id)
        session.notice.connect(self.notices.append)
        self.wait(lambda: session.ready)
        return session

    def pace(self, tokens_per_s: float | None) -> None:
        """From now on the scripted engine that is loaded says so many tokens a second; None for all at once."""
        engine: Any = self.models.room._engine
        engine.script = replace(engine.script, tokens_per_s=tokens_per_s)

    def say(self, session: ChatSession, text: str) -> str:
        """Send and wait for the whole reply."""
        session.send(text)
        self.wait(lambda: not session.busy)
        return session.path()[-1].text

    def close(self) -> None:
        self.library.flush()
        assert self.experiments.close()
        assert self.downloads.close()
        assert self.discover.close()
        assert self.model_library.close()
        assert self.models.close()
        assert self.archive.close(lambda stores: stores.close())

    def _inspect(self, path: str) -> LocalModel:
        file = Path(path)
        if not file.exists():
            raise ModelFileError("There is no such file", path, "Choose another one.")
        if file.read_bytes()[:7] == b"no GGUF":
            raise ModelFileError("This is no model", path, "Choose another one.")
        return LocalModel(path, file.stem, file.stat().st_size, architecture="llama")


@pytest.fixture
def build(qtbot, tmp_path, monkeypatch) -> Iterator[Callable[..., Services]]:
    """Make services: `build()` with the starter model, `build(Script(...))` with a scripted engine.

    `build(loader=...)` loads with this.
    """
    # other programs' models are those of the person who runs the suite
    monkeypatch.setattr("app.hub.download_job.known_places", lambda: ())
    # where the computer is busy it would be told, beside what a test looks for, that a model is still being read
    monkeypatch.setattr("app.services.sums_first._PATIENCE_MS", 600_000)
    made: list[Services] = []

    def make(script: Script | None = None, name: str = "orcinus.db", loader: Load = load) -> Services:
        loader = scripted_loader(script) if script is not None else loader

        def wait(condition: Callable[[], bool]) -> None:
            qtbot.waitUntil(condition, timeout=20_000)

        services = Services(tmp_path / name, loader, wait)
        made.append(services)
        return services

    def close(services: Services) -> None:
        services.close()
        made.remove(services)

    make.close = close  # type: ignore[attr-defined]
    yield make
    for services in made:
        services.close()


@pytest.fixture
def standin() -> Iterator[StandInHub]:
    """An empty Hub on loopback that serves until the test ends."""
    with StandInHub() as hub:
        yield hub


@pytest.fixture
def start(build):
    """Services whose starter has a small context, and a chat with this choice."""

    def started(when_full: WhenFull = WhenFull.DROP_OLDEST, context: int = CONTEXT):
        services = build()
        services.preferences.set_for_model("starter", "context_tokens", context)
        services.preferences.set_for_model("starter", "when_full", when_full.value)
        chat = services.chat()
        return services, chat

    return started

"""A program that chats without end and tells what is on its screen; tests kill it. Not a test itself."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer

from app.engine.scripted import Script, scripted_loader
from app.hub.catalog import read_catalog
from app.paths import find_paths
from app.services.archive import Archive
from app.services.engine_room import EngineRoom
from app.services.library import Library
from app.services.model_library import ModelLibrary
from app.services.model_manager import ModelManager
from app.services.preferences import Preferences
from app.setup import read_header
from app.storage.stores import Stores, open_stores

REPLY = "".join(f" word{number}" for number in range(2000))
TOKENS_PER_S = 200
BEAT_MS = 50


def tell(what: str, text: str) -> None:
    """One line to the parent, at once: moment, what, text."""
    os.write(1, f"{time.monotonic():.6f}\t{what}\t{text}\n".encode())


class Keeper:
    """Settings are of no interest here."""

    def set(self, scope: str, key: str, value: object) -> None:
        """Nothing is kept."""

    def clear(self, scope: str, key: str) -> None:
        """Nothing is kept."""


class Pulse:
    """Tells of beats: each comes BEAT_MS after the storage lane has done all that it was asked before the last one.

    Where the computer or its disk is slow they are, too: time by the clock would be their time and not the program's.
    """

    def __init__(self, archive: Archive[Stores]) -> None:
        self._archive = archive
        self._timer = QTimer(singleShot=True, interval=BEAT_MS)
        self._timer.timeout.connect(self._ask)
        self._timer.start()

    def _ask(self) -> None:
        self._archive.ask(lambda _stores: None, self._beat)

    def _beat(self, _nothing: None) -> None:
        tell("beat", "")
        self._timer.start()


def main() -> None:
    """Chat until killed."""
    application = QCoreApplication([])
    archive: Archive[Stores] = Archive(lambda: open_stores(Path(sys.argv[1])))
    catalog = read_catalog(find_paths().resources_dir)
    preferences = Preferences(catalog, Keeper(), {})
    room = EngineRoom(scripted_loader(Script(replies=(REPLY,), tokens_per_s=TOKENS_PER_S)))
    models = ModelManager(catalog, preferences, room, ModelLibrary("", preferences, archive, read_header, (), {}))
    library = Library(archive, models, preferences, (), None, "")
    chat = library.new_chat()
    asked = [0]

    def ask() -> None:
        asked[0] += 1
        chat.send(f"question {asked[0]}")

    # What is on the screen was told to a person: from then on it must not be lost
    chat.message_added.connect(lambda message: tell("saved", f"{message.id} {message.role} {message.text}"))
    chat.text_added.connect(lambda message_id, text: tell("grew", f"{message_id} {text}"))
    chat.busy_changed.connect(lambda busy: None if busy else ask())
    chat.set_override("max_tokens", 120)
    pulse = Pulse(archive)
    ask()
    application.exec()
    del pulse


if __name__ == "__main__":
    main()

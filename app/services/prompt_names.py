"""What people call the versions of prompts that something was made from, looked up as they are needed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from app.core.prompts import PromptOrigin
from app.services.prompt_library import PromptLibrary


class PromptNames(QObject):
    """Words for versions, older ones too, by their hashes. Lives in the GUI thread.

    Signals:
        changed(): a version's words are there now, or others.
    """

    changed = Signal()

    def __init__(self, library: PromptLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._origins: dict[str, PromptOrigin | None] = {}
        self._asked: set[str] = set()
        library.changed.connect(self._look_again)

    def words(self, version_hash: str) -> str:
        """Name and number of a version; "" until it is looked up, which `changed` tells."""
        if version_hash not in self._asked:
            self._ask(version_hash)
        return _words(self._origins[version_hash]) if version_hash in self._origins else ""

    def named(self, version_hash: str) -> str:
        """As `words`, for telling it to others besides its hash: "" for what has no name."""
        words, origin = self.words(version_hash), self._origins.get(version_hash)
        return words if origin is not None and origin.name else ""

    @Slot()
    def _look_again(self) -> None:
        """The library is another one: a prompt may have another name, or be gone."""
        for version_hash in tuple(self._asked):
            self._ask(version_hash)

    def _ask(self, version_hash: str) -> None:
        self._asked.add(version_hash)
        self._library.find_origin(version_hash, lambda origin: self._found(version_hash, origin))

    def _found(self, version_hash: str, origin: PromptOrigin | None) -> None:
        is_news = version_hash not in self._origins or _words(self._origins[version_hash]) != _words(origin)
        self._origins[version_hash] = origin
        if is_news:
            self.changed.emit()


def _words(origin: PromptOrigin | None) -> str:
    return origin.words if origin is not None else "A deleted prompt"

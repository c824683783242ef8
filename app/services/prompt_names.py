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
        self._words: dict[str, str] = {}
        self._asked: set[str] = set()
        library.changed.connect(self._look_again)

    def words(self, version_hash: str) -> str:
        """Name and number of a version; "" until it is looked up, which `changed` tells."""
        if version_hash not in self._asked:
            self._ask(version_hash)
        return self._words.get(version_hash, "")

    @Slot()
    def _look_again(self) -> None:
        """The library is another one: a prompt may have another name, or be gone."""
        for version_hash in tuple(self._asked):
            self._ask(version_hash)

    def _ask(self, version_hash: str) -> None:
        self._asked.add(version_hash)
        self._library.find_origin(version_hash, lambda origin: self._found(version_hash, origin))

    def _found(self, version_hash: str, origin: PromptOrigin | None) -> None:
        words = origin.words if origin is not None else "A deleted prompt"
        if self._words.get(version_hash) != words:
            self._words[version_hash] = words
            self.changed.emit()

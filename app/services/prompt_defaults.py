"""Which prompts are the defaults of models, and how one becomes that."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QObject, Signal, Slot

from app.services.model_manager import ModelManager
from app.services.notice import Notice
from app.services.preferences import Preferences
from app.services.prompt_desk import bundled_key, own_key
from app.services.prompt_library import PromptLibrary


class PromptDefaults(QObject):
    """What new chats begin with, seen from the library. Lives in the GUI thread.

    Signals:
        found(dict, dict): names of models, by keys of prompts and by hashes of versions.
        told(Notice): something to tell.
    """

    found = Signal(dict, dict)
    told = Signal(object)

    def __init__(
        self, library: PromptLibrary, models: ModelManager, preferences: Preferences, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._library, self._models, self._preferences = library, models, preferences
        models.models_changed.connect(self.find)
        preferences.model_settings_changed.connect(self.find)

    @Slot()
    def find(self) -> None:
        """Look again; answers with `found`."""
        by_hash: dict[str, tuple[str, ...]] = {}
        for entry in self._models.entries():
            if version_hash := self._preferences.model_prompt_version(entry.id):
                by_hash[version_hash] = (*by_hash.get(version_hash, ()), entry.name)
        bundled = {one.version.hash: bundled_key(one.key) for one in self._library.bundled()}

        def tell(holders: dict[str, int]) -> None:
            keys = {**bundled, **{version_hash: own_key(held) for version_hash, held in holders.items()}}
            by_key: dict[str, tuple[str, ...]] = {}
            for version_hash, names in by_hash.items():
                if key := keys.get(version_hash):
                    by_key[key] = (*by_key.get(key, ()), *names)
            self.found.emit(by_key, by_hash)

        self._library.find_holders([one for one in by_hash if one not in bundled], tell)

    def models_on(self, hashes: Collection[str]) -> list[str]:
        """Ids of the models whose chats begin with one of these versions."""
        entries = self._models.entries()
        return [entry.id for entry in entries if self._preferences.model_prompt_version(entry.id) in hashes]

    def name(self, model_id: str) -> str:
        """What a model is called."""
        return self._models.entry(model_id).name

    def make(self, model_id: str, text: str, version_hash: str, words: str) -> None:
        """Let new chats with a model begin with this, which `words` name; the notice can undo it."""
        preferences = self._preferences
        before = preferences.model_prompt(model_id), preferences.model_prompt_version(model_id)
        changed = preferences.model_prompt_is_changed(model_id)

        def undo() -> None:
            if changed:
                preferences.set_model_prompt(model_id, *before)
            else:
                preferences.clear_model_prompt(model_id)

        preferences.set_model_prompt(model_id, text, version_hash)
        title = f"New chats with {self.name(model_id)} begin with {words} now"
        self.told.emit(Notice(title, "Other chats keep theirs.", actions=(("Undo", undo),)))

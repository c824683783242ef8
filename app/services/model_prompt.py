"""Where a model's default system prompt comes from: new chats with it begin there."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from app.services.preferences import Preferences
from app.services.prompt_library import PromptLibrary
from app.services.prompt_link import PromptLink


class ModelPrompt(PromptLink):
    """The link between a model's default and a version of a prompt."""

    def __init__(
        self, preferences: Preferences, library: PromptLibrary, model_id: str = "", parent: QObject | None = None
    ) -> None:
        """`model_id` may be "" until `show_model` names one."""
        super().__init__(library, parent)
        self._preferences = preferences
        self.model_id = model_id
        preferences.model_settings_changed.connect(self._settings_changed)
        self._look()

    def show_model(self, model_id: str) -> None:
        """Be the link of this model's default."""
        if model_id != self.model_id:
            self.model_id = model_id
            self._look()

    @property
    def text(self) -> str:
        """The default, with its variables."""
        return self._preferences.model_prompt(self.model_id) if self.model_id else ""

    @property
    def version_hash(self) -> str:
        """Hash of the version that the default was taken from."""
        return self._preferences.model_prompt_version(self.model_id) if self.model_id else ""

    def edit(self, text: str) -> None:
        """Make this the default; it still counts as made from the version that the last one was taken from."""
        self._preferences.set_model_prompt(self.model_id, text, self.version_hash if text.strip() else "")

    def _take(self, text: str, version_hash: str) -> None:
        self._preferences.set_model_prompt(self.model_id, text, version_hash)

    @Slot(str)
    def _settings_changed(self, model_id: str) -> None:
        if model_id == self.model_id:
            self._look()

"""The editor of a model's default system prompt: a version from the library, perhaps edited since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from app.services.model_prompt import ModelPrompt
from app.services.notice import Notice
from app.services.token_count import TokenCount
from app.ui.prompt_panel import PromptPanel
from app.ui.prompt_picker import PromptPicker
from app.ui.prompt_ways import PromptWays, kept_words
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.prompts import Prompt, PromptVersion
    from app.services.model_manager import ModelManager
    from app.services.preferences import Preferences
    from app.services.prompt_library import PromptLibrary


class DefaultPrompt(PromptPanel):
    """Edits the default of one model at a time. `told(Notice)`: something to tell."""

    told = Signal(object)

    def __init__(
        self,
        models: ModelManager,
        preferences: Preferences,
        prompts: PromptLibrary,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        picker, ways = PromptPicker(prompts, theme), PromptWays(theme)
        super().__init__(
            "Default system prompt",
            "What a new chat with this model starts from.",
            theme,
            parent,
            reset="Back to the model’s own",
            above=picker,
            below=ways,
        )
        self.picker, self.ways = picker, ways
        self._preferences = preferences
        self.link = ModelPrompt(preferences, prompts, parent=self)
        self.link.kept.connect(self._tell_kept)
        picker.show_link(self.link)
        ways.show_link(self.link)
        ways.save_asked.connect(self._save_version)
        ways.revert_asked.connect(self._revert)
        self._tokens = TokenCount(models, self)
        self._tokens.counted.connect(self.show_count)
        self.typed.connect(self._count_tokens)
        self.edited.connect(self.link.edit)
        self.reset_asked.connect(self._reset_default)

    def show_model(self, model_id: str) -> None:
        """Show the default of this model; what was typed for another is handed over first."""
        if model_id != self.link.model_id:
            self.flush()
            self.link.show_model(model_id)
        text = self.link.text
        self.show_prompt(text, text)
        self.set_reset_offered(self._preferences.model_prompt_is_changed(model_id))
        self._count_tokens(self.field.toPlainText())

    @Slot(str)
    def _count_tokens(self, text: str) -> None:
        self.ways.show_text(text)
        self._tokens.count(text, self.link.model_id)

    @Slot()
    def _save_version(self) -> None:
        self.flush()
        self.link.save_as_version()

    @Slot()
    def _revert(self) -> None:
        self.flush()
        link, model_id, before = self.link, self.link.model_id, self.link.text
        version_hash, preferences = self.link.version_hash, self._preferences
        link.revert()
        undo = lambda: preferences.set_model_prompt(model_id, before, version_hash)  # noqa: E731
        self.told.emit(Notice("The default says again what was saved", actions=(("Undo", undo),)))

    @Slot()
    def _reset_default(self) -> None:
        self._preferences.clear_model_prompt(self.link.model_id)

    @Slot(object, object)
    def _tell_kept(self, prompt: Prompt, version: PromptVersion) -> None:
        del version
        self.told.emit(Notice(kept_words(prompt), "New chats with this model start from it."))

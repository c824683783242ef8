"""The inspector's page for one chat: its system prompt, what goes when the context is full, and the sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.errors import SettingError
from app.core.options import Sampling
from app.core.overflow import Overflow
from app.core.prompt_variables import resolve, variables
from app.core.settings import Scope, Source
from app.services.chat_prompt import ChatPrompt
from app.services.notice import Notice
from app.services.token_count import TokenCount
from app.ui.buttons import WordButton
from app.ui.known_values import KnownValues
from app.ui.prompt_panel import PromptPanel
from app.ui.prompt_picker import PromptPicker
from app.ui.prompt_ways import PromptWays, kept_words
from app.ui.settings_form import SettingsForm
from app.ui.theme import Theme
from app.ui.variables_form import VariablesForm

if TYPE_CHECKING:
    from app.core.prompts import Prompt, PromptVersion
    from app.services.chat_session import ChatSession
    from app.services.model_manager import ModelManager
    from app.services.preferences import Preferences
    from app.services.prompt_library import PromptLibrary


class ChatPanel(QWidget):
    """Edits the session on screen. `told(Notice)`: something to tell; `too_long(int)`: a paste was not taken."""

    told = Signal(object)
    too_long = Signal(int)

    def __init__(
        self,
        models: ModelManager,
        preferences: Preferences,
        prompts: PromptLibrary,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._prompts = prompts
        self._session: ChatSession | None = None
        self._link: ChatPrompt | None = None
        self._adopting = False
        self._tokens = TokenCount(models, self)
        self.picker = PromptPicker(prompts, theme)
        self.ways = PromptWays(theme)
        self.prompt = PromptPanel(
            "System prompt",
            "For this chat; used from the next reply on.",
            theme,
            reset="Back to the default",
            adopt="Make it the default",
            above=self.picker,
            below=self.ways,
        )
        self.variables = VariablesForm()
        self.known = KnownValues(theme)
        self._connect_prompt()
        self.form = SettingsForm(Sampling, Source.CHAT, theme, scopes=(Scope.CHAT,))
        self.overflow = SettingsForm(Overflow, Source.CHAT, theme, scopes=(Scope.CHAT,))
        for form in (self.overflow, self.form):
            form.changed.connect(self._set_override)
            form.reset_asked.connect(self._clear_override)
        self._reset_all = WordButton("", theme, kind="link", icon_name="reset")
        self._reset_all.clicked.connect(self._clear_all)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 14, 18)
        column.setSpacing(10)
        column.addWidget(self.prompt)
        column.addWidget(self.variables)
        column.addWidget(self.known)
        column.addSpacing(6)
        column.addWidget(self.overflow)
        column.addSpacing(6)
        column.addWidget(self.form)
        column.addWidget(self._reset_all)
        column.addStretch()
        preferences.model_settings_changed.connect(self._model_changed)

    def _connect_prompt(self) -> None:
        self.prompt.edited.connect(self._set_prompt)
        self.prompt.typed.connect(self._typed)
        self.prompt.reset_asked.connect(self._reset_prompt)
        self.prompt.adopt_asked.connect(self._adopt_prompt)
        self.prompt.too_long.connect(self.too_long)
        self.ways.save_asked.connect(self._save_version)
        self.ways.revert_asked.connect(self._revert)
        self.variables.changed.connect(self._set_variable)
        self.known.forget_asked.connect(self._forget_moment)
        self._tokens.counted.connect(self.prompt.show_count)

    def show_session(self, session: ChatSession) -> None:
        """Show a chat's prompt and values."""
        if session is self._session:
            self._refresh()
            return
        self.flush()
        for form in (self.overflow, self.form):
            form.finish()
        if self._session is not None:
            self._session.chat_changed.disconnect(self._refresh)
        if self._link is not None:
            self._link.deleteLater()
        self._session, self._adopting = session, False
        session.chat_changed.connect(self._refresh)
        link = self._link = ChatPrompt(session, self._prompts, self)
        link.kept.connect(self._kept)
        self.picker.show_link(link)
        self.ways.show_link(link)
        self.variables.forget()
        self._refresh()

    def flush(self) -> None:
        """Hand over what is typed but not yet taken."""
        self.prompt.flush()
        self.variables.flush()
        self.overflow.flush()
        self.form.flush()

    def ask_for_values(self) -> None:
        """Go to where the variables of the prompt get their values."""
        self.variables.take_keyboard()

    @Slot()
    def _refresh(self) -> None:
        if self._session is None:
            return
        chat = self._session.chat
        self.prompt.show_prompt(chat.system_prompt, self._preferences.model_prompt(chat.model_id))
        self._show_variables(self.prompt.field.toPlainText())
        self.form.show_values(self._preferences.resolved(Sampling, chat.model_id, chat.overrides))
        self.overflow.show_values(self._preferences.resolved(Overflow, chat.model_id, chat.overrides))
        count = self.form.changed_here() + self.overflow.changed_here()
        self._reset_all.setVisible(count > 0)
        self._reset_all.setText("Back to the model’s settings" + (f" ({count} changed)" if count > 1 else ""))

    def _show_variables(self, text: str) -> None:
        """What the prompt in the field asks for, what of it is missing, and how long it is with all of it."""
        if self._session is None:
            return
        values = self._session.values()
        found = variables(text)
        self.variables.show_variables([one for one in found if not one.is_built_in], self._session.chat.variables)
        self.known.show_values({one.name: values[one.name] for one in found if one.is_built_in}, self._session.chat)
        self.ways.show_text(text)
        filled = resolve(text, values)
        self.prompt.field.show_unresolved(filled.unresolved)
        self._tokens.count(filled.text, self._session.chat.model_id)

    @Slot(str)
    def _typed(self, text: str) -> None:
        self._show_variables(text)

    @Slot(str)
    def _model_changed(self, model_id: str) -> None:
        if self._session is not None and model_id == self._session.chat.model_id:
            self._refresh()

    @Slot(str)
    def _set_prompt(self, text: str) -> None:
        if self._session is not None:
            self._session.set_system_prompt(text)

    @Slot(str, object)
    def _set_variable(self, name: str, value: str | None) -> None:
        if self._session is not None:
            self._session.set_variable(name, value)

    @Slot()
    def _forget_moment(self) -> None:
        if self._session is not None:
            self._session.forget_moment()

    @Slot()
    def _save_version(self) -> None:
        self.prompt.flush()
        if self._link is not None:
            self._link.save_as_version()

    @Slot()
    def _revert(self) -> None:
        self.prompt.flush()
        session, link = self._session, self._link
        if session is None or link is None or not link.edited:
            return
        before = session.chat.system_prompt
        link.revert()
        undo = lambda: session.set_system_prompt(before)  # noqa: E731
        self.told.emit(Notice("The system prompt says again what was saved", actions=(("Undo", undo),)))

    @Slot(object, object)
    def _kept(self, prompt: Prompt, version: PromptVersion) -> None:
        if self._adopting:
            self._adopting = False
            self._make_default(version.text, version.hash, f"“{prompt.name}”, version {prompt.number}, is")
        else:
            self.told.emit(Notice(kept_words(prompt)))

    @Slot()
    def _reset_prompt(self) -> None:
        if self._session is not None:
            model_id = self._session.chat.model_id
            text = self._preferences.model_prompt(model_id)
            self._session.use_prompt(text, self._preferences.model_prompt_version(model_id))
            self.prompt.show_prompt(text, text)

    @Slot(str)
    def _adopt_prompt(self, text: str) -> None:
        """A default is a version: what is not kept yet is kept first."""
        if self._session is None or self._link is None:
            return
        if self._link.saved:
            self._make_default(text, self._link.version_hash if text.strip() else "", "This is")
        else:
            self._adopting = True
            self._link.save_as_version()

    def _make_default(self, text: str, version_hash: str, what: str) -> None:
        if self._session is None:
            return
        preferences, model_id = self._preferences, self._session.chat.model_id
        before = preferences.model_prompt(model_id), preferences.model_prompt_version(model_id)
        changed = preferences.model_prompt_is_changed(model_id)

        def undo() -> None:
            if changed:
                preferences.set_model_prompt(model_id, *before)
            else:
                preferences.clear_model_prompt(model_id)

        preferences.set_model_prompt(model_id, text, version_hash)
        detail = "New chats with this model start from it. Other chats keep theirs."
        self.told.emit(Notice(f"{what} the model’s default system prompt now", detail, actions=(("Undo", undo),)))

    @Slot(str, object)
    def _set_override(self, key: str, value: Any) -> None:
        if self._session is None:
            return
        try:
            self._session.set_override(key, value)
        except SettingError as error:
            for form in (self.overflow, self.form):
                form.show_trouble(key, error.detail)

    @Slot(str)
    def _clear_override(self, key: str) -> None:
        if self._session is not None:
            self._session.clear_override(key)

    @Slot()
    def _clear_all(self) -> None:
        if self._session is not None:
            for key in tuple(self._session.chat.overrides):
                self._session.clear_override(key)

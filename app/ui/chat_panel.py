"""The inspector's page for one chat: its system prompt, what goes when the context is full, and the sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.errors import SettingError
from app.core.options import Sampling
from app.core.overflow import Overflow
from app.core.settings import Scope, Source
from app.services.notice import Notice
from app.ui.buttons import WordButton
from app.ui.prompt_panel import PromptPanel
from app.ui.settings_form import SettingsForm
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.chat_session import ChatSession
    from app.services.preferences import Preferences


class ChatPanel(QWidget):
    """Edits the session on screen. `told(Notice)`: something to tell; `too_long(int)`: a paste was not taken."""

    told = Signal(object)
    too_long = Signal(int)

    def __init__(self, preferences: Preferences, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._session: ChatSession | None = None
        self.prompt = PromptPanel(
            "System prompt",
            "For this chat; used from the next reply on.",
            theme,
            reset="Back to the default",
            adopt="Make it the default",
        )
        self.prompt.edited.connect(self._set_prompt)
        self.prompt.reset_asked.connect(self._reset_prompt)
        self.prompt.adopt_asked.connect(self._adopt_prompt)
        self.prompt.too_long.connect(self.too_long)
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
        column.addSpacing(6)
        column.addWidget(self.overflow)
        column.addSpacing(6)
        column.addWidget(self.form)
        column.addWidget(self._reset_all)
        column.addStretch()
        preferences.model_settings_changed.connect(self._model_changed)

    def show_session(self, session: ChatSession) -> None:
        """Show a chat's prompt and values."""
        self.flush()
        if self._session is not None:
            self._session.chat_changed.disconnect(self._refresh)
            self._session.prompt_count_changed.disconnect(self.prompt.show_count)
        self._session = session
        session.chat_changed.connect(self._refresh)
        session.prompt_count_changed.connect(self.prompt.show_count)
        self.prompt.show_count(session.prompt_tokens)
        self._refresh()

    def flush(self) -> None:
        """Hand over what is typed but not yet taken."""
        self.prompt.flush()

    @Slot()
    def _refresh(self) -> None:
        if self._session is None:
            return
        chat = self._session.chat
        self.prompt.show_prompt(chat.system_prompt, self._preferences.model_prompt(chat.model_id))
        self.form.show_values(self._preferences.resolved(Sampling, chat.model_id, chat.overrides))
        self.overflow.show_values(self._preferences.resolved(Overflow, chat.model_id, chat.overrides))
        count = self.form.changed_here() + self.overflow.changed_here()
        self._reset_all.setVisible(count > 0)
        self._reset_all.setText("Back to the model’s settings" + (f" ({count} changed)" if count > 1 else ""))

    @Slot(str)
    def _model_changed(self, model_id: str) -> None:
        if self._session is not None and model_id == self._session.chat.model_id:
            self._refresh()

    @Slot(str)
    def _set_prompt(self, text: str) -> None:
        if self._session is not None:
            self._session.set_system_prompt(text)

    @Slot()
    def _reset_prompt(self) -> None:
        if self._session is not None:
            text = self._preferences.model_prompt(self._session.chat.model_id)
            self._session.set_system_prompt(text)
            self.prompt.show_prompt(text, text)

    @Slot(str)
    def _adopt_prompt(self, text: str) -> None:
        if self._session is None:
            return
        model_id = self._session.chat.model_id
        before = self._preferences.model_prompt(model_id)

        def undo() -> None:
            self._preferences.set_model_prompt(model_id, before)

        self._preferences.set_model_prompt(model_id, text)
        detail = "New chats with this model start from it. Other chats keep theirs."
        self.told.emit(Notice("This is the model’s default system prompt now", detail, actions=(("Undo", undo),)))

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

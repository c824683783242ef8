"""The right side: the system prompt and settings of the chat, and those of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.services.notice import Notice
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.chat_session import ChatSession
    from app.services.hardware import HardwareWatch
    from app.services.model_manager import ModelManager
    from app.services.preferences import Preferences
    from app.services.prompt_library import PromptLibrary
    from app.ui.chat_panel import ChatPanel
    from app.ui.model_panel import ModelPanel

CHAT_TAB = 0
MODEL_TAB = 1


class _Page(QScrollArea):
    """Scrolls what is below a tab, and brings what has the keyboard into view."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)


class Inspector(QFrame):
    """Two tabs, each made when it is first looked at.

    Signals: `told(Notice)`: something to tell; `too_long(int)`: a paste was not taken; `wanted()`: something here asks
    for the person, so that it has to be seen; `library_asked(object)`: show the library of prompts, see `PromptPicker`.
    """

    told = Signal(object)
    library_asked = Signal(object)
    wanted = Signal()
    too_long = Signal(int)

    def __init__(
        self,
        models: ModelManager,
        preferences: Preferences,
        prompts: PromptLibrary,
        theme: Theme,
        hardware: HardwareWatch | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`hardware` tells what Auto would come to for a model that is not loaded."""
        super().__init__(parent)
        self._hardware = hardware
        self.setObjectName("inspector")
        self._models = models
        self._preferences = preferences
        self._prompts = prompts
        self._theme = theme
        self._session: ChatSession | None = None
        self.chat: ChatPanel | None = None
        self.model: ModelPanel | None = None
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("Chat or model")
        for words in ("Chat", "Model"):
            self.tabs.addTab(words)
        self._pages = QStackedWidget()
        self._areas = [_Page("Chat settings", self), _Page("Model settings", self)]
        for area in self._areas:
            self._pages.addWidget(area)
        self.tabs.currentChanged.connect(self._show_tab)
        prompts.notice.connect(self._tell_of_prompts)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 14, 0)
        head.addWidget(self.tabs)
        column.addLayout(head)
        column.addWidget(self._pages, 1)

    def show_session(self, session: ChatSession) -> None:
        """Follow this chat and its model; the panel itself is made when it can be seen."""
        if self._session is not None:
            self._session.chat_changed.disconnect(self._chat_changed)
            self._session.values_wanted.disconnect(self._ask_for_values)
        self._session = session
        session.chat_changed.connect(self._chat_changed)
        session.values_wanted.connect(self._ask_for_values)
        if self.chat is not None:
            self.chat.show_session(session)
        self._show_tab()

    def flush(self) -> None:
        """Hand over what is typed but not yet taken; before a message is sent, and before closing."""
        for panel in (self.chat, self.model):
            if panel is not None:
                panel.flush()

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for panels that are made later."""
        self._theme = theme

    @Slot()
    def _chat_changed(self) -> None:
        if self.model is not None and self._session is not None and self.tabs.currentIndex() == MODEL_TAB:
            self.model.show_model(self._session.chat.model_id)

    @Slot(object)
    def _tell_of_prompts(self, notice: Notice) -> None:
        if self.isVisible():  # else the prompt lab tells it
            self.told.emit(notice)

    @Slot()
    def _ask_for_values(self) -> None:
        """Show where the variables of the chat's prompt get their values."""
        self.wanted.emit()
        self.tabs.setCurrentIndex(CHAT_TAB)
        if self.chat is not None:
            self.chat.ask_for_values()

    @Slot()
    def _show_tab(self) -> None:
        place = self.tabs.currentIndex()
        self._pages.setCurrentIndex(place)
        if self._session is None or self.isHidden():
            return
        if place == CHAT_TAB:
            self._chat_panel().show_session(self._session)
        else:
            self._model_panel().show_model(self._session.chat.model_id)

    def _chat_panel(self) -> ChatPanel:
        if self.chat is None:
            # two dozen fields that the first paint need not wait for
            from app.ui.chat_panel import ChatPanel

            inside = self._areas[CHAT_TAB].viewport()  # from the start: what moves into it is dressed anew
            self.chat = ChatPanel(self._models, self._preferences, self._prompts, self._theme, inside)
            self.chat.told.connect(self.told)
            self.chat.picker.library_asked.connect(self.library_asked)
            self.chat.too_long.connect(self.too_long)
            self._areas[CHAT_TAB].setWidget(self.chat)
        return self.chat

    def _model_panel(self) -> ModelPanel:
        if self.model is None:
            from app.ui.model_panel import ModelPanel

            self.model = ModelPanel(
                self._models,
                self._preferences,
                self._prompts,
                self._theme,
                self._hardware,
                self._areas[MODEL_TAB].viewport(),
            )
            self.model.told.connect(self.told)
            self.model.prompt.picker.library_asked.connect(self.library_asked)
            self.model.too_long.connect(self.too_long)
            self._areas[MODEL_TAB].setWidget(self.model)
        return self.model

"""The middle of the window: the chat, or one of the pages beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.core.errors import AppError
from app.services.notice import Notice
from app.ui.chat_page import ChatPage
from app.ui.first_offer import FirstOffer
from app.ui.model_actions import ModelActions
from app.ui.repo_asking import RepoAsking
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.prompts import PromptOrigin
    from app.services.library import Library
    from app.ui.hardware_page import HardwarePage
    from app.ui.hub_settings import HubSettings
    from app.ui.lab_page import LabPage, Part
    from app.ui.lab_view import LabView
    from app.ui.model_services import ModelServices
    from app.ui.models_page import ModelsPage
    from app.ui.notices import Notices
    from app.ui.settings_page import SettingsPage

    SidePage = ModelsPage | HardwarePage | LabPage


class Pages(QStackedWidget):
    """Turns from page to page; all but the chat are made when they are first wanted.

    Signals: `turned()`: another page is shown; `chat_entered()`: it is the chat, which wants the keyboard;
    `chat_asked(str)`: chat with the model of this id; `chat_kept(int)`: the chat of this id was made on another page;
    `prompt_chosen(object)`: begin a chat by this `PromptVersion`; `open_asked()`: open a model's file;
    `sidebar_asked()`.
    """

    turned = Signal()
    chat_entered = Signal()
    chat_asked = Signal(str)
    chat_kept = Signal(int)
    prompt_chosen = Signal(object)
    open_asked = Signal()
    sidebar_asked = Signal()

    def __init__(self, hub: ModelServices, library: Library, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub, self._library, self._theme = hub, library, theme
        # each page is born here: what moves into a window is dressed anew, with all that is in it
        self.chat = chat = ChatPage(hub.models, theme, self)
        self._sidebar_shown = True
        self._told_once: set[str] = set()
        self._before_settings: QWidget = chat
        self.settings: SettingsPage | None = None
        self.hub_settings: HubSettings | None = None
        self.models: ModelsPage | None = None
        self.hardware: HardwarePage | None = None
        self.lab: LabPage | None = None
        self._asking = RepoAsking(hub.discover, self)
        self.model_actions = ModelActions(hub, self._asking, self)
        self._offer = FirstOffer(hub, self._asking, self.model_actions, chat.welcome.offer)
        self.addWidget(chat)
        self._connect()

    def _connect(self) -> None:
        self.model_actions.chat_asked.connect(self.chat_asked)
        self.model_actions.told.connect(self.tell)
        self._offer.page_asked.connect(self._show_known)
        self.chat.welcome.offer.others_asked.connect(self.show_models)
        self._hub.downloads.notice.connect(self.tell)
        self._hub.downloads.finished.connect(self._downloaded)
        self._hub.local.notice.connect(self.tell)
        self._hub.experiments.notice.connect(self.tell)
        self._hub.local.failed.connect(self._failed)
        self.currentChanged.connect(self.turned)

    # --- which page -------------------------------------------------------------------------------------------------

    @property
    def shows_chat(self) -> bool:
        """Whether the chat is in the middle."""
        return self.currentWidget() is self.chat

    def in_chat(self, command: Callable[[], object]) -> Callable[[], object]:
        """The command, which does nothing while another page is in the middle."""
        return lambda: command() if self.shows_chat else None

    def shows(self, page: QWidget | None) -> bool:
        """Whether this page, which may not have been made yet, is in the middle."""
        return page is not None and self.currentWidget() is page

    @property
    def shows_models(self) -> bool:
        """Whether the models are in the middle."""
        return self.shows(self.models)

    @property
    def shows_hardware(self) -> bool:
        """Whether the hardware is in the middle."""
        return self.shows(self.hardware)

    @property
    def shows_lab(self) -> bool:
        """Whether the prompt lab is in the middle."""
        return self.shows(self.lab)

    @property
    def title(self) -> str:
        """What the window is called while this page is shown; "" leaves it to the chat."""
        if self.shows_models:
            return "Models"
        if self.lab is not None and self.shows_lab:
            return self.lab.title
        return "Hardware" if self.shows_hardware else ""

    def _side(self) -> SidePage | None:
        """The page beside the chat that is shown; None where it is the chat or the settings."""
        return next(
            (page for page in (self.models, self.hardware, self.lab) if page is not None and self.shows(page)), None
        )

    def show_chat(self) -> None:
        """Show the chat; who has the keyboard is the caller's business."""
        self.setCurrentWidget(self.chat)

    @Slot()
    def enter_chat(self) -> None:
        """Go to the chat to write in it."""
        self.show_chat()
        self.chat_entered.emit()

    @Slot()
    def show_models(self) -> None:
        """Show the models."""
        page = self._models_page()
        self.setCurrentWidget(page)
        page.enter()

    @Slot()
    def toggle_models(self) -> None:
        """Show the models, or go back to the chat."""
        (self.enter_chat if self.shows_models else self.show_models)()

    @Slot()
    def show_hardware(self) -> None:
        """Show the hardware, as it is for the chat's model."""
        page = self._hardware_page()
        page.show_for(self.chat.session.chat.model_id if self.chat.session is not None else "")
        self.setCurrentWidget(page)
        page.enter()

    @Slot()
    def toggle_hardware(self) -> None:
        """Show the hardware, or go back to the chat."""
        (self.enter_chat if self.shows_hardware else self.show_hardware)()

    @Slot()
    def show_lab(self) -> None:
        """Show the prompt lab."""
        page = self._lab_page()
        self.setCurrentWidget(page)
        page.enter()

    @Slot(object)
    def show_prompts(self, origin: PromptOrigin | None) -> None:
        """Show the library of prompts, at the version that a text was taken from."""
        self.show_lab()
        self._lab_page().show_prompts(origin)

    @Slot()
    def toggle_lab(self) -> None:
        """Show the prompt lab, or go back to the chat."""
        (self.enter_chat if self.shows_lab else self.show_lab)()

    def _take(self, page: SidePage) -> None:
        page.left.connect(self.enter_chat)
        page.sidebar_asked.connect(self.sidebar_asked)
        page.show_panels(sidebar=self._sidebar_shown)
        self.addWidget(page)

    def _lab_page(self) -> LabPage:
        if self.lab is None:
            from app.ui.lab_page import LabPage

            self.lab = LabPage(self._lab_parts(), self._theme, self)
            self.lab.chat_opened.connect(self.chat_kept)
            self.lab.open_asked.connect(self.open_asked)
            self.lab.prompt_chosen.connect(self.prompt_chosen)
            self.lab.turned.connect(self.turned)
            self._take(self.lab)
        return self.lab

    def _lab_parts(self) -> tuple[Part, ...]:
        from app.ui.lab_page import Part

        return (
            Part("Compare", "Compare system prompts", self._make_compare),
            Part("Prompts", "System prompts", self._make_prompts),
            Part("Experiments", "Experiments with system prompts", self._make_experiments),
        )

    def _make_compare(self, place: QWidget) -> LabView:
        from app.ui.compare_view import CompareView

        chat = self.chat.session.chat if self.chat.session is not None else None
        model_id = chat.model_id if chat is not None else self._hub.models.default_id
        prompt = chat.system_prompt if chat is not None else self._hub.preferences.model_prompt(model_id)
        return CompareView(self._library, self._hub, self._theme, model_id, prompt, place)

    def _make_prompts(self, place: QWidget) -> LabView:
        from app.ui.prompts_view import PromptsView

        return PromptsView(self._library, self._hub, self._theme, place)

    def _make_experiments(self, place: QWidget) -> LabView:
        from app.ui.experiments_view import ExperimentsView

        return ExperimentsView(self._library, self._hub, self._theme, place)

    def _hardware_page(self) -> HardwarePage:
        if self.hardware is None:
            from app.ui.hardware_page import HardwarePage

            self.hardware = HardwarePage(self._hub, self._theme, self)
            self._take(self.hardware)
        return self.hardware

    def _models_page(self) -> ModelsPage:
        if self.models is None:
            from app.ui.models_page import ModelsPage

            self.models = ModelsPage(self._hub, self._asking, self.model_actions, self._theme, self)
            self.models.chat_asked.connect(self.chat_asked)
            self.models.token_asked.connect(self.show_token)
            self.models.folder_asked.connect(self.show_folder)
            self._take(self.models)
        return self.models

    @Slot(str)
    def _show_known(self, entry_id: str) -> None:
        self.show_models()
        self._models_page().open_known(entry_id)

    @Slot()
    def toggle_settings(self) -> None:
        """Show the settings, or go back to where one was."""
        if self.settings is not None and self.currentWidget() is self.settings:
            self._leave_settings()
        else:
            page = self._settings_page()
            self._before_settings = self.currentWidget() or self.chat
            self.setCurrentWidget(page)
            page.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_keys(self) -> None:
        """Show the list of keys."""
        if self.settings is None or self.currentWidget() is not self.settings:
            self.toggle_settings()
        self._settings_page().show_keys()

    @Slot()
    def show_token(self) -> None:
        """Show where the access token is set."""
        self._show_setting("token")

    @Slot()
    def show_folder(self) -> None:
        """Show where the models folder is set."""
        self._show_setting("choose")

    def _show_setting(self, which: str) -> None:
        if self.settings is None or self.currentWidget() is not self.settings:
            self.toggle_settings()
        self._settings_page().show_widget(getattr(self.hub_settings, which))

    def _settings_page(self) -> SettingsPage:
        if self.settings is None:
            from app.ui.deleted_chats import DeletedChats
            from app.ui.hub_settings import HubSettings
            from app.ui.settings_page import SettingsPage

            self.hub_settings = HubSettings(self._hub, self._theme)
            self.settings = SettingsPage(
                self._hub.preferences, self.hub_settings, DeletedChats(self._library, self._theme), self._theme, self
            )
            self.settings.left.connect(self._leave_settings)
            self.addWidget(self.settings)
        return self.settings

    @Slot()
    def _leave_settings(self) -> None:
        before = self._before_settings
        if before is self.models:
            self.show_models()
        elif before is self.hardware:
            self.show_hardware()
        elif before is self.lab:
            self.show_lab()
        else:
            self.enter_chat()

    def escape(self) -> bool:
        """Leave a page, or put a notice away; False where the chat is shown."""
        if self.shows_chat:
            return False
        if (page := self._side()) is not None:
            page.escape()
        elif self.settings is None or not self.settings.notices.close_newest():
            self._leave_settings()
        return True

    def show_panels(self, *, sidebar: bool) -> None:
        """Whether the chats are shown at the left."""
        self._sidebar_shown = sidebar
        for page in (self.models, self.hardware, self.lab):
            if page is not None:
                page.show_panels(sidebar=sidebar)

    def flush(self) -> None:
        """Hand over what is typed; before the window closes."""
        if self.lab is not None:
            self.lab.flush()
        if self.hardware is not None:
            self.hardware.automatic.form.flush()
        if self.settings is not None and self.hub_settings is not None:
            self.settings.flush()
            self.hub_settings.form.flush()

    # --- telling ----------------------------------------------------------------------------------------------------

    def _notices(self) -> Notices:
        if (page := self._side()) is not None:
            return page.notices
        if self.settings is not None and self.currentWidget() is self.settings:
            return self.settings.notices
        return self.chat.notices

    @Slot(object)
    def tell(self, notice: Notice) -> None:
        """Show a notice on the page that is shown."""
        if notice.once:
            if notice.title in self._told_once:
                return
            self._told_once.add(notice.title)
        self._notices().show_notice(notice)

    @Slot(object)
    def _failed(self, error: AppError) -> None:
        if self.hub_settings is None or not self.hub_settings.isVisible():
            self.tell(Notice.of(error))

    @Slot(int, str)
    def _downloaded(self, download_id: int, path: str) -> None:
        row = self._hub.downloads.row(download_id)
        name = f"{row.wanted.name} {row.wanted.quant}" if row is not None else "The model"
        self.tell(
            Notice(
                f"{name} is ready",
                "Every byte was checked against what the Hub lists.",
                actions=(("Chat", lambda: self.model_actions.chat(path)),),
            )
        )

    def drop_file(self, path: str) -> bool:
        """Add a file that was dropped while the models are shown; False where they are not."""
        if not self.shows_models or self.models is None:
            return False
        self.models.add_file(path, "use")
        return True

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for pages that are made later."""
        self._theme = theme

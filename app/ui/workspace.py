"""What is in the window: chats at the left, one chat in the middle, its system prompt and settings at the right."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.library import DownloadState
from app.services.notice import Notice
from app.ui import theme as looks
from app.ui.dressing import dress
from app.ui.file_drop import FileDrop
from app.ui.fonts import load_fonts
from app.ui.found_message import show_found
from app.ui.inspector import Inspector
from app.ui.pages import Pages
from app.ui.panels import Panels
from app.ui.shortcuts import SHORTCUTS
from app.ui.sidebar import Sidebar
from app.ui.words import state_words

if TYPE_CHECKING:
    from app.core.errors import AppError
    from app.core.prompts import PromptVersion
    from app.services.chat_session import ChatSession
    from app.services.library import Library
    from app.services.model_manager import ModelManager
    from app.services.preferences import Preferences
    from app.ui.model_services import ModelServices

SMALLEST = QSize(720, 480)


class Workspace(QWidget):
    """Shows the library's chats and follows what the person does. Lives in the GUI thread.

    Signals: `titled(str)`: the chat on screen has this title.
    """

    titled = Signal(str)

    def __init__(
        self,
        library: Library,
        models: ModelManager,
        preferences: Preferences,
        hub: ModelServices,
        state: QSettings | None,
        parent: QWidget,
    ) -> None:
        """`state` keeps panels between starts; None keeps nothing."""
        super().__init__(parent)
        self._library, self._models, self._preferences = library, models, preferences
        self._downloads = hub.downloads
        self._told: set[int] = set()
        load_fonts()
        look = preferences.look()
        self.theme = looks.chosen(look.theme, look.text_size)
        # before there are widgets, which would have to be dressed twice
        dress(self, self.theme)
        self.panels = Panels(state, self)
        self.sidebar = Sidebar(library, self.theme, self.panels)
        self.pages = Pages(hub, library, self.theme, self.panels)
        self.page = self.pages.chat
        self.inspector = Inspector(models, preferences, hub.prompts, self.theme, hub.hardware, self.panels)
        self.panels.hold(self.sidebar, self.pages, self.inspector)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panels)
        self._drop = FileDrop(parent)
        self._drop.dropped.connect(self._take_file)
        self._connect()
        self._count_downloads()
        self._take_text_size()
        self.panels.restore()

    def _connect(self) -> None:
        self.sidebar.chat_chosen.connect(self.open_chat)
        self.sidebar.new_asked.connect(self.new_chat)
        self.sidebar.hide_asked.connect(self.toggle_sidebar)
        self.sidebar.models_asked.connect(self.pages.toggle_models)
        self.sidebar.hardware_asked.connect(self.pages.toggle_hardware)
        self.sidebar.lab_asked.connect(self.pages.toggle_lab)
        self.sidebar.settings_asked.connect(self.pages.toggle_settings)
        self.sidebar.export_asked.connect(self.export_chat)
        header = self.page.header
        header.model_chosen.connect(self._choose_model)
        header.open_asked.connect(self.choose_file)
        header.sidebar_asked.connect(self.toggle_sidebar)
        header.hardware_asked.connect(self.pages.show_hardware)
        header.inspector_asked.connect(self.toggle_inspector)
        header.pin_asked.connect(self._pin_open)
        header.delete_asked.connect(self._delete_open)
        header.export_asked.connect(self._export_open)
        self.page.welcome.offer.open_asked.connect(self.choose_file)
        self.pages.turned.connect(self._page_turned)
        self.pages.chat_entered.connect(self.page.composer.field.setFocus)
        self.pages.chat_asked.connect(self.chat_with)
        self.pages.chat_kept.connect(self.open_chat)
        self.pages.prompt_chosen.connect(self.chat_by)
        self.pages.open_asked.connect(self.choose_file)
        self.pages.sidebar_asked.connect(self.toggle_sidebar)
        self.page.composer.stop_asked.connect(self.escape)
        self.page.sent.connect(self.inspector.flush)
        self.inspector.told.connect(self.tell)
        self.inspector.wanted.connect(self._show_inspector)
        self.inspector.library_asked.connect(self.pages.show_prompts)
        self.inspector.too_long.connect(self.page.tell_too_long)
        self.panels.arranged.connect(self._panels_arranged)
        self._downloads.changed.connect(self._count_downloads)
        self._library.notice.connect(self.tell)
        self._library.chats_changed.connect(self._chats_changed)
        self._library.exported.connect(self._exported)
        self._models.file_opened.connect(self._choose_model)
        self._models.file_refused.connect(self._file_refused)
        self._models.notice.connect(self.tell)
        self._models.state_changed.connect(self._model_state_changed)
        self._preferences.look_changed.connect(self.follow_look)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.follow_look)
        for shortcut in SHORTCUTS:
            if shortcut.command:
                # named once in the table, so that help and keys cannot differ
                slot: Callable[[], object] = attrgetter(shortcut.command)(self)
                QShortcut(QKeySequence(shortcut.keys), self, self.pages.in_chat(slot) if shortcut.in_chat else slot)

    # --- starting ---------------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Bring in the chats, open the last one and load its model."""
        last_id = self._library.last_chat_id()
        last = self._library.session(last_id) if last_id is not None else None
        self.show_session(last or self._library.new_chat())
        self.sidebar.refresh()
        self._models.prepare(self._session().chat.model_id)
        self.page.composer.field.setFocus()

    # --- chats ------------------------------------------------------------------------------------------------------

    def _session(self) -> ChatSession:
        assert self.page.session is not None
        return self.page.session

    def show_session(self, session: ChatSession) -> None:
        """Show a chat in the middle and its settings at the right."""
        self.inspector.flush()
        if id(session) not in self._told:
            self._told.add(id(session))
            session.notice.connect(self.tell)
            session.chat_changed.connect(self._chat_changed)
            session.new_chat_wanted.connect(self._new_chat_like)
        self.page.show_session(session, first=not self._library.chats())
        self.inspector.show_session(session)
        self.sidebar.show_open(session.chat.id)
        self._library.opened(session)
        self.pages.show_chat()
        self._show_title()

    @Slot(int, int)
    def open_chat(self, chat_id: int, message_id: int = 0) -> None:
        """Show a saved chat, and in it the message that was found."""
        session = self._library.session(chat_id)
        if session is None:
            return
        self.show_session(session)
        show_found(self.page, message_id)
        self.page.composer.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def new_chat(self) -> None:
        """Show an empty chat."""
        model_id = self.page.session.chat.model_id if self.page.session is not None else ""
        self.show_session(self._library.new_chat(model_id))
        self.page.composer.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def chat_by(self, version: PromptVersion) -> None:
        """Show an empty chat by this version of a prompt."""
        self.new_chat()
        self._session().use_prompt(version.text, version.hash)

    @Slot(object, str)
    def _new_chat_like(self, session: ChatSession, text: str) -> None:
        self.show_session(self._library.new_chat_like(session, text))
        self.page.composer.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def previous_chat(self) -> None:
        """Show the chat above the open one."""
        self._open_neighbour(-1)

    @Slot()
    def next_chat(self) -> None:
        """Show the chat below the open one."""
        self._open_neighbour(1)

    def _open_neighbour(self, step: int) -> None:
        if chat_id := self.sidebar.neighbour(step):
            self.open_chat(chat_id)

    @Slot()
    def rename_chat(self) -> None:
        """Put the cursor into the title; in the list of chats, into the title of the chat that has the ring."""
        if self.sidebar.list.hasFocus():
            self.sidebar.list.rename_current()
        elif self.pages.shows_chat:
            self.page.header.title.begin()

    @Slot()
    def _chat_changed(self) -> None:
        session = self.sender()
        if session is self.page.session:
            self.sidebar.show_open(self._session().chat.id)
            self._show_title()
        self.sidebar.refresh()

    def _show_title(self) -> None:
        self.titled.emit(self._session().chat.title)

    @Slot()
    def _chats_changed(self) -> None:
        """The open chat may be gone."""
        if self.page.session is None:
            return
        open_id = self._session().chat.id
        if open_id and all(chat.id != open_id for chat in self._library.chats()):
            chats = self._library.chats()
            first = self._library.session(chats[0].id) if chats else None
            self.show_session(first or self._library.new_chat())

    @Slot()
    def _pin_open(self) -> None:
        chat = self._session().chat
        self._library.set_pinned(chat.id, not chat.pinned)

    @Slot()
    def _delete_open(self) -> None:
        self._library.delete(self._session().chat.id)

    @Slot()
    def _export_open(self) -> None:
        self.export_chat(self._session().chat.id)

    @Slot(int)
    def export_chat(self, chat_id: int) -> None:
        """Ask where to, and write the chat there."""
        from app.ui.file_dialogs import ask_export

        title = next((chat.title for chat in self._library.chats() if chat.id == chat_id), "Chat")
        ask_export(self, title, lambda path: self._library.export_chat(chat_id, path))

    @Slot(str)
    def _exported(self, path: str) -> None:
        self.tell(Notice("The chat was exported", path))

    # --- models -----------------------------------------------------------------------------------------------------

    @Slot()
    def choose_file(self) -> None:
        """Ask for a model file."""
        from app.ui.file_dialogs import ask_model

        ask_model(self, self._models.open_file)

    @Slot(str)
    def _choose_model(self, model_id: str) -> None:
        if self.page.session is None:
            self.fill()
        self._session().set_model(model_id)
        self._library.opened(self._session())

    @Slot(str)
    def chat_with(self, model_id: str) -> None:
        """Show an empty chat with this model, which begins to load."""
        self.show_session(self._library.new_chat(model_id))
        self._models.prepare(model_id)
        self.page.composer.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(str)
    def _take_file(self, path: str) -> None:
        if not self.pages.drop_file(path):
            self._models.open_file(path)

    @Slot()
    def _count_downloads(self) -> None:
        self.sidebar.show_downloads(sum(row.state is not DownloadState.DONE for row in self._downloads.rows()))

    @Slot(object)
    def _file_refused(self, error: AppError) -> None:
        self.tell(Notice.of(error, (("Choose another file", self.choose_file),)))

    @Slot(str)
    def _model_state_changed(self, model_id: str) -> None:
        entry, state = self._models.entry(model_id), self._models.state(model_id)
        self.sidebar.show_status("" if state.kind == "unloaded" else f"{entry.name}: {state_words(state).lower()}")

    # --- panels and pages -------------------------------------------------------------------------------------------

    @Slot()
    def toggle_sidebar(self) -> None:
        """Show or hide the chats."""
        self.panels.toggle_left()

    @Slot()
    def toggle_inspector(self) -> None:
        """Show or hide system prompt and settings."""
        if self.pages.shows_chat:
            self.panels.toggle_right()
        else:
            self.pages.show_chat()
            self.panels.show_right()

    @Slot()
    def _show_inspector(self) -> None:
        self.pages.show_chat()
        self.panels.show_right()

    @Slot()
    def _panels_arranged(self) -> None:
        sidebar = not self.sidebar.isHidden()
        self.page.header.show_panels(sidebar=sidebar, inspector=not self.inspector.isHidden())
        self.pages.show_panels(sidebar=sidebar)
        if self.page.session is not None and not self.inspector.isHidden():
            self.inspector.show_session(self._session())

    @Slot()
    def _page_turned(self) -> None:
        """System prompt and settings belong to the chat: other pages have their room."""
        self.sidebar.show_page_open(
            models=self.pages.shows_models, lab=self.pages.shows_lab, hardware=self.pages.shows_hardware
        )
        self.panels.set_right_allowed(self.pages.shows_chat)
        if self.page.session is not None:
            self.titled.emit(self.pages.title or self._session().chat.title)

    @Slot()
    def search_chats(self) -> None:
        """Put the cursor into the search, showing it if it is hidden."""
        self.panels.show_left()
        self.sidebar.focus_search()

    @Slot()
    def write_message(self) -> None:
        """Put the cursor into the message."""
        self.pages.enter_chat()

    @Slot()
    def close_window(self) -> None:
        """Close the window, and with it the program."""
        self.window().close()

    @Slot()
    def escape(self) -> None:
        """Stop the reply, else leave a page, else put a notice away."""
        if not self.pages.escape() and not self.page.stop():
            self.page.notices.close_newest()

    @Slot(object)
    def tell(self, notice: Notice) -> None:
        """Show a notice on the page that is shown."""
        self.pages.tell(notice)

    # --- looks ------------------------------------------------------------------------------------------------------

    @Slot()
    def follow_look(self) -> None:
        """Take the theme and text size that are in force now."""
        look = self._preferences.look()
        chosen = looks.chosen(look.theme, look.text_size)
        if chosen == self.theme:
            return
        self.theme = chosen
        dress(self, chosen)
        self._take_text_size()

    def _take_text_size(self) -> None:
        """Larger text needs a larger window, as far as there is a screen for it."""
        scale = max(1.0, self.theme.font_pt / looks.LIGHT.font_pt)
        self.setMinimumSize((SMALLEST * scale).boundedTo(self.screen().availableGeometry().size()))
        self.panels.set_text_size(self.theme.font_pt)

    def leave(self) -> None:
        """Hand over what is typed, and remember the panels; before the window closes."""
        self.inspector.flush()
        self.page.flush()
        self.pages.flush()
        self.panels.remember()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape, where no field has a use for it."""
        if event.key() == Qt.Key.Key_Escape:
            self.escape()
        else:
            super().keyPressEvent(event)

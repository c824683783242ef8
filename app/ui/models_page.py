"""The model pages in one frame: header, notices, the lists or one model, and the downloads at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.library import Download, LocalModel, Repo
from app.services.notice import Notice
from app.ui.confirming import confirm
from app.ui.downloads_strip import DownloadsStrip
from app.ui.icons import icon
from app.ui.model_actions import ModelActions
from app.ui.model_page import ModelPage
from app.ui.models_header import How, ModelsHeader
from app.ui.models_home import ModelsHome
from app.ui.notices import Notices
from app.ui.repo_asking import RepoAsking
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices


class ModelsPage(QWidget):
    """Find, download, check and keep models.

    Signals: `chat_asked(str)` with a model's id; `token_asked()` and `folder_asked()`: show where these are set;
    `sidebar_asked()`; `left()`: back to the chat.
    """

    chat_asked = Signal(str)
    token_asked = Signal()
    folder_asked = Signal()
    sidebar_asked = Signal()
    left = Signal()

    def __init__(
        self,
        services: ModelServices,
        asking: RepoAsking,
        actions: ModelActions,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._services, self._asking, self._actions, self._theme = services, asking, actions, theme
        self._asked = self._revision = ""
        # Tab goes through the parts in the order in which they are made
        self.strip = DownloadsStrip(services.downloads, theme, self)
        self.header = ModelsHeader(services, theme, self)
        self.notices = Notices(theme, self)
        self._body = QStackedWidget(self)
        self.home = ModelsHome(services, asking, theme, self._body)
        self.detail = ModelPage(services, actions, theme, self._body)
        self._body.addWidget(self.home)
        self._body.addWidget(self.detail)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.notices)
        column.addWidget(self._body, 1)
        column.addWidget(self.strip)
        self._connect()

    def _connect(self) -> None:
        self.header.back_asked.connect(self.go_back)
        self.header.sidebar_asked.connect(self.sidebar_asked)
        self.header.folder_asked.connect(self._actions.open_folder)
        self.header.hub_page_asked.connect(self._open_hub_page)
        self.header.add_asked.connect(self._choose_file)
        home = self.home
        home.local_opened.connect(self.open_local)
        home.local_pressed.connect(self._actions.chat)
        home.local_removed.connect(self._actions.remove)
        home.local_menu_asked.connect(self._open_menu)
        home.known_opened.connect(self.open_known)
        home.known_pressed.connect(self._press_known)
        home.repo_opened.connect(self.open_repo)
        home.token_asked.connect(self.token_asked)
        home.page_asked.connect(self._actions.open_hub_page)
        detail = self.detail
        detail.revision_asked.connect(self._open_revision)
        detail.retry_asked.connect(self._retry_page)
        detail.repo_asked.connect(self.open_repo)
        detail.token_asked.connect(self.token_asked)
        detail.told.connect(self.notices.show_notice)
        self._asking.opened.connect(self._opened)
        self._asking.open_failed.connect(self._open_failed)
        self._actions.failed.connect(home.show_trouble)
        self._actions.remove_asked.connect(self._ask_removal)
        self.strip.pressed.connect(self._actions.press)
        self.strip.remedy_asked.connect(self._remedy)
        self.strip.cancel_asked.connect(self._ask_cancelling)

    # --- which page -------------------------------------------------------------------------------------------------

    @property
    def shows_a_model(self) -> bool:
        """Whether one model is shown, not the lists."""
        return self._body.currentWidget() is self.detail

    def enter(self) -> None:
        """Somebody comes to the page: look at the folder, the disk and the memory again, and take the keyboard."""
        self._services.fitting.refresh()
        self._services.local.refresh(asked=False)
        self.header.refresh()
        (self.header.back if self.shows_a_model else self.home.search.field).setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def go_back(self) -> None:
        """From a model to the lists, from there to the chat."""
        if not self.shows_a_model:
            self.left.emit()
            return
        self._asking.leave()
        self._asked = ""
        self._body.setCurrentWidget(self.home)
        self.header.show_model("", "")
        self.home.search.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_panels(self, *, sidebar: bool) -> None:
        """The button for the chats is there while they are hidden."""
        self.header.show_panels(sidebar=sidebar)

    def escape(self) -> None:
        """Put a notice away, else end the search, else go back one page."""
        if self.notices.close_newest():
            return
        if not self.shows_a_model and self.home.search.is_on:
            self.home.search.clear()
            self.home.search.field.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.go_back()

    @Slot(str)
    def open_known(self, entry_id: str) -> None:
        """Show a model of the catalogue; what the Hub knows of it follows."""
        known = self._services.known(entry_id)
        if known is None:
            return
        self.detail.show_known(known)
        self._show_detail(known.name, known.repo)
        if known.repo:
            self._ask(known.repo)

    @Slot(str)
    def open_local(self, path: str) -> None:
        """Show a model of this computer; what the Hub knows of it follows, if it came from there."""
        model = self._actions.model(path)
        entry = next((entry for entry in self._services.models.entries() if entry.path == path), None)
        if model is None and entry is not None and self._services.known(entry.id) is not None:
            self.open_known(entry.id)
        elif model is not None:
            known = self._services.known_repo(model.repo_id) if model.repo_id else None
            self.detail.show_local(model, known)
            self._show_detail(known.name if known is not None else model.name, model.repo_id)
            if model.repo_id:
                self._ask(model.repo_id)

    @Slot(str)
    def open_repo(self, text: str) -> None:
        """Show a repository of the Hub: its id, or whatever may be pasted."""
        known = self._services.known_repo(text)
        if known is not None:
            self.open_known(known.id)
            return
        self.detail.show_asking(text)
        self._show_detail(text, "")
        self._ask(text)

    def _show_detail(self, name: str, repo_id: str) -> None:
        self._body.setCurrentWidget(self.detail)
        self.header.show_model(name, repo_id)
        self.header.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask(self, text: str, revision: str = "") -> None:
        self._asked, self._revision = text, revision
        self.detail.show_waiting()
        self._asking.open(text, revision)

    @Slot(str, str)
    def _open_revision(self, repo_id: str, revision: str) -> None:
        self._ask(repo_id, revision)

    @Slot()
    def _retry_page(self) -> None:
        if self._asked:
            self._ask(self._asked, self._revision)

    @Slot(str, object)
    def _opened(self, text: str, repo: Repo) -> None:
        if text != self._asked or not self.shows_a_model:
            return
        known = self._services.known_repo(repo.repo_id)
        self.detail.show_repo(repo, known)
        self.header.show_model(known.name if known is not None else repo.repo_id, repo.repo_id)

    @Slot(str, object)
    def _open_failed(self, text: str, error: AppError) -> None:
        if text == self._asked and self.shows_a_model:
            self.detail.show_trouble(error)

    @Slot()
    def _open_hub_page(self) -> None:
        self._actions.open_hub_page(self.header.repo_id)

    @Slot(str)
    def _press_known(self, entry_id: str) -> None:
        known = self._services.known(entry_id)
        if known is None:
            return
        row = self.home.catalogue.rows.rows()
        words = next((found.button for found in row if found.key == entry_id), "")
        if words == "Look at it":
            self.open_known(entry_id)
        else:
            self._actions.press_known(known)

    # --- models on this computer ------------------------------------------------------------------------------------

    def menu_for(self, path: str) -> QMenu:
        """What can be done with a model on this computer."""
        model = self._actions.model(path)
        menu = QMenu(self)
        colour = self._theme.muted
        menu.addAction(icon("edit", colour, 16), "Chat", lambda: self._actions.chat(path))
        menu.addAction(icon("info", colour, 16), "Details", lambda: self.open_local(path))
        verify = menu.addAction(icon("shield", colour, 16), "Verify again", lambda: self._actions.verify(path))
        verify.setEnabled(model is not None and model.present and bool(model.sha256))
        menu.addAction(icon("folder", colour, 16), "Open folder", lambda: self._actions.open_folder(path))
        menu.addSeparator()
        words = "Remove…" if model is not None and model.managed else "Take off the list"
        remove = menu.addAction(icon("trash", colour, 16), words, lambda: self._actions.remove(path))
        remove.setEnabled(model is not None)
        return menu

    @Slot(str, QPoint)
    def _open_menu(self, path: str, place: QPoint) -> None:
        menu = self.menu_for(path)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    @Slot(object)
    def _ask_removal(self, model: LocalModel) -> None:
        title, words = self._actions.removal_words(model)
        confirm(self, title, words, "Remove", lambda: self._actions.remove_for_good(model))

    @Slot(object)
    def _ask_cancelling(self, row: Download) -> None:
        confirm(
            self,
            f"Cancel {row.wanted.name} {row.wanted.quant}?",
            "What was downloaded so far is thrown away. Pause it to go on later from where it is.",
            "Cancel the download",
            lambda: self._services.downloads.cancel(row.id),
        )

    # --- adding and mending -----------------------------------------------------------------------------------------

    @Slot(str)
    def _choose_file(self, how: How) -> None:
        from app.ui.file_dialogs import ask_model

        ask_model(self, lambda path: self.add_file(path, how))

    def add_file(self, path: str, how: How) -> None:
        """Add a GGUF file by "use", "link", "copy" or "move"."""
        self._services.local.add_file(path, how, then=self._added)

    def _added(self, path: str) -> None:
        model = self._actions.model(path)
        if model is not None:
            notice = Notice(f"{model.name} was added", path, actions=(("Chat", lambda: self._actions.chat(path)),))
            self.notices.show_notice(notice)

    @Slot(object, str)
    def _remedy(self, row: Download, remedy: str) -> None:
        """Do what may mend a failed download."""
        if remedy == "licence":
            self._actions.open_hub_page(row.wanted.repo_id)
        elif remedy == "relist":
            self.open_repo(row.wanted.repo_id)
        elif remedy == "folder":
            self.folder_asked.emit()
        else:
            self.token_asked.emit()

    @Slot(object)
    def tell(self, notice: Notice) -> None:
        """Show a notice."""
        self.notices.show_notice(notice)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for menus to come."""
        self._theme = theme

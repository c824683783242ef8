"""The left side: the program's name, a new chat, the search, the chats, and the way to the settings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.ui.buttons import IconButton, WordButton
from app.ui.chat_list import ChatList
from app.ui.icons import icon
from app.ui.model_facts import ElidedLabel
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.library import Library

_SEARCH_PAUSE_MS = 120


class Sidebar(QFrame):
    """Lists the library's chats and finds among them.

    Signals: `chat_chosen(int, int)` (a chat, and the message in it that was found, else 0), `new_asked()`,
    `models_asked()`, `lab_asked()`, `hardware_asked()`, `settings_asked()`, `hide_asked()`, `export_asked(int)`.
    """

    chat_chosen = Signal(int, int)
    new_asked = Signal()
    models_asked = Signal()
    hardware_asked = Signal()
    lab_asked = Signal()
    settings_asked = Signal()
    hide_asked = Signal()
    export_asked = Signal(int)

    def __init__(self, library: Library, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self._library = library
        self._theme = theme
        self._open_id = 0
        self._elsewhere = False
        """Whether a page that has a button of its own here is shown."""
        self._late = False
        self._shown_query = ""
        self._open_first = False
        self._glass = QAction(self)
        self.search = self._make_search()
        self.list = self._make_list()
        self._empty = QLabel("Your chats will appear here. They are kept on this computer.")
        self._empty.setProperty("kind", "faint")
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(18, 8, 18, 0)
        self._status = ElidedLabel("")
        self._status.setProperty("kind", "faint")
        self._logo = QLabel()
        self._hide = IconButton("sidebar", "Hide the chats", theme, keys="Ctrl+B")
        self._hide.clicked.connect(self.hide_asked)
        self._new = WordButton("  New chat", theme, kind="wide", icon_name="plus")
        self._new.setToolTip("New chat (Ctrl+N)")
        self._new.setAccessibleName("New chat")
        self._new.clicked.connect(self.new_asked)
        self.models = WordButton("  Models", theme, kind="nav", icon_name="model")
        self.models.setCheckable(True)
        self.models.setToolTip("Find, download and keep models (Ctrl+M)")
        self.models.clicked.connect(self._ask_models)
        self.lab = WordButton("  Prompt lab", theme, kind="nav", icon_name="columns")
        self.lab.setCheckable(True)
        self.lab.setToolTip("System prompts: side by side, kept as versions, and tested (Ctrl+E)")
        self.lab.clicked.connect(self._ask_lab)
        self.hardware = WordButton("  Hardware", theme, kind="nav", icon_name="chip")
        self.hardware.setCheckable(True)
        self.hardware.setToolTip("What this computer has, and what a model takes of it (Ctrl+H)")
        self.hardware.clicked.connect(self._ask_hardware)
        self._settings = IconButton("settings", "Settings and keys", theme, keys="Ctrl+,")
        self._settings.clicked.connect(self.settings_asked)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_SEARCH_PAUSE_MS)
        self._pause.timeout.connect(self._look_up)
        self._lay_out()
        self.set_theme(theme)
        library.chats_changed.connect(self.refresh)
        library.found.connect(self._show_found)

    def _make_search(self) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText("Search chats")
        field.setAccessibleName("Search chats")
        field.setClearButtonEnabled(True)
        # a dropped file belongs to the window
        field.setAcceptDrops(False)
        field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        field.textChanged.connect(self._query_changed)
        field.installEventFilter(self)
        return field

    def _make_list(self) -> ChatList:
        chats = ChatList(self._theme)
        chats.chosen.connect(self.chat_chosen)
        chats.pin_asked.connect(self._library.set_pinned)
        chats.delete_asked.connect(self._library.delete)
        chats.export_asked.connect(self.export_asked)
        chats.rows.renamed.connect(self._library.rename)
        chats.itemDelegate().closeEditor.connect(self._editor_closed)
        return chats

    def _lay_out(self) -> None:
        name = QLabel("Orcinus")
        name.setProperty("kind", "brand")
        top = QHBoxLayout()
        top.setContentsMargins(16, 0, 10, 0)
        top.setSpacing(9)
        top.addWidget(self._logo)
        top.addWidget(name)
        top.addStretch()
        top.addWidget(self._hide)
        box = QVBoxLayout()
        box.setContentsMargins(12, 0, 12, 0)
        box.setSpacing(8)
        box.addWidget(self._new)
        box.addWidget(self.search)
        box.addWidget(self.models)
        box.addWidget(self.lab)
        box.addWidget(self.hardware)
        foot = QHBoxLayout()
        foot.setContentsMargins(18, 2, 10, 0)
        foot.addWidget(self._status, 1)
        foot.addWidget(self._settings)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 10)
        column.setSpacing(8)
        column.addLayout(top)
        column.addLayout(box)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        column.addLayout(foot)

    @Slot()
    def refresh(self) -> None:
        """Show the library's chats as they are now; a title that is being typed is left alone until it is done."""
        if self.list.is_renaming():
            self._late = True
            return
        if self.search.text().strip():
            self._look_up()
            return
        chats = self._library.chats()
        self.list.rows.show_chats(chats, datetime.now(tz=UTC).astimezone())
        self._show_emptiness("Your chats will appear here. They are kept on this computer." if not chats else "")
        self._mark_open()

    def show_open(self, chat_id: int) -> None:
        """Mark the chat that is open; 0 for one that is not saved yet."""
        self._open_id = chat_id
        self._mark_open()

    def _mark_open(self) -> None:
        """One place is marked: the page that is shown, else the chat."""
        self.list.show_open(self._open_id, marked=not self._elsewhere)

    def show_status(self, text: str) -> None:
        """A few words at the foot: which model is loaded."""
        self._status.setText(text)
        self._status.setToolTip(text)

    def show_page_open(self, *, models: bool, lab: bool, hardware: bool) -> None:
        """Mark the way to the page that is shown."""
        self.models.setChecked(models)
        self.lab.setChecked(lab)
        self.hardware.setChecked(hardware)
        self._elsewhere = models or lab or hardware
        self._mark_open()

    def show_downloads(self, count: int) -> None:
        """How many downloads are not done yet."""
        words = f"  Models · {count} {'download' if count == 1 else 'downloads'}" if count else "  Models"
        self.models.setText(words)
        self.models.setAccessibleName(words.strip())

    # of these the page that is shown decides what is checked, not the click

    @Slot()
    def _ask_models(self) -> None:
        self.models.setChecked(not self.models.isChecked())
        self.models_asked.emit()

    @Slot()
    def _ask_lab(self) -> None:
        self.lab.setChecked(not self.lab.isChecked())
        self.lab_asked.emit()

    @Slot()
    def _ask_hardware(self) -> None:
        self.hardware.setChecked(not self.hardware.isChecked())
        self.hardware_asked.emit()

    def focus_search(self) -> None:
        """Put the cursor into the search."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def neighbour(self, step: int) -> int:
        """The chat `step` places below (above, if negative) the open one; 0 where there is none."""
        ids = self.list.rows.chat_ids()
        if not ids:
            return 0
        place = ids.index(self._open_id) + step if self._open_id in ids else 0
        return ids[place] if 0 <= place < len(ids) else 0

    def set_theme(self, theme: Theme) -> None:
        """Draw icons in this theme's colours."""
        self._theme = theme
        self._logo.setPixmap(icon("orcinus", "#ffffff", 26).pixmap(QSize(26, 26)))
        self._glass.setIcon(icon("search", theme.faint, 16))

    @Slot(str)
    def _query_changed(self, query: str) -> None:
        self._open_first = False
        if query.strip():
            self._pause.start()
        else:
            self._pause.stop()
            self._shown_query = ""
            self.refresh()

    @Slot()
    def _look_up(self) -> None:
        self._library.search(self.search.text().strip())

    def _open_first_found(self) -> None:
        """Open the first chat found; where the search is not done yet, as soon as it is."""
        if self._shown_query != self.search.text().strip():
            self._open_first = True
            self._pause.stop()
            self._look_up()
            return
        self._open_first = False
        rows = self.list.rows
        if ids := rows.chat_ids():
            first = rows.row(rows.index_of(ids[0]))
            self.chat_chosen.emit(ids[0], first.message_id if first is not None else 0)

    @Slot(str, tuple)
    def _show_found(self, query: str, hits: tuple) -> None:
        if query != self.search.text().strip() or not query:
            return
        self._shown_query = query
        self.list.rows.show_hits(hits)
        self._show_emptiness("" if hits else f"No chat contains “{query}”.")
        self._mark_open()
        if self._open_first:
            self._open_first_found()

    def _show_emptiness(self, words: str) -> None:
        self._empty.setText(words)
        self._empty.setVisible(bool(words))

    @Slot()
    def _editor_closed(self) -> None:
        if self._late:
            self._late = False
            # the view leaves its editing state only after this signal
            QTimer.singleShot(0, self, self.refresh)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """In the search, Down goes to the list, Enter opens the first chat found, Escape shows all again."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            ids = self.list.rows.chat_ids()
            if event.key() == Qt.Key.Key_Down and ids:
                self.list.setCurrentIndex(self.list.rows.index_of(ids[0]))
                self.list.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.text().strip():
                self._open_first_found()
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

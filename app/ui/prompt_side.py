"""The left side of the library of prompts: search, tags, the list, and what is done with all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from app.core.prompts import found_in, same
from app.services.prompt_desk import NEW, bundled_key, own_key
from app.ui.buttons import WordButton
from app.ui.icons import icon
from app.ui.prompt_list import PromptList, PromptRow
from app.ui.tag_bar import TagBar
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.prompt_library import PromptLibrary


class PromptSide(QFrame):
    """Shows the library.

    Signals: `chosen(str)`, `menu_asked(str, QPoint)` and `removed(str)` with a prompt's key; `new_asked()`;
    `file_asked()`, `folder_asked()`: import; `export_asked()`: all; `trash_asked()`.
    """

    chosen = Signal(str)
    menu_asked = Signal(str, QPoint)
    removed = Signal(str)
    new_asked = Signal()
    file_asked = Signal()
    folder_asked = Signal()
    export_asked = Signal()
    trash_asked = Signal()

    def __init__(self, library: PromptLibrary, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self.new = WordButton("New prompt", theme, kind="wide", icon_name="plus")
        self.new.clicked.connect(self.new_asked)
        self.more = QToolButton()
        self.more.setFixedSize(34, 34)
        self.more.setIconSize(QSize(18, 18))
        self.more.setAccessibleName("Import, export, deleted prompts")
        self.more.setToolTip("Import, export, deleted prompts")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._make_menu())
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search prompts and notes")
        self.search.setAccessibleName("Search prompts and notes")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.refresh)
        self.search.returnPressed.connect(self._open_first)
        self.search.installEventFilter(self)
        self.tags = TagBar()
        self.tags.chosen.connect(self.refresh)
        self.list = PromptList(theme)
        self.list.chosen.connect(self.chosen)
        self.list.menu_asked.connect(self.menu_asked)
        self.list.removed.connect(self.removed)
        self.nothing = QLabel("Nothing was found.")
        self.nothing.setProperty("kind", "faint")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.hide()
        self._open_key = ""
        self._edited: Callable[[str], bool] = lambda key: False
        self._defaults: Mapping[str, tuple[str, ...]] = {}
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.new, 1)
        head.addWidget(self.more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.search)
        column.addWidget(self.tags)
        column.addWidget(self.nothing)
        column.addWidget(self.list, 1)
        self.set_theme(theme)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Import from a file…", self.file_asked.emit)
        menu.addAction("Import from a folder…", self.folder_asked.emit)
        menu.addAction("Export all…", self.export_asked.emit)
        menu.addSeparator()
        menu.addAction("Deleted prompts", self.trash_asked.emit)
        return menu

    def show_open(self, key: str, edited: Callable[[str], bool]) -> None:
        """Mark the prompt that is open; `edited` tells of a key whether something written there is not saved."""
        self._open_key, self._edited = key, edited
        self.refresh()

    def show_defaults(self, defaults: Mapping[str, tuple[str, ...]]) -> None:
        """By key, the names of the models whose chats begin with a prompt."""
        self._defaults = defaults
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """List what there is now, and is looked for."""
        own, bundled = self._library.prompts(), self._library.bundled()
        counts = Counter(tag for tags in (one.tags for part in (own, bundled) for one in part) for tag in tags)
        self.tags.show_tags([tag for tag, _ in sorted(counts.items(), key=lambda item: (-item[1], same(item[0])))])
        rows: list[PromptRow] = []
        if self._open_key == NEW or self._edited(NEW):
            rows.append(PromptRow(NEW, "New prompt", "Not saved yet", edited=True))
        found = [
            self._row(own_key(one.id), one.name, one.note or one.text, one.versions)
            for one in own
            if self._wanted(one.name, one.tags, one.note, one.text)
        ]
        typed = self.search.text().split()
        found.sort(key=lambda row: not any(found_in(part, row.title) for part in typed))
        rows += [PromptRow("", "Your prompts"), *found] if found else []
        found = [
            self._row(bundled_key(one.key), one.name, one.note, 0)
            for one in bundled
            if self._wanted(one.name, one.tags, one.note, one.version.text)
        ]
        rows += [PromptRow("", "Come with Orcinus"), *found] if found else []
        self.nothing.setVisible(not rows)
        self.list.show_rows(rows, self._open_key)

    @Slot()
    def _open_first(self) -> None:
        """Enter opens what was found first."""
        first = next((row.key for row in self.list.rows.rows() if row.key), "")
        if first and self.search.text().strip():
            self.chosen.emit(first)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down goes on to what was found."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Down:
            first = next((row.key for row in self.list.rows.rows() if row.key), "")
            if first:
                if self.list.rows.row(self.list.currentIndex()) is None:
                    self.list.setCurrentIndex(self.list.rows.index_of(first))
                self.list.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        return super().eventFilter(watched, event)

    def _wanted(self, name: str, tags: Iterable[str], note: str, text: str) -> bool:
        listed = tuple(tags)
        if self.tags.tag and same(self.tags.tag) not in {same(tag) for tag in listed}:
            return False
        return found_in(self.search.text(), name, *listed, note, text)

    def _row(self, key: str, name: str, note: str, versions: int) -> PromptRow:
        line = " ".join(note[:200].split())
        return PromptRow(key, name, line, versions, self._defaults.get(key, ()), self._edited(key))

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        self.more.setIcon(icon("more", theme.muted, 18))

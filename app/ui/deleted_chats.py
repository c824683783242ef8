"""The chats in the trash: brought back with one press, or deleted for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from app.core.chat import TRASH_DAYS, ChatRow
from app.ui.chat_sections import moment
from app.ui.confirming import confirm
from app.ui.row_list import Cell, Column, Row
from app.ui.row_view import RowView
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.library import Library

_COLUMNS = (Column("Deleted", "30 Sep 2024", keep=1), Column("Kept", "30 more days", keep=2))


class DeletedChats(QWidget):
    """Lists what is in the trash while it can be seen."""

    def __init__(self, library: Library, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        heading = QLabel("Deleted chats")
        heading.setProperty("kind", "heading")
        self.words = QLabel("", wordWrap=True)
        self.words.setProperty("kind", "faint")
        self.list = RowView("Deleted chats", "Chat", _COLUMNS, theme, button="Restore")
        self.list.setAccessibleDescription("Space brings a chat back, Delete deletes it for good.")
        self.list.pressed.connect(self._restore)
        self.list.removed.connect(self._purge)
        self.list.menu_asked.connect(self._open_menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(heading)
        column.addWidget(self.words)
        column.addWidget(self.list)
        library.trash_listed.connect(self._show)
        library.chats_changed.connect(self._look)
        self._show(())

    @Slot(tuple)
    def _show(self, chats: Sequence[ChatRow]) -> None:
        now = datetime.now(tz=UTC).astimezone()
        self.list.show_rows([_row(chat, now) for chat in chats])
        self.list.setVisible(bool(chats))
        self.words.setText(
            f"They can be brought back for {TRASH_DAYS} days; right click, or the Delete key, deletes one for good."
            if chats
            else f"There are none. A deleted chat is kept here for {TRASH_DAYS} days."
        )

    @Slot()
    def _look(self) -> None:
        if self.isVisible():
            self._library.list_trash()

    @Slot(str)
    def _restore(self, key: str) -> None:
        self._library.restore(int(key))

    @Slot(str, QPoint)
    def _open_menu(self, key: str, place: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction("Restore", lambda: self._restore(key))
        menu.addAction("Delete for good…", lambda: self._purge(key))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    @Slot(str)
    def _purge(self, key: str) -> None:
        title = next((row.title for row in self.list.rows.rows() if row.key == key), "")
        words = "Its messages are deleted from this computer and cannot be brought back."
        title = f"Delete “{title}” for good?"
        confirm(self, title, words, "Delete for good", lambda: self._library.purge(int(key)))

    def showEvent(self, event: QShowEvent) -> None:
        """Look what is there now."""
        super().showEvent(event)
        self._library.list_trash()


def _row(chat: ChatRow, now: datetime) -> Row:
    when = moment(chat.deleted_ms or 0)
    left = max(0, TRASH_DAYS - (now - when).days)
    more = "1 more day" if left == 1 else f"{left} more days"
    cells = (Cell(f"{when.day} {when:%b %Y}"), Cell(more))
    return Row(str(chat.id), chat.title, cells=cells, button="Restore")

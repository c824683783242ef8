"""The chats in the trash: brought back with one press, or deleted for good."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QWidget

from app.core.chat import ChatRow
from app.ui.row_list import Row
from app.ui.theme import Theme
from app.ui.trash import Trash, trashed_row

if TYPE_CHECKING:
    from app.services.library import Library

_LOSS = "Its messages are deleted from this computer and cannot be brought back."


class DeletedChats(Trash):
    """Lists the chats that are in the trash while it can be seen."""

    def __init__(self, library: Library, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(library, "chat", _LOSS, library.chats_changed, theme, parent)
        heading = QLabel("Deleted chats")
        heading.setProperty("kind", "heading")
        self.column.setSpacing(6)
        for part in (heading, self.words, self.list):
            self.column.addWidget(part)

    def row(self, item: ChatRow, now: datetime) -> Row:
        """The line of one chat."""
        return trashed_row(item.id, item.title, item.deleted_ms, now)

"""The rows of the chat list: headings and chats, or what a search found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.core.chat import ChatRow
from app.ui.chat_sections import by_section, time_label

Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole


class Hit(Protocol):
    """A chat that a search found, and a piece of the text in which it was found."""

    @property
    def chat_id(self) -> int:
        """Which chat."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def message_id(self) -> int | None:
        """The message they stand in; None where it is the title."""

    @property
    def snippet(self) -> str:
        """The text around the words looked for."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One line of the list. `chat_id` is 0 for headings; `message_id` is where a search found its words, else 0."""

    kind: Literal["heading", "chat", "hit"]
    title: str
    chat_id: int = 0
    note: str = ""
    snippet: str = ""
    pinned: bool = False
    message_id: int = 0


class ChatListModel(QAbstractListModel):
    """What the list shows. `renamed(int, str)`: the person typed another title for a chat."""

    renamed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ListRow] = []

    def show_chats(self, chats: tuple[ChatRow, ...], now: datetime) -> None:
        """Show all chats under their headings."""
        rows: list[ListRow] = []
        for name, listed in by_section(chats, now):
            rows.append(ListRow("heading", name))
            rows += [ListRow("chat", chat.title, chat.id, time_label(chat, now), pinned=chat.pinned) for chat in listed]
        self._replace(rows)

    def show_hits(self, hits: Iterable[Hit]) -> None:
        """Show what a search found."""
        rows = [
            ListRow("hit", hit.title, hit.chat_id, snippet=_beside_title(hit), message_id=hit.message_id or 0)
            for hit in hits
        ]
        found = "Found in 1 chat" if len(rows) == 1 else f"Found in {len(rows)} chats"
        self._replace([ListRow("heading", found), *rows] if rows else [])

    def _replace(self, rows: list[ListRow]) -> None:
        if rows == self._rows:
            return
        if [(row.kind, row.chat_id) for row in rows] == [(row.kind, row.chat_id) for row in self._rows]:
            # the same chats in the same places: the view keeps its place and its editor
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def row(self, index: Index) -> ListRow | None:
        """The row at an index; None for one that is not in the list."""
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def index_of(self, chat_id: int) -> QModelIndex:
        """Where a chat stands; an invalid index where it is not shown."""
        place = next((i for i, row in enumerate(self._rows) if chat_id and row.chat_id == chat_id), None)
        return QModelIndex() if place is None else self.index(place)

    def chat_ids(self) -> list[int]:
        """The chats shown, in order."""
        return [row.chat_id for row in self._rows if row.chat_id]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Headings and chats together."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles for eyes, and the whole line for those who hear it."""
        row = self.row(index)
        if row is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (row.title, "pinned" if row.pinned else "", row.note, row.snippet)
            return ", ".join(part for part in parts if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.title if row.chat_id else None
        return row if role == ROW_ROLE else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take a new title; the list shows it when the chat has it."""
        row = self.row(index)
        if row is None or role != Qt.ItemDataRole.EditRole or not str(value).strip():
            return False
        self.renamed.emit(row.chat_id, str(value).strip())
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can be read but not chosen."""
        row = self.row(index)
        if row is None or not row.chat_id:
            return Qt.ItemFlag.NoItemFlags
        usable = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usable | Qt.ItemFlag.ItemIsEditable if row.kind == "chat" else usable


def _beside_title(hit: Hit) -> str:
    """Where the words were found, unless that is the title, which is shown anyway."""
    snippet = " ".join(hit.snippet.split())
    return "" if snippet.strip("… ") in " ".join(hit.title.split()) else snippet

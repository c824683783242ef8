"""A list of rows that are known by a key, headings between them, for eyes and for those who hear them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole


class KeyedRow(Protocol):
    """What every row has."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What it is known by, from one showing to the next; "" for a heading, which can be read but not chosen."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Its first words, by which typing finds it."""


R = TypeVar("R", bound=KeyedRow)


class KeyedRows(QAbstractListModel, Generic[R]):
    """The rows of one list. What is told of a row is the subclass's to say."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[R] = []

    def spoken(self, row: R) -> str:
        """The whole row as a sentence."""
        raise NotImplementedError

    def tip(self, row: R) -> str:
        """What the pointer tells of it; "" for nothing."""
        return self.spoken(row)

    def words(self, row: R) -> str:
        """Its first words."""
        return row.title

    def show_rows(self, rows: Sequence[R]) -> None:
        """Show these rows; the view keeps its place where they are the same ones with other words, or more of them."""
        old, new = self._rows, list(rows)
        if new == old:
            return
        kept = [row.key for row in new[: len(old)]] == [row.key for row in old]
        if not old or not kept:
            self.beginResetModel()
            self._rows = new
            self.endResetModel()
            return
        if len(new) > len(old):
            self.beginInsertRows(QModelIndex(), len(old), len(new) - 1)
            self._rows = new
            self.endInsertRows()
        self._rows = new
        changed = [place for place, row in enumerate(old) if row != new[place]]
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    def rows(self) -> list[R]:
        """What is shown, headings too."""
        return list(self._rows)

    def row(self, index: Index) -> R | None:
        """The row at an index; None for headings and for what is not in the list."""
        row = self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None
        return row if row is not None and row.key else None

    def index_of(self, key: str) -> QModelIndex:
        """Where a row stands; an invalid index where it is not shown."""
        place = next((at for at, row in enumerate(self._rows) if key and row.key == key), None)
        return QModelIndex() if place is None else self.index(place)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Headings and rows together."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles for eyes, and the whole line for those who hear it."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.words(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.spoken(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tip(row) or None
        return row if role == ROW_ROLE else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can be read but not chosen."""
        if self.row(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

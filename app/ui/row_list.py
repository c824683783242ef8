"""Rows of a list of models: what each says in which column, for eyes and for those who hear it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `sample` is a text as wide as its cells get; the `keep` highest stay where room is short."""

    title: str
    sample: str
    keep: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row says in a column. `tone` names a colour of the theme; `share`, 0 to 1, is shown as a bar."""

    text: str = ""
    icon: str = ""
    tone: str = "text"
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One model, repository or quant.

    `tile` are the letters of its picture; `tag` stands beside the title, `mark` behind it as a distinction; `note` is
    its second line. `button` is what can be done at once, `filled` where it is what most people want.
    """

    key: str
    title: str
    tile: str = ""
    tag: str = ""
    mark: str = ""
    note: str = ""
    cells: tuple[Cell, ...] = ()
    button: str = ""
    filled: bool = False
    button_enabled: bool = True
    tip: str = ""
    heading: bool = False

    def spoken(self, columns: Sequence[Column]) -> str:
        """The whole row as a sentence."""
        parts = [self.title, self.tag, self.mark, self.note]
        parts += [
            f"{column.title} {cell.text}" if column.title else cell.text
            for column, cell in zip(columns, self.cells, strict=True)
            if cell.text
        ]
        if self.button and self.button_enabled:
            parts.append(f"Space: {self.button}")
        return ", ".join(part.rstrip(".") for part in parts if part)


class RowList(QAbstractListModel):
    """The rows of one list, the titles of the columns first."""

    def __init__(self, columns: Sequence[Column], first: str, parent: QObject | None = None) -> None:
        """`first` is the title over the rows' names."""
        super().__init__(parent)
        self.columns = tuple(columns)
        self._heading = Row("", first, cells=tuple(Cell(column.title) for column in columns), heading=True)
        self._rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows; the view keeps its place where they are the same ones with other words."""
        new = [self._heading, *rows] if rows else []
        old = self._rows
        if new == old:
            return
        if [row.key for row in new] == [row.key for row in old]:
            self._rows = new
            changed = [place for place, row in enumerate(new) if row != old[place]]
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))
            return
        if old and [row.key for row in new[: len(old)]] == [row.key for row in old]:
            self.beginInsertRows(QModelIndex(), len(old), len(new) - 1)
            self._rows = new
            self.endInsertRows()
            self.dataChanged.emit(self.index(0), self.index(len(old) - 1))
            return
        self.beginResetModel()
        self._rows = new
        self.endResetModel()

    def rows(self) -> list[Row]:
        """What is shown, without the titles."""
        return self._rows[1:]

    def row(self, index: Index) -> Row | None:
        """The row at an index; None for the titles and for what is not in the list."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        return None if row.heading else row

    def index_of(self, key: str) -> QModelIndex:
        """Where a row stands; an invalid index where it is not shown."""
        place = next((i for i, row in enumerate(self._rows) if key and row.key == key), None)
        return QModelIndex() if place is None else self.index(place)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Titles and rows together."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles for eyes, and the whole line for those who hear it."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.title if row.heading else row.spoken(self.columns)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip or None
        return row if role == ROW_ROLE else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The titles can be read but not chosen."""
        if self.row(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

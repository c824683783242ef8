"""Rows of a list of models: what each says in which column, for eyes and for those who hear it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject

from app.ui.keyed_rows import KeyedRows


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


class RowList(KeyedRows[Row]):
    """The rows of one list, the titles of the columns first."""

    def __init__(self, columns: Sequence[Column], first: str, parent: QObject | None = None) -> None:
        """`first` is the title over the rows' names."""
        super().__init__(parent)
        self.columns = tuple(columns)
        self._heading = Row("", first, cells=tuple(Cell(column.title) for column in columns), heading=True)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows below the titles; see `KeyedRows`."""
        super().show_rows([self._heading, *rows] if rows else [])

    def rows(self) -> list[Row]:
        """What is shown, without the titles."""
        return self._rows[1:]

    def spoken(self, row: Row) -> str:
        """The whole row as a sentence."""
        return row.title if row.heading else row.spoken(self.columns)

    def tip(self, row: Row) -> str:
        """What the pointer tells of it."""
        return row.tip

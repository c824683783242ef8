"""What is in a trash: a list that brings things back with one press, or deletes them for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from PySide6.QtCore import QPoint, SignalInstance, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from app.core.chat import TRASH_DAYS
from app.ui.chat_sections import moment
from app.ui.confirming import confirm
from app.ui.row_list import Cell, Column, Row
from app.ui.row_view import RowView
from app.ui.theme import Theme

_COLUMNS = (Column("Deleted", "30 Sep 2024", keep=1), Column("Kept", "30 more days", keep=2))


class Keeper(Protocol):
    """Who has a trash; `trash_listed(tuple)` answers `list_trash`."""

    trash_listed: SignalInstance

    def list_trash(self) -> None:
        """Ask what is in it."""

    def restore(self, item_id: int, /) -> None:
        """Bring something back."""

    def purge(self, item_id: int, /) -> None:
        """Delete something in it for good."""


class Trash(QWidget):
    """Lists what is in the trash while it can be seen. A subclass lays out `words` and `list`, and makes the rows."""

    def __init__(
        self, keeper: Keeper, noun: str, loss: str, changed: SignalInstance, theme: Theme, parent: QWidget | None
    ) -> None:
        """`noun`: what is in it, as "chat". `loss`: what deleting for good takes away. `changed`: it may be another."""
        super().__init__(parent)
        self._keeper, self._noun, self._loss = keeper, noun, loss
        self.words = QLabel("", wordWrap=True)
        self.words.setProperty("kind", "faint")
        self.list = RowView(f"Deleted {noun}s", noun.capitalize(), _COLUMNS, theme, button="Restore")
        self.list.setAccessibleDescription(f"Space brings a {noun} back, Delete deletes it for good.")
        self.list.pressed.connect(self._restore)
        self.list.removed.connect(self._purge)
        self.list.menu_asked.connect(self._open_menu)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        keeper.trash_listed.connect(self._show)
        changed.connect(self._look)
        self._show(())

    def row(self, item: Any, now: datetime) -> Row:
        """The line of one thing in the trash, see `trashed_row`."""
        raise NotImplementedError

    @Slot(tuple)
    def _show(self, items: Sequence[Any]) -> None:
        now = datetime.now(tz=UTC).astimezone()
        self.list.show_rows([self.row(item, now) for item in items])
        self.list.setVisible(bool(items))
        self.words.setText(
            f"They can be brought back for {TRASH_DAYS} days; right click, or the Delete key, deletes one for good."
            if items
            else f"There are none. A deleted {self._noun} is kept here for {TRASH_DAYS} days."
        )

    @Slot()
    def _look(self) -> None:
        if self.isVisible():
            self._keeper.list_trash()

    @Slot(str)
    def _restore(self, key: str) -> None:
        self._keeper.restore(int(key))

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
        confirm(
            self, f"Delete “{title}” for good?", self._loss, "Delete for good", lambda: self._keeper.purge(int(key))
        )

    def showEvent(self, event: QShowEvent) -> None:
        """Look what is there now."""
        super().showEvent(event)
        self._keeper.list_trash()


def trashed_row(item_id: int, title: str, deleted_ms: int | None, now: datetime, *, note: str = "") -> Row:
    """A line that says when something was deleted and how long it is kept."""
    when = moment(deleted_ms or 0)
    left = max(0, TRASH_DAYS - (now - when).days)
    more = "1 more day" if left == 1 else f"{left} more days"
    cells = (Cell(f"{when.day} {when:%b %Y}"), Cell(more))
    return Row(str(item_id), title, note=note, cells=cells, button="Restore")

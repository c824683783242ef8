"""The prompts in the trash: brought back with one press, or deleted for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.core.chat import TRASH_DAYS
from app.core.prompts import Prompt
from app.ui.buttons import IconButton
from app.ui.chat_sections import moment
from app.ui.confirming import confirm
from app.ui.row_list import Cell, Column, Row
from app.ui.row_view import RowView
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.prompt_library import PromptLibrary

_COLUMNS = (Column("Deleted", "30 Sep 2024", keep=1), Column("Kept", "30 more days", keep=2))


class DeletedPrompts(QWidget):
    """Lists what is in the trash while it can be seen. `left()`: it is to be put away."""

    left = Signal()

    def __init__(self, library: PromptLibrary, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        heading = QLabel("Deleted prompts")
        heading.setProperty("kind", "title")
        self.back = IconButton("close", "Put the deleted prompts away", theme, side_px=30)
        self.back.clicked.connect(self.left)
        self.words = QLabel("", wordWrap=True)
        self.words.setProperty("kind", "faint")
        self.list = RowView("Deleted prompts", "Prompt", _COLUMNS, theme, button="Restore")
        self.list.setAccessibleDescription("Space brings a prompt back, Delete deletes it for good.")
        self.list.pressed.connect(self._restore)
        self.list.removed.connect(self._purge)
        self.list.menu_asked.connect(self._open_menu)
        head = QHBoxLayout()
        head.addWidget(heading, 1)
        head.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.list)
        column.addStretch(1)
        library.trash_listed.connect(self._show)
        library.changed.connect(self._look)
        self._show(())

    @Slot(tuple)
    def _show(self, prompts: Sequence[Prompt]) -> None:
        now = datetime.now(tz=UTC).astimezone()
        self.list.show_rows([_row(prompt, now) for prompt in prompts])
        self.list.setVisible(bool(prompts))
        self.words.setText(
            f"They can be brought back for {TRASH_DAYS} days; right click, or the Delete key, deletes one for good."
            if prompts
            else f"There are none. A deleted prompt is kept here for {TRASH_DAYS} days."
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
        words = "Its versions are deleted from this computer and cannot be brought back. Chats keep what they use."
        title = f"Delete “{title}” for good?"
        confirm(self, title, words, "Delete for good", lambda: self._library.purge(int(key)))

    def showEvent(self, event: QShowEvent) -> None:
        """Look what is there now."""
        super().showEvent(event)
        self._library.list_trash()


def _row(prompt: Prompt, now: datetime) -> Row:
    when = moment(prompt.deleted_ms or 0)
    left = max(0, TRASH_DAYS - (now - when).days)
    more = "1 more day" if left == 1 else f"{left} more days"
    note = "1 version" if prompt.versions == 1 else f"{prompt.versions} versions"
    cells = (Cell(f"{when.day} {when:%b %Y}"), Cell(more))
    return Row(str(prompt.id), prompt.name, note=note, cells=cells, button="Restore")

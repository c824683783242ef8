"""The prompts in the trash: brought back with one press, or deleted for good."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.core.prompts import Prompt
from app.ui.buttons import IconButton
from app.ui.row_list import Row
from app.ui.theme import Theme
from app.ui.trash import Trash, trashed_row

if TYPE_CHECKING:
    from app.services.prompt_library import PromptLibrary

_LOSS = "Its versions are deleted from this computer and cannot be brought back. Chats keep what they use."


class DeletedPrompts(Trash):
    """Lists the prompts that are in the trash while it can be seen. `left()`: it is to be put away."""

    left = Signal()

    def __init__(self, library: PromptLibrary, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(library, "prompt", _LOSS, library.changed, theme, parent)
        heading = QLabel("Deleted prompts")
        heading.setProperty("kind", "title")
        self.back = IconButton("close", "Put the deleted prompts away", theme, side_px=30)
        self.back.clicked.connect(self.left)
        head = QHBoxLayout()
        head.addWidget(heading, 1)
        head.addWidget(self.back)
        self.column.setSpacing(8)
        self.column.addLayout(head)
        self.column.addWidget(self.words)
        self.column.addWidget(self.list)
        self.column.addStretch(1)

    def row(self, item: Prompt, now: datetime) -> Row:
        """The line of one prompt."""
        note = "1 version" if item.versions == 1 else f"{item.versions} versions"
        return trashed_row(item.id, item.name, item.deleted_ms, now, note=note)

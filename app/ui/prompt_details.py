"""Name, tags and note of a prompt: fields that hand over what is typed when they are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.core.prompts import LONGEST_NAME, tidy_tags
from app.services.prompt_desk import NEW

if TYPE_CHECKING:
    from app.services.prompt_desk import PromptDesk
    from app.services.prompt_library import PromptLibrary


class PromptDetails(QWidget):
    """Edits them for the prompt that is open; of one that comes with the app they can only be read."""

    def __init__(self, desk: PromptDesk, library: PromptLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._library = desk, library
        self._key, self._prompt_id = "", 0
        """Whose words stand in the fields: by the time they are handed over another prompt may be open."""
        self.name = QLineEdit()
        self.name.setProperty("kind", "title")
        self.name.setPlaceholderText("Name of the prompt")
        self.name.setAccessibleName("Name of the prompt")
        self.name.setMaxLength(LONGEST_NAME)
        self.tags = QLineEdit()
        self.tags.setPlaceholderText("Tags, with commas")
        self.tags.setAccessibleName("Tags")
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note: what it is for")
        self.note.setAccessibleName("Note")
        self.tags.setToolTip("Tags, with commas between them")
        self.note.setToolTip("What the prompt is for")
        for field in (self.name, self.tags, self.note):
            field.editingFinished.connect(self.flush)
        self.beside_name = QHBoxLayout()
        self.beside_name.setSpacing(6)
        self.beside_name.addWidget(self.name, 1)
        self._more = QWidget()
        row = QHBoxLayout(self._more)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.tags, 2)
        row.addWidget(self.note, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self.beside_name)
        column.addWidget(self._more)
        desk.opened.connect(self.refresh)
        desk.changed.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Show what there is now; what is being typed is not overwritten."""
        prompt, bundled = self._desk.prompt, self._desk.bundled
        other = self._key != self._desk.key
        if other:
            self.flush()
        self._key = self._desk.key
        self._prompt_id = prompt.id if prompt is not None else 0
        shown = prompt or bundled
        texts = (shown.name, ", ".join(shown.tags), shown.note) if shown is not None else (self._desk.new_name, "", "")
        for field, text in zip((self.name, self.tags, self.note), texts, strict=True):
            if other or not (field.hasFocus() and field.isModified()):
                field.setText(text)
                field.setCursorPosition(0)
            field.setReadOnly(bundled is not None)
        self._more.setVisible(shown is not None)
        self.name.setPlaceholderText("Name of the prompt" if shown is not None else "A name for the new prompt")

    @Slot()
    def flush(self) -> None:
        """Hand over what is typed."""
        if self._key == NEW and self._desk.is_new:
            self._desk.new_name = self.name.text()
        prompt = self._library.prompt(self._prompt_id) if self._prompt_id else None
        if prompt is None:
            return
        for field, hand_over in (
            (self.name, lambda: self._library.rename(prompt.id, self.name.text())),
            (self.tags, lambda: self._library.set_tags(prompt.id, tidy_tags(self.tags.text().split(",")))),
            (self.note, lambda: self._library.set_note(prompt.id, self.note.text())),
        ):
            if field.isModified():
                field.setModified(False)
                hand_over()

    def rename(self) -> None:
        """Put the cursor into the name."""
        self.name.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.name.selectAll()

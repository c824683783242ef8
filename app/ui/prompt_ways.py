"""What can be done with a system prompt that was edited where it is used: keep it as a version, or take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.ui.buttons import WordButton
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.prompts import Prompt
    from app.services.prompt_link import PromptLink


class PromptWays(QWidget):
    """One line: whether the text is kept, and two buttons. They are always there, so that nothing below moves.

    Signals: `save_asked()`, `revert_asked()`.
    """

    save_asked = Signal()
    revert_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._link: PromptLink | None = None
        self._text = ""
        self.state = QLabel()
        self.state.setProperty("kind", "faint")
        self.save = WordButton("Save as version", theme, kind="link")
        self.save.clicked.connect(self.save_asked)
        self.revert = WordButton("Revert", theme, kind="link")
        self.revert.setToolTip("Go back to what the saved version says")
        self.revert.clicked.connect(self.revert_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(self.state, 1)
        row.addWidget(self.save)
        row.addWidget(self.revert)

    def show_link(self, link: PromptLink) -> None:
        """Follow this link."""
        if self._link is not None:
            self._link.changed.disconnect(self.refresh)
        self._link = link
        link.changed.connect(self.refresh)
        self.refresh()

    def show_text(self, text: str) -> None:
        """What stands in the field, which may be ahead of what is used."""
        self._text = text
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Say it anew."""
        if self._link is None:
            return
        origin = self._link.origin
        own = origin is not None and origin.prompt_id != 0
        edited = origin is not None and origin.version.text != self._text
        unsaved = bool(self._text.strip()) and (origin is None or edited)
        self.save.setEnabled(unsaved)
        self.save.setText("Save as version" if own else "Save as prompt")
        self.save.setToolTip(
            f"Keep this text as the next version of “{origin.name}”"
            if own and origin is not None
            else "Keep this text as a prompt of your own"
        )
        self.revert.setEnabled(edited)
        if edited:
            words = f"Edited since version {origin.number}" if own and origin is not None else "Edited"
        else:
            words = "Not saved" if unsaved else ""
        self.state.setText(words)


def kept_words(prompt: Prompt) -> str:
    """What to tell once a text was kept."""
    if prompt.versions == 1:
        return f"Saved as “{prompt.name}”"
    return f"Saved as version {prompt.number} of “{prompt.name}”"

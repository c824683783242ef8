"""What of a model is on this computer, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.library import LocalModel
from app.services.recovery import TRY_ONCE_MORE
from app.ui.buttons import IconButton, WordButton
from app.ui.model_facts import ElidedLabel
from app.ui.model_words import disk_size, when
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.ui.model_actions import ModelActions


def local_words(model: LocalModel, *, put_aside: bool = False) -> str:
    """Size, and whether the content was proven right; or that it ended the engine too often."""
    if not model.present:
        return "The file is gone"
    if model.damaged:
        return f"{disk_size(model.size_bytes)} · damaged: its bytes are not the ones that the Hub lists"
    if put_aside:
        return f"{disk_size(model.size_bytes)} · put aside: the engine stopped unexpectedly with it"
    proven = f"verified {when(model.verified_ms)}" if model.verified_ms else "not compared with the Hub"
    return f"{disk_size(model.size_bytes)} · {proven}"


class LocalCard(QFrame):
    """Lists the files of one model; hidden while there are none."""

    def __init__(self, actions: ModelActions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._actions, self._theme = actions, theme
        self._models: list[LocalModel] = []
        self._put_aside: list[str] = []
        self._inside: QWidget | None = None
        title = QLabel("On this computer")
        title.setProperty("kind", "title")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(18, 12, 18, 12)
        self._column.setSpacing(6)
        self._column.addWidget(title)
        self.hide()

    def refresh(self, known: Sequence[LocalModel]) -> None:
        """Show the same models as they are now."""
        paths = {model.path for model in self._models}
        self.show_models([model for model in known if model.path in paths])

    def show_models(self, models: Sequence[LocalModel]) -> None:
        """Show these."""
        put_aside = [model.path for model in models if self._actions.is_put_aside(model.path)]
        if (list(models), put_aside) == (self._models, self._put_aside) and self._inside is not None:
            return
        self._models, self._put_aside = list(models), put_aside
        if self._inside is not None:
            self._column.removeWidget(self._inside)
            self._inside.hide()
            self._inside.deleteLater()
        self._inside = QWidget()
        column = QVBoxLayout(self._inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for model in models:
            column.addLayout(self._line(model))
        self._column.addWidget(self._inside)
        self.setVisible(bool(models))

    def _line(self, model: LocalModel) -> QHBoxLayout:
        name = QLabel(model.quant or model.name, textFormat=Qt.TextFormat.PlainText)
        name.setProperty("kind", "heading")
        put_aside = model.path in self._put_aside
        words = QLabel(local_words(model, put_aside=put_aside), wordWrap=True)
        words.setProperty("kind", "danger" if put_aside else "muted")
        place = ElidedLabel(model.path)
        place.setProperty("kind", "faint")
        texts = QVBoxLayout()
        texts.setSpacing(1)
        for label in (name, words, place):
            texts.addWidget(label)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addLayout(texts, 1)
        chat = WordButton(TRY_ONCE_MORE if put_aside else "Chat", self._theme, kind="outline")
        chat.setAccessibleName(f"{TRY_ONCE_MORE if put_aside else 'Chat with'} {model.name} {model.quant}".strip())
        chat.setEnabled(model.present and not model.damaged)
        chat.clicked.connect(self._chat)
        buttons: list[tuple[IconButton, str]] = [
            (IconButton("shield", f"Verify {model.quant or model.name} again", self._theme), "verify"),
            (IconButton("folder", f"Open the folder of {model.quant or model.name}", self._theme), "folder"),
            (IconButton("trash", f"Remove {model.quant or model.name}", self._theme), "remove"),
        ]
        chat.setProperty("path", model.path)
        row.addWidget(chat)
        for button, what in buttons:
            button.setProperty("path", model.path)
            button.setProperty("what", what)
            button.setEnabled(what != "verify" or (model.present and bool(model.sha256)))
            button.clicked.connect(self._act)
            row.addWidget(button)
        return row

    @Slot()
    def _chat(self) -> None:
        sender = self.sender()
        if sender is None:
            return
        path = str(sender.property("path"))
        if path in self._put_aside:
            self._actions.load_again(path)
        else:
            self._actions.chat(path)

    @Slot()
    def _act(self) -> None:
        sender = self.sender()
        if sender is None:
            return
        path = str(sender.property("path"))
        act = {
            "verify": self._actions.verify,
            "folder": self._actions.open_folder,
            "remove": self._actions.remove,
        }[str(sender.property("what"))]
        act(path)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for buttons to come."""
        self._theme = theme

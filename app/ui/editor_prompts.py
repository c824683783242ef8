"""The prompts of a new experiment: from the library or typed, each with a model of its own where wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.lab import Contestant
from app.core.prompts import free_name, same
from app.services.prompt_names import PromptNames
from app.ui.buttons import IconButton, WordButton
from app.ui.contestant_colours import mark_pixmap
from app.ui.model_box import ModelBox
from app.ui.prompt_chooser import PromptChooser
from app.ui.prompt_field import PromptField
from app.ui.shrinking import Shrinking
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager
    from app.services.prompt_library import PromptLibrary

_LINES = 8
_NARROW_PX = 560


class KeyList(QListWidget):
    """A list whose rows Delete removes. `removed()`."""

    removed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete asks to remove the row with the keyboard."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)


class EditorPrompts(QWidget):
    """`changed()`: the prompts are others now; `too_long(int)` for a paste that was not taken."""

    changed = Signal()
    too_long = Signal(int)

    def __init__(
        self, models: ModelManager, prompts: PromptLibrary, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._prompts, self._names, self._theme = prompts, PromptNames(prompts, self), theme
        self._contestants: list[Contestant] = []
        self._filling = False
        self.library = WordButton("From the library…", theme, kind="outline", icon_name="list")
        self.add = WordButton("Write one", theme, kind="outline", icon_name="edit")
        self.none = WordButton("No prompt", theme, kind="outline", icon_name="plus")
        self.none.setToolTip("A column without a system prompt, to see what the others are good for")
        self.list = KeyList()
        self.list.setProperty("kind", "items")
        self.list.setAccessibleName("Prompts of this experiment")
        self.list.setAccessibleDescription("Delete takes a prompt away.")
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the prompt")
        self.name.setPlaceholderText("Name of the prompt")
        self.name.setAcceptDrops(False)
        self.text = PromptField(theme)
        self.text.setFixedHeight(self.text.fontMetrics().lineSpacing() * _LINES + 16)
        self.model = ModelBox("Model for this prompt", models, "The experiment’s model")
        self.double = IconButton("copy", "A second one like this", theme, side_px=32)
        self.remove = IconButton("trash", "Take this prompt away", theme, keys="Delete", side_px=32)
        self._origin = QLabel()
        self._origin.setProperty("kind", "faint")
        self._detail = QWidget()
        self._lay_out()
        self._connect()
        self._show_chosen()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.library, self.add, self.none):
            buttons.addWidget(button)
        buttons.addStretch(1)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.name, 1)
        head.addWidget(self.double)
        head.addWidget(self.remove)
        foot = QHBoxLayout()
        foot.addWidget(self._origin, 1)
        answered = QLabel("Answered by")
        answered.setProperty("kind", "muted")
        foot.addWidget(answered)
        foot.addWidget(self.model)
        detail = QVBoxLayout(self._detail)
        detail.setContentsMargins(0, 0, 0, 0)
        detail.setSpacing(6)
        detail.addLayout(head)
        detail.addWidget(self.text)
        detail.addLayout(foot)
        self._both = both = QHBoxLayout()
        both.setSpacing(12)
        both.addWidget(self.list, 2)
        both.addWidget(self._detail, 3)
        self.list.setMinimumHeight(self.fontMetrics().height() * 5)
        self._shrinking = Shrinking(self.library, self.add, self.none)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(buttons)
        column.addLayout(both)
        self.list.setIconSize(QSize(10, 10))

    def _connect(self) -> None:
        self.library.clicked.connect(self.choose)
        self.add.clicked.connect(self._write)
        self.none.clicked.connect(lambda: self.add_contestants((Contestant("No prompt", ""),)))
        self.list.currentRowChanged.connect(self._show_chosen)
        self.list.removed.connect(self._remove)
        self.name.textEdited.connect(self._edited)
        self.text.textChanged.connect(self._edited)
        self.text.too_long.connect(self.too_long)
        self.model.model_chosen.connect(self._edited)
        self.double.clicked.connect(self._double)
        self.remove.clicked.connect(self._remove)
        self._names.changed.connect(self._show_origin)

    # --- what is there ----------------------------------------------------------------------------------------------

    def contestants(self) -> tuple[Contestant, ...]:
        """The prompts, in their order."""
        return tuple(self._contestants)

    def show_contestants(self, contestants: Iterable[Contestant]) -> None:
        """Show these; emits nothing."""
        self._contestants = list(contestants)
        self._fill(0)

    def add_contestants(self, contestants: Sequence[Contestant]) -> None:
        """Put more behind those that are there, each with a name of its own."""
        for one in contestants:
            self._contestants.append(replace(one, name=self._free(one.name)))
        self._fill(len(self._contestants) - 1)
        self.changed.emit()

    def set_overrides(self, at: int, overrides: Mapping[str, Any]) -> None:
        """Give a prompt sampler values of its own."""
        self._contestants[at] = replace(self._contestants[at], overrides=dict(overrides))
        self._show_origin()
        self.changed.emit()

    def show_unresolved(self, names: Sequence[str]) -> None:
        """Say which variables have no value."""
        self.text.show_unresolved(names)

    def choose_row(self, at: int) -> None:
        """Go to a prompt."""
        self.list.setCurrentRow(at)
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _free(self, name: str) -> str:
        return free_name(name, {same(one.name) for one in self._contestants})

    def _fill(self, at: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for place, one in enumerate(self._contestants):
            self.list.addItem(QListWidgetItem(QIcon(mark_pixmap(place, self._theme)), one.name))
        self.list.setCurrentRow(min(at, len(self._contestants) - 1))
        self.list.blockSignals(False)
        self._show_chosen()

    @Slot()
    def _show_chosen(self) -> None:
        at = self.list.currentRow()
        there = 0 <= at < len(self._contestants)
        self._detail.setEnabled(there)
        one = self._contestants[at] if there else Contestant("", "")
        self._filling = True
        if self.name.text() != one.name:
            self.name.setText(one.name)
        if self.text.toPlainText() != one.system_prompt:
            self.text.setPlainText(one.system_prompt)
        self.model.show_model(one.model_id)
        self._filling = False
        self._show_origin()

    @Slot()
    def _show_origin(self) -> None:
        at = self.list.currentRow()
        one = self._contestants[at] if 0 <= at < len(self._contestants) else None
        words = ""
        if one is not None and one.version:
            words = self._names.words(one.version)
        elif one is not None:
            many = len(one.system_prompt.split())
            words = "Without instructions" if not many else "1 word" if many == 1 else f"{many:,} words"
        if one is not None and one.overrides:
            own = "1 value of its own" if len(one.overrides) == 1 else f"{len(one.overrides)} values of its own"
            words += f" · {own}"
        self._origin.setText(words)

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot()
    def choose(self) -> PromptChooser:
        """Open the library to choose from."""
        dialog = PromptChooser(self._prompts, self._theme, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self.add_contestants)
        dialog.open()
        return dialog

    @Slot()
    def _write(self) -> None:
        self.add_contestants((Contestant("Prompt", ""),))
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _double(self) -> None:
        at = self.list.currentRow()
        if 0 <= at < len(self._contestants):
            self.add_contestants((self._contestants[at],))

    @Slot()
    def _remove(self) -> None:
        at = self.list.currentRow()
        if 0 <= at < len(self._contestants):
            del self._contestants[at]
            self._fill(min(at, len(self._contestants) - 1))
            self.changed.emit()

    @Slot()
    def _edited(self) -> None:
        at = self.list.currentRow()
        if self._filling or not 0 <= at < len(self._contestants):
            return
        old, text = self._contestants[at], self.text.toPlainText()
        version = old.version if text == old.system_prompt else ""
        name = self.name.text().strip() or old.name
        new = replace(old, name=name, system_prompt=text, version=version, model_id=self.model.model_id())
        if new == old:
            return
        self._contestants[at] = new
        item = self.list.item(at)
        if item is not None:
            item.setText(new.name)
        self._show_origin()
        self.changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, a prompt stands below the list."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)
        self._both.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        self._shrinking.set_narrow(narrow)

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        return QSize(240, super().minimumSizeHint().height())

    def set_theme(self, theme: Theme) -> None:
        """Draw the marks in this theme's colours."""
        self._theme = theme
        self._fill(self.list.currentRow())

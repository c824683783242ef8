"""What can be done with a column of a comparison: another prompt or model for it, keeping it, a second one, none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.core.lab import Contestant
from app.ui.prompt_chooser import PromptChooser
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager
    from app.services.prompt_library import PromptLibrary


class ColumnMenu(QMenu):
    """The menu behind a column's dots.

    Signals: `prompt_taken(Contestant)` with a saved version's name, text and hash; `model_chosen(str)`, "" for the
    comparison's own; `save_asked()`; `double_asked()`; `remove_asked()`.
    """

    prompt_taken = Signal(object)
    model_chosen = Signal(str)
    save_asked = Signal()
    double_asked = Signal()
    remove_asked = Signal()

    def __init__(self, models: ModelManager, prompts: PromptLibrary, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._models, self._prompts, self._theme = models, prompts, theme
        self._model_id = ""
        self._saved = self.addMenu("Take a saved prompt")
        self._saved.setToolTipsVisible(True)
        self._saved.setStyleSheet("QMenu { menu-scrollable: 1; }")
        self._saved.aboutToShow.connect(self.list_prompts)
        self._saved.triggered.connect(self._take)
        self.addAction("Take an earlier version…", self.choose_version)
        self.addAction("Save this prompt", self.save_asked.emit)
        self.addSeparator()
        self.addAction("Double this column", self.double_asked.emit)
        self._choose = self.addMenu("Answered by")
        self._choose.aboutToShow.connect(self._list_models)
        self._choose.triggered.connect(lambda action: self.model_chosen.emit(action.data()))
        self.addSeparator()
        self.addAction("Remove this column", self.remove_asked.emit)

    def show_model(self, model_id: str) -> None:
        """Tick this model from now on."""
        self._model_id = model_id

    @Slot()
    def list_prompts(self) -> QMenu:
        """Fill the menu of saved prompts: the person's own, then those that come with the app."""
        self._saved.clear()
        own = [(one.name, one.text, one.current, one.note) for one in self._prompts.prompts() if one.current]
        bundled = [(one.name, one.version.text, one.version.hash, one.note) for one in self._prompts.bundled()]
        for group in (own, bundled):
            for name, text, version, note in group:
                action = self._saved.addAction(name.replace("&", "&&"))
                action.setData(Contestant(name, text, version))
                action.setToolTip(note or text[:200])
            self._saved.addSeparator()
        return self._saved

    @Slot(QAction)
    def _take(self, action: QAction) -> None:
        self.prompt_taken.emit(action.data())

    @Slot()
    def choose_version(self) -> PromptChooser:
        """Open the library to choose one of all versions."""
        dialog = PromptChooser(self._prompts, self._theme, self.window(), one=True)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._take_chosen)
        dialog.open()
        return dialog

    @Slot(tuple)
    def _take_chosen(self, chosen: Sequence[Contestant]) -> None:
        self.prompt_taken.emit(chosen[0])

    @Slot()
    def _list_models(self) -> None:
        self._choose.clear()
        entries = [("", "The model above"), *((entry.id, entry.name) for entry in self._models.entries())]
        for model_id, name in entries:
            action = self._choose.addAction(name.replace("&", "&&"))
            action.setData(model_id)
            action.setCheckable(True)
            action.setChecked(model_id == self._model_id)

    def set_theme(self, theme: Theme) -> None:
        """Open dialogs in this theme."""
        self._theme = theme

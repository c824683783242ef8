"""The button that names a chat's model, and the menu to choose another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.words import gigabytes, state_words

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager


class ModelPicker(QToolButton):
    """Names the model in use and its state.

    Signals: `model_chosen(str)` with a model's id; `open_asked()` to open a file from disk.
    """

    model_chosen = Signal(str)
    open_asked = Signal()

    def __init__(self, models: ModelManager, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._theme = theme
        self._model_id = ""
        self._narrow = False
        self.setProperty("kind", "outline")
        # the arrow belongs behind the name
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setIconSize(QSize(16, 16))
        menu = QMenu(self)
        menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._fill)
        menu.triggered.connect(self._triggered)
        self.setMenu(menu)
        models.models_changed.connect(self._show_name)
        models.state_changed.connect(self._state_changed)
        self.set_theme(theme)

    def show_model(self, model_id: str) -> None:
        """Name this model."""
        self._model_id = model_id
        self._show_name()

    def set_narrow(self, narrow: bool) -> None:
        """Whether there is room for the beginning of the name only; else a long one is shortened in its middle."""
        if narrow != self._narrow:
            self._narrow = narrow
            self._show_name()

    def set_theme(self, theme: Theme) -> None:
        """Draw the arrow in this theme's colours."""
        self._theme = theme
        self.setIcon(icon("chevron-down", theme.muted, 16))
        self._show_name()

    @Slot()
    def _show_name(self) -> None:
        if not self._model_id:
            self.setText("No model")
            return
        entry = self._models.entry(self._model_id)
        state = state_words(self._models.state(self._model_id))
        letters, cut = (12, Qt.TextElideMode.ElideRight) if self._narrow else (26, Qt.TextElideMode.ElideMiddle)
        metrics = self.fontMetrics()
        self.setText(metrics.elidedText(entry.name, cut, letters * metrics.averageCharWidth()))
        self.setAccessibleName(f"Model: {entry.name}, {state.lower()}")
        self.setToolTip(f"{entry.name}\n{state}")

    @Slot(str)
    def _state_changed(self, model_id: str) -> None:
        if model_id == self._model_id:
            self._show_name()

    @Slot()
    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        for entry in self._models.entries():
            state = self._models.state(entry.id)
            facts = [gigabytes(entry.size_bytes)] if entry.size_bytes else []
            if state.kind != "unloaded":
                facts.append(state_words(state).lower())
            elif not entry.bundled and not Path(entry.path).exists():
                facts.append("the file is gone")
            action = menu.addAction(f"{entry.name}\t{', '.join(facts)}".replace("&", "&&"))
            action.setData(entry.id)
            action.setToolTip(entry.note or entry.path)
            if entry.id == self._model_id:
                action.setIcon(icon("check", self._theme.accent, 16))
        menu.addSeparator()
        opening = menu.addAction(icon("file", self._theme.muted, 16), "Open a GGUF file…\tCtrl+O")
        opening.setObjectName("open")
        if self._models.state(self._model_id).kind == "ready":
            unloading = menu.addAction(icon("memory", self._theme.muted, 16), "Unload, free its memory")
            unloading.setObjectName("unload")
        if not self._models.entry(self._model_id).bundled:
            forgetting = menu.addAction(icon("close", self._theme.muted, 16), "Take this file off the list")
            forgetting.setToolTip("The file itself stays where it is.")
            forgetting.setObjectName("forget")

    @Slot(QAction)
    def _triggered(self, action: QAction) -> None:
        if action.data():
            self.model_chosen.emit(action.data())
        elif action.objectName() == "open":
            self.open_asked.emit()
        elif action.objectName() == "unload":
            self._models.unload()
        elif action.objectName() == "forget":
            self._forget()

    def _forget(self) -> None:
        gone = self._model_id
        self._models.remove(gone)
        self.model_chosen.emit(self._models.entries()[0].id)

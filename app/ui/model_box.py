"""A box to choose a model from those on this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager


class ModelBox(QComboBox):
    """`model_chosen(str)` with a model's id, "" for `same`."""

    model_chosen = Signal(str)

    def __init__(self, name: str, models: ModelManager, same: str = "", parent: QWidget | None = None) -> None:
        """`same` are the words for a model that is chosen elsewhere; "" where there is no such choice."""
        super().__init__(parent)
        self._models, self._same = models, same
        self._model_id = ""
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(18)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.activated.connect(self._chosen)
        models.models_changed.connect(self._fill)
        self._fill()

    def model_id(self) -> str:
        """The id of the model that is chosen."""
        return self._model_id

    def is_here(self) -> bool:
        """Whether the model that is chosen is on this computer."""
        return not self._model_id or any(entry.id == self._model_id for entry in self._models.entries())

    def show_model(self, model_id: str) -> None:
        """Show this one, even where it is not on this computer; emits nothing."""
        self._model_id = model_id
        self._fill()

    @Slot()
    def _fill(self) -> None:
        self.clear()
        if self._same:
            self.addItem(self._same, "")
        for entry in self._models.entries():
            self.addItem(entry.name, entry.id)
        if not self._same and not self._model_id:
            self._model_id = self._models.default_id
        if not self.is_here():
            self.addItem(f"{self._models.entry(self._model_id).name} (not on this computer)", self._model_id)
        self.setCurrentIndex(max(0, self.findData(self._model_id)))
        self.setToolTip(self.currentText())

    @Slot(int)
    def _chosen(self, at: int) -> None:
        self._model_id = self.itemData(at)
        self.setToolTip(self.currentText())
        self.model_chosen.emit(self._model_id)

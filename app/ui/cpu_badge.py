"""A badge that says that a model runs on the CPU although a GPU was asked for, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QToolButton, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager


class CpuBadge(QToolButton):
    """There only while it is needed; pressed, it leads to the hardware."""

    def __init__(self, models: ModelManager, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._model_id = ""
        self.setText("CPU")
        self.setProperty("kind", "cpuBadge")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(14, 14))
        self.hide()
        models.state_changed.connect(self._state_changed)
        self.set_theme(theme)

    def show_model(self, model_id: str) -> None:
        """Follow this model."""
        self._model_id = model_id
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Draw the warning in this theme's colours."""
        self.setIcon(icon("warning", theme.warn, 14))

    @Slot(str)
    def _state_changed(self, model_id: str) -> None:
        if model_id == self._model_id:
            self._refresh()

    def _refresh(self) -> None:
        facts = self._models.state(self._model_id).facts if self._model_id else None
        why = facts.placement.why_cpu if facts is not None else ""
        self.setVisible(bool(why))
        self.setToolTip(f"{why}\nPress for the hardware.")
        self.setAccessibleName("CPU: no GPU is used")
        self.setAccessibleDescription(why)

"""The sampler values of a comparison: those of all columns, and over them those of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import SettingError
from app.core.options import Sampling
from app.core.settings import Scope, Source
from app.ui.buttons import IconButton
from app.ui.settings_form import SOURCE_WORDS, SettingsForm
from app.ui.theme import Theme
from app.ui.variables_form import VariablesForm

if TYPE_CHECKING:
    from app.services.comparison import Comparison

_WORDS = {**SOURCE_WORDS, Source.CHAT: "Changed here", Source.APP: "As in all columns"}
_WIDTH_PX = 300


class CompareValues(QFrame):
    """Edits the values of all columns or of a chosen one. `left()`: it is to be put away."""

    left = Signal()

    def __init__(self, comparison: Comparison, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column")
        self._comparison = comparison
        self.at: int | None = None
        """The column whose values are shown; None for all."""
        self.target = QComboBox()
        self.target.setAccessibleName("Values for")
        self.target.activated.connect(self._choose)
        self.form = SettingsForm(Sampling, Source.CHAT, theme, scopes=(Scope.CHAT,), words=_WORDS)
        self.form.changed.connect(self._set)
        self.form.reset_asked.connect(self._reset)
        self.close_button = IconButton("close", "Put the values away", theme, side_px=30)
        self.close_button.clicked.connect(self.left)
        note = QLabel("Used from the next answer on. The model stays loaded.")
        note.setProperty("kind", "faint")
        note.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(self.target, 1)
        head.addWidget(self.close_button)
        self.variables = VariablesForm()
        self.variables.changed.connect(comparison.set_variable)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 6, 10, 6)
        column.setSpacing(14)
        column.addWidget(self.variables)
        column.addWidget(self.form)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("Sampler values")
        area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(14, 10, 6, 10)
        whole.setSpacing(6)
        whole.addLayout(head)
        whole.addWidget(note)
        whole.addWidget(area, 1)
        self.set_theme(theme)
        comparison.columns_changed.connect(self._columns_changed)
        comparison.busy_changed.connect(self.form.setDisabled)
        self._columns_changed()

    def flush(self) -> None:
        """Hand over what was entered and not taken yet: before something is asked, and before closing."""
        self.form.flush()

    @Slot(int)
    def _choose(self, index: int) -> None:
        """Show the values of another column; what is still being entered belongs to the one before."""
        self.form.finish()
        self.at = index - 1 if index > 0 else None
        self.target.setCurrentIndex(index)
        self.refresh()

    @Slot()
    def _columns_changed(self) -> None:
        names = [column.contestant.name for column in self._comparison.columns()]
        chosen = min(self.at + 1 if self.at is not None else 0, len(names))
        self.at = chosen - 1 if chosen else None
        self.target.clear()
        self.target.addItems(["All columns", *(f"Column {name}" for name in names)])
        self.target.setCurrentIndex(chosen)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the values as they are now."""
        self.form.show_values(self._comparison.resolved(self.at))
        self.variables.show_variables(self._comparison.wanted(), self._comparison.variables)

    @Slot(str, object)
    def _set(self, key: str, value: Any) -> None:
        try:
            self._comparison.set_value(self.at, key, value)
        except SettingError as error:
            self.form.show_trouble(key, error.detail)

    @Slot(str)
    def _reset(self, key: str) -> None:
        self._comparison.clear_value(self.at, key)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self.setFixedWidth(int(_WIDTH_PX * max(1.0, theme.font_pt / 11)))

"""A small form for the variables of system prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.prompt_variables import Variable


class VariablesForm(QWidget):
    """One line for each variable; an empty one takes the default. Hidden while there are none.

    Signals: `changed(str, object)` with a variable's name and its value, None for the default.
    """

    changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: dict[str, QLineEdit] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(5)
        heading = QLabel("Variables")
        heading.setProperty("kind", "heading")
        self._column.addWidget(heading)
        self._labels: dict[str, QLabel] = {}
        self.hide()

    def show_variables(self, variables: Sequence[Variable], values: Mapping[str, str]) -> None:
        """Show these variables with the values that were given; what is being typed is not overwritten."""
        for name in [name for name in self.fields if name not in {one.name for one in variables}]:
            for gone in (self.fields.pop(name), self._labels.pop(name)):
                self._column.removeWidget(gone)
                gone.deleteLater()
        for variable in variables:
            field = self.fields.get(variable.name) or self._add(variable.name)
            field.setPlaceholderText("No value yet" if variable.default is None else variable.default or "empty")
            if not field.isModified():
                field.setText(values.get(variable.name, ""))
        self.setVisible(bool(variables))

    def _add(self, name: str) -> QLineEdit:
        field, label = QLineEdit(), QLabel(name)
        field.setAccessibleName(f"Value of {name}")
        label.setBuddy(field)
        field.editingFinished.connect(lambda: self._typed(name))
        self.fields[name], self._labels[name] = field, label
        self._column.addWidget(label)
        self._column.addWidget(field)
        return field

    def _typed(self, name: str) -> None:
        field = self.fields.get(name)
        if field is not None and field.isModified():
            field.setModified(False)
            self.changed.emit(name, field.text() or None)

"""A small form for the variables of system prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.prompt_variables import Variable


class VariablesForm(QWidget):
    """One line for each variable; an empty one takes the default, and has a warning's edge where there is none.

    Hidden while there are no variables.

    Signals: `changed(str, object)` with a variable's name and its value, None for the default.
    """

    changed = Signal(str, object)

    def __init__(
        self,
        heading: str = "Variables",
        none: str = "No value yet",
        parent: QWidget | None = None,
        *,
        required: bool = True,
        beside: bool = False,
    ) -> None:
        """`none` stands in a line without value and default; `required`: such a line is marked.

        `beside`: names stand beside their values, not above.
        """
        super().__init__(parent)
        self.accepts: Callable[[str], bool] = lambda value: True
        """Whether a value can be taken; one that cannot is marked, and not told of."""
        self._none, self._required, self._beside = none, required, beside
        self.fields: dict[str, QLineEdit] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(5)
        title = QLabel(heading)
        title.setProperty("kind", "heading")
        self._column.addWidget(title)
        self._lines: dict[str, QWidget] = {}
        self.hide()

    def show_variables(self, variables: Sequence[Variable], values: Mapping[str, str]) -> None:
        """Show these variables with the values that were given; what is being typed is not overwritten."""
        for name in [name for name in self.fields if name not in {one.name for one in variables}]:
            gone = self._lines.pop(name)
            del self.fields[name]
            self._column.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for place, variable in enumerate(variables, start=1):
            field = self.fields.get(variable.name) or self._add(variable.name)
            self._column.insertWidget(place, self._lines[variable.name])
            field.setPlaceholderText(self._none if variable.default is None else variable.default or "empty")
            if not field.isModified():
                field.setText(values.get(variable.name, ""))
                missing = variable.default is None and variable.name not in values
                self._mark(field, self._required and missing)
        self.setVisible(bool(variables))

    def forget(self) -> None:
        """Somebody else's variables come: lines of the same name are not the same."""
        self.show_variables((), {})

    def flush(self) -> None:
        """Tell of what is typed now: before a message is sent."""
        for name in tuple(self.fields):
            self._typed(name)

    def take_keyboard(self) -> None:
        """Go to the first line that has no value, else to the first."""
        fields = list(self.fields.values())
        missing = (field for field in fields if field.property("invalid"))
        if field := next(missing, fields[0] if fields else None):
            field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _mark(self, field: QLineEdit, missing: bool) -> None:
        if bool(field.property("invalid")) != missing:
            field.setProperty("invalid", missing)
            field.style().unpolish(field)
            field.style().polish(field)

    def _add(self, name: str) -> QLineEdit:
        line, field, label = QWidget(), QLineEdit(), QLabel(name)
        field.setAccessibleName(f"Value of {name}")
        label.setBuddy(field)
        label.setMinimumWidth(self.fontMetrics().averageCharWidth() * 12 if self._beside else 0)
        field.editingFinished.connect(lambda: self._typed(name))
        way = QBoxLayout.Direction.LeftToRight if self._beside else QBoxLayout.Direction.TopToBottom
        parts = QBoxLayout(way, line)
        parts.setContentsMargins(0, 0, 0, 0)
        parts.setSpacing(5)
        parts.addWidget(label)
        parts.addWidget(field, 1)
        self.fields[name], self._lines[name] = field, line
        return field

    def _typed(self, name: str) -> None:
        field = self.fields.get(name)
        if field is not None and field.isModified():
            if not self.accepts(field.text()):
                self._mark(field, missing=True)
                field.setToolTip("This cannot be a value here: it has braces, or more than one line")
                return
            field.setModified(False)
            field.setToolTip("")
            nothing = not field.text() and field.placeholderText() == self._none
            self._mark(field, missing=self._required and nothing)
            self.changed.emit(name, field.text() or None)

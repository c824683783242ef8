"""One check on answers in a form: its kind, its values, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.core.checks import VALUES, CheckKind, CheckValue, name_of
from app.core.errors import SettingError
from app.core.lab import Check
from app.scoring.look import prove_check
from app.ui.buttons import IconButton
from app.ui.quiet import QuietComboBox
from app.ui.text_field import TextField
from app.ui.theme import Theme

KIND_WORDS: Mapping[CheckKind, str] = {
    CheckKind.CONTAINS: "Contains",
    CheckKind.LACKS: "Does not contain",
    CheckKind.REGEX: "Matches a pattern",
    CheckKind.EQUALS: "Is exactly",
    CheckKind.JSON: "Is JSON",
    CheckKind.LENGTH: "Has a length",
    CheckKind.LANGUAGE: "Is in a language",
    CheckKind.STOPS: "Ends properly",
    CheckKind.SIMILAR: "Is like the reference",
}
_NUMBER_PX = 140
_VALUE_WORDS = {
    "texts": "Texts, one in each line",
    "which": "How many of them",
    "case": "Capitals matter",
    "pattern": "Regular expression",
    "whole": "It describes the whole answer",
    "absent": "It must not be found",
    "text": "Text",
    "spaces": "Every space matters",
    "marks": "Punctuation around it matters",
    "schema": "JSON schema",
    "fenced": "It may stand in a block of code",
    "unit": "Counted in",
    "low": "At least",
    "high": "At most",
    "codes": "Languages, as two letters each",
    "method": "Measured by",
}


@dataclass(frozen=True, slots=True)
class _Field:
    """A widget for one value; `read` gives None for what is left out."""

    widget: QWidget
    read: Callable[[], Any]


class CheckRow(QFrame):
    """Edits a check. Signals: `changed()`; `remove_asked()`."""

    changed = Signal()
    remove_asked = Signal()

    def __init__(self, check: Check, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._given = check
        self.kind = QuietComboBox()
        self.kind.setAccessibleName("Kind of check")
        for kind, words in KIND_WORDS.items():
            self.kind.addItem(words, kind)
        self.label = QLineEdit(check.label)
        self.label.setPlaceholderText("Name of the check, if you like")
        self.label.setAccessibleName("Name of the check")
        self.label.setAcceptDrops(False)
        self.remove = IconButton("trash", "Take this check away", theme, side_px=30)
        self.fields: dict[str, QWidget] = {}
        self._reads: dict[str, Callable[[], Any]] = {}
        self._form = QFormLayout()
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._trouble = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._trouble.setProperty("kind", "danger")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.kind)
        head.addWidget(self.label, 1)
        head.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 10)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(self._form)
        column.addWidget(self._trouble)
        known = [str(kind) for kind in KIND_WORDS]
        self.kind.setCurrentIndex(known.index(check.kind) if check.kind in known else 0)
        self._fill(check.values)
        self.kind.activated.connect(self._kind_chosen)
        self.label.textChanged.connect(self._edited)
        self.remove.clicked.connect(self.remove_asked)
        self._prove()

    def check(self) -> Check:
        """The check as it stands in the form, right or wrong."""
        kind: CheckKind = self.kind.currentData()
        values = {key: value for key, read in self._reads.items() if (value := read()) is not None}
        defaults = {key: known.default for key, known in VALUES[kind].items()}
        left = {key: value for key, value in values.items() if value != defaults[key] or VALUES[kind][key].needed}
        return Check(str(kind), left, self.label.text().strip())

    def trouble(self) -> str:
        """What is wrong with it; "" where nothing is."""
        return self._trouble.text()

    @Slot()
    def _kind_chosen(self) -> None:
        self._fill({})
        self._edited()

    @Slot()
    def _edited(self) -> None:
        self._prove()
        self.changed.emit()

    def _prove(self) -> None:
        check = self.check()
        try:
            prove_check(check)
            words = ""
        except SettingError as error:
            words = f"{error.title}. {error.detail} {error.hint}".strip()
        self._trouble.setText(words)
        self._trouble.setVisible(bool(words))
        self.setAccessibleName(f"Check: {name_of(check)}")

    def _fill(self, values: Mapping[str, Any]) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)
        self.fields.clear()
        self._reads.clear()
        for key, known in VALUES[self.kind.currentData()].items():
            made = self._field(known, values.get(key, known.default))
            made.widget.setToolTip(known.help)
            made.widget.setAccessibleName(_VALUE_WORDS.get(key, key))
            made.widget.setAccessibleDescription(known.help)
            self.fields[key], self._reads[key] = made.widget, made.read
            if isinstance(made.widget, QCheckBox):
                made.widget.setText(_VALUE_WORDS.get(key, key))
                self._form.addRow(made.widget)
            else:
                self._form.addRow(_VALUE_WORDS.get(key, key), made.widget)

    def _field(self, known: CheckValue, value: Any) -> _Field:
        if known.kind == "yes":
            box = QCheckBox()
            box.setChecked(bool(value))
            box.toggled.connect(self._edited)
            return _Field(box, box.isChecked)
        if known.kind == "choice":
            combo = QuietComboBox()
            combo.addItems(list(known.choices))
            combo.setCurrentText(str(value))
            combo.activated.connect(self._edited)
            return _Field(combo, combo.currentText)
        if known.kind == "share":
            return self._share(value)
        if known.kind == "whole":
            return self._whole(value)
        return self._words(known.kind, value)

    def _share(self, value: Any) -> _Field:
        line = QLineEdit(f"{value:g}" if isinstance(value, int | float) else "0.5")
        line.setMaximumWidth(_NUMBER_PX)
        line.setAcceptDrops(False)
        line.textChanged.connect(self._edited)
        return _Field(line, lambda: _number(line.text()))

    def _whole(self, value: Any) -> _Field:
        line = QLineEdit("" if value is None else str(value))
        line.setValidator(QIntValidator(0, 10_000_000, line))
        line.setPlaceholderText("no limit")
        line.setMaximumWidth(_NUMBER_PX)
        line.setAcceptDrops(False)
        line.textChanged.connect(self._edited)
        return _Field(line, lambda: int(line.text()) if line.text() else None)

    def _words(self, kind: str, value: Any) -> _Field:
        many = kind in ("texts", "schema")
        shown = _shown(value)
        if many:
            field = TextField("")
            field.setPlainText(shown)
            field.setFixedHeight(field.fontMetrics().lineSpacing() * (3 if kind == "texts" else 5) + 16)
            field.textChanged.connect(self._edited)
            if kind == "texts":
                return _Field(field, lambda: [part for part in field.toPlainText().split("\n") if part.strip()] or None)
            return _Field(field, lambda: field.toPlainText().strip() or None)
        line = QLineEdit(shown)
        line.setAcceptDrops(False)
        line.textChanged.connect(self._edited)
        return _Field(line, lambda: line.text() or None)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    if isinstance(value, Mapping | bool):
        import json

        return json.dumps(value, ensure_ascii=False, indent=2)
    return str(value)


def _number(text: str) -> float | str:
    """A share as it is typed; what is none stays a text, and is refused as one."""
    try:
        return round(float(text.replace(",", ".")), 4)
    except ValueError:
        return text

"""The editors for choices, switches and lists of texts, and which editor a setting gets."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QWidget

from app.core.errors import SettingError
from app.core.settings import Kind, Setting, Value
from app.ui.number_editor import SETTLE_MS, NumberEditor
from app.ui.quiet import QuietComboBox
from app.ui.setting_editor import SettingEditor
from app.ui.text_editor import TextEditor
from app.ui.text_field import TextField
from app.ui.theme import Theme

_ON_OFF = ((True, "On"), (False, "Off"))
_AUTO = (None, "auto")


class ChoiceEditor(SettingEditor):
    """A box with the choices, the word for "no value" first; a switch that knows "no value" is one of three."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._shown_auto = ""
        self._box = QuietComboBox(parent)
        self._box.setAccessibleName(setting.label)
        self._box.setAccessibleDescription(setting.help)
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        if setting.none_label is not None:
            self._box.addItem(setting.none_label, None)
        choices = setting.choices or _ON_OFF
        for value, label in choices:
            self._box.addItem(label, value)
        longest = max(len(label) for _, label in choices)
        self._auto = next((at for at in range(self._box.count()) if self._box.itemData(at) in _AUTO), None)
        if longest > 14:
            self.below = self._box
        else:
            self._box.setMinimumContentsLength(max(longest, 0 if self._auto is None else len("Auto: Off")) + 1)
            self.side = self._box
        self._box.activated.connect(self._chosen)

    def show_value(self, value: Value) -> None:
        """Show a value in force."""
        found = [at for at in range(self._box.count()) if self._box.itemData(at) == value]
        self._box.setCurrentIndex(found[0] if found else 0)

    def show_auto(self, text: str) -> None:
        """Write what Auto comes to behind the word."""
        if self._auto is not None and text != self._shown_auto:
            word = self._box.itemText(self._auto).partition(":")[0]
            self._box.setItemText(self._auto, f"{word}: {text}" if text else word)
            self._shown_auto = text

    @Slot(int)
    def _chosen(self, index: int) -> None:
        self.committed.emit(self._box.itemData(index))


class SwitchEditor(SettingEditor):
    """A box to tick that says On or Off beside it."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._box = QCheckBox("Off", parent)
        self._box.setAccessibleName(setting.label)
        self._box.setAccessibleDescription(setting.help)
        self._box.clicked.connect(self._clicked)
        self.side = self._box

    def show_value(self, value: Value) -> None:
        """Show a value in force."""
        self._box.setChecked(bool(value))
        self._box.setText("On" if value else "Off")

    @Slot(bool)
    def _clicked(self, on: bool) -> None:
        self.show_value(on)
        self.committed.emit(on)


class LinesEditor(SettingEditor):
    """A field with one text a line, taken after a pause and when the field is left."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._value: Value = setting.default
        self._shown = ""
        self._field = TextField(f"{setting.label}, one a line", parent)
        self._field.setAcceptDrops(False)
        self._field.too_long.connect(self._refuse)
        self._field.setAccessibleDescription(setting.help)
        self._field.setPlaceholderText("None")
        self._field.setFixedHeight(self._field.fontMetrics().lineSpacing() * 3 + 22)
        self._field.left.connect(self.flush)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS * 4)
        self._settle.timeout.connect(self.flush)
        self._field.textChanged.connect(self._settle.start)
        self.below = self._field

    def show_value(self, value: Value) -> None:
        """Show a value in force; lines that are being typed are not overwritten."""
        self._value = value
        if self._field.toPlainText() == self._shown and self._in_field() != (value or ()):
            self._write(value)

    def _write(self, value: Value) -> None:
        self._field.blockSignals(True)
        self._field.setPlainText(self.setting.typed(value) if isinstance(value, tuple) else "")
        self._field.blockSignals(False)
        self._shown = self._field.toPlainText()

    def _in_field(self) -> Value:
        """What stands there; None where that is not allowed."""
        try:
            return self.setting.parsed(self._field.toPlainText())
        except SettingError as error:
            self.refused.emit(error.detail)
            return None

    @Slot()
    def flush(self) -> None:
        """Commit what stands in the field, if it is new."""
        self._settle.stop()
        self.refused.emit("")
        if self._field.toPlainText() == self._shown:
            return
        value = self._in_field()
        if value is None:
            return
        self._shown = self._field.toPlainText()
        if value != self._value:
            self._value = value
            self.committed.emit(value)

    def forget(self) -> None:
        """Show the lines in force instead of what is being typed."""
        self._settle.stop()
        self.refused.emit("")
        if self._field.toPlainText() != self._shown:
            self._write(self._value)

    @Slot(int)
    def _refuse(self, characters: int) -> None:
        self.refused.emit(f"That text is too long to paste: {characters:,} characters. Nothing was changed.")


def editor_for(setting: Setting, theme: Theme, parent: QWidget) -> SettingEditor:
    """The editor for a setting's kind of value."""
    if setting.kind in (Kind.FLOAT, Kind.INT):
        return NumberEditor(setting, theme, parent)
    if setting.kind is Kind.CHOICE or (setting.kind is Kind.BOOL and setting.none_label is not None):
        return ChoiceEditor(setting, parent)
    if setting.kind is Kind.BOOL:
        return SwitchEditor(setting, parent)
    if setting.kind is Kind.TEXT:
        return TextEditor(setting, parent)
    return LinesEditor(setting, parent)

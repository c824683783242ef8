"""The editor for a setting that is a line of text."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from app.core.errors import SettingError
from app.core.settings import Setting, Value
from app.ui.setting_editor import SettingEditor, has_keyboard


class TextEditor(SettingEditor):
    """A field; an empty one stands for the setting's word for "no value". Taken on Enter and when it is left."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._value: Value = setting.default
        self._field = QLineEdit(parent)
        self._field.setAccessibleName(setting.label)
        self._field.setAccessibleDescription(setting.help)
        self._field.setPlaceholderText(setting.none_label or "")
        # a dropped file belongs to the window
        self._field.setAcceptDrops(False)
        self._field.editingFinished.connect(self.flush)
        self.below = self._field

    def show_value(self, value: Value) -> None:
        """Show a value in force; a line that is being typed is not overwritten."""
        self._value = value
        if self._field.isModified() and has_keyboard(self._field):
            return
        if self._field.text().strip() != (value or ""):
            self._field.setText(str(value or ""))

    def forget(self) -> None:
        """Show the line in force instead of what is being typed."""
        self._field.setModified(False)
        self.refused.emit("")
        self.show_value(self._value)

    @Slot()
    def flush(self) -> None:
        """Commit what stands in the field, if it is new."""
        typed = self._field.text().strip()
        try:
            value = self.setting.checked(typed) if typed or self.setting.none_label is None else None
        except SettingError as error:
            self.refused.emit(error.detail)
            return
        self._field.setModified(False)
        self.refused.emit("")
        if value != self._value:
            self._value = value
            self.committed.emit(value)

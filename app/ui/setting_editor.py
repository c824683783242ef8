"""What every editor of a setting can do; the settings form knows no more than this."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.settings import Setting, Value
from app.ui.theme import Theme


def has_keyboard(field: QWidget) -> bool:
    """Whether somebody is in the field, also while they look at another window."""
    return field.window().focusWidget() is field


class SettingEditor(QObject):
    """Edits one setting. `side` stands beside the label, `below` under it; either may be missing.

    Signals: `committed` with a checked value when the person is done with a change; `refused` with a sentence when
    what was entered is not allowed, and with "" when that is mended.
    """

    committed = Signal(object)
    refused = Signal(str)

    def __init__(self, setting: Setting, parent: QObject) -> None:
        super().__init__(parent)
        self.setting = setting
        self.side: QWidget | None = None
        self.below: QWidget | None = None

    def show_value(self, value: Value) -> None:
        """Show a value that is in force, unless another is being entered; emits nothing."""
        raise NotImplementedError

    def flush(self) -> None:
        """Commit what was entered and not taken yet, if it is allowed."""

    def forget(self) -> None:
        """Let go of what was entered and not taken; `show_value` is not held up by it any longer."""

    def show_auto(self, text: str) -> None:
        """What "Auto" comes to at the moment, where the editor can say it."""

    def set_theme(self, theme: Theme) -> None:
        """Draw icons in this theme's colours."""

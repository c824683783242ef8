"""A form for one group of the app's own settings, which shows what is in force and keeps what is changed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from app.core.errors import SettingError
from app.core.settings import Source, declared, resolve
from app.ui.settings_form import SettingsForm
from app.ui.theme import Theme


class AppForm(SettingsForm):
    """The settings of a group as the preferences have them; call `refresh` when they may have changed."""

    def __init__(
        self,
        group: type,
        read: Callable[[], Any],
        keep: Callable[[str, Any], None],
        theme: Theme,
        parent: QWidget | None = None,
        *,
        leave_out: Collection[str] = (),
    ) -> None:
        """`read` gives the group's values in force; `keep` takes a key and a value, or raises SettingError."""
        super().__init__(group, Source.APP, theme, parent, leave_out=leave_out)
        self._group = group
        self._read = read
        self._keep = keep
        self.changed.connect(self._change)
        self.reset_asked.connect(self._reset)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show what is in force."""
        values = self._read()
        changed = {
            key: getattr(values, key)
            for key, known in declared(self._group).items()
            if getattr(values, key) != known.default
        }
        self.show_values(resolve(self._group, [(Source.APP, changed)]))

    @Slot(str, object)
    def _change(self, key: str, value: Any) -> None:
        try:
            self._keep(key, value)
        except SettingError as error:
            self.show_trouble(key, error.detail)

    @Slot(str)
    def _reset(self, key: str) -> None:
        self._keep(key, declared(self._group)[key].default)

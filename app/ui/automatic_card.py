"""How a model is loaded, each setting automatic or the person's own, beside what Auto comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from app.core.errors import SettingError
from app.core.options import Loading
from app.core.settings import Source, declared
from app.ui.buttons import WordButton
from app.ui.hardware_cards import Card, label
from app.ui.settings_form import SettingsForm
from app.ui.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.services.preferences import Preferences

_ELSEWHERE = ("template", "adapters", "lookup")
"""Edited beside the chat: they are no matter of hardware."""


class AutomaticCard(Card):
    """Edits the loading settings of one model. `changed()`: one was."""

    changed = Signal()

    def __init__(self, preferences: Preferences, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Automatic", parent)
        self._preferences = preferences
        self._model_id = ""
        self.all = WordButton("All automatic", theme, kind="link")
        self.all.clicked.connect(self._all_automatic)
        self.head.addWidget(self.all)
        self._name = label("", "faint", wrap=True)
        self.form = SettingsForm(Loading, Source.MODEL_CHANGED, theme, leave_out=_ELSEWHERE)
        self.form.changed.connect(self._set)
        self.form.reset_asked.connect(self._reset)
        self.column.addWidget(self._name)
        self.column.addWidget(self.form)

    def show_model(self, model_id: str, name: str, auto: Mapping[str, str]) -> None:
        """Show a model's settings, and what Auto comes to by key."""
        if model_id != self._model_id:
            self.form.finish()
        self._model_id = model_id
        self._name.setText(f"For {name}. A change loads it once more, when it is next needed.")
        self.form.show_values(self._preferences.resolved(Loading, model_id), auto)
        self.all.setVisible(self.form.changed_here() > 0)

    @Slot(str, object)
    def _set(self, key: str, value: Any) -> None:
        try:
            self._preferences.set_for_model(self._model_id, key, value)
        except SettingError as error:
            self.form.show_trouble(key, error.detail)
        else:
            self.changed.emit()

    @Slot(str)
    def _reset(self, key: str) -> None:
        self._preferences.clear_for_model(self._model_id, key)
        self.changed.emit()

    @Slot()
    def _all_automatic(self) -> None:
        sources = self._preferences.resolved(Loading, self._model_id).sources
        for key in declared(Loading):
            if key not in _ELSEWHERE and sources[key] is Source.MODEL_CHANGED:
                self._preferences.clear_for_model(self._model_id, key)
        self.changed.emit()

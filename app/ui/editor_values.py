"""The seeds and the sampler values of a new experiment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.errors import SettingError
from app.core.lab import Contestant
from app.core.options import Sampling
from app.core.settings import Scope, Source, declared
from app.ui.buttons import WordButton
from app.ui.quiet import QuietComboBox
from app.ui.settings_form import SOURCE_WORDS, SettingsForm
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.preferences import Preferences

_WORDS = {**SOURCE_WORDS, Source.CHAT: "Changed here", Source.APP: "As for all prompts"}
_MOST_SEEDS = 100
_RANGE = re.compile(r"(\d+)\s*(?:-|–|to)\s*(\d+)")


class EditorValues(QWidget):
    """Edits the values of all prompts, or over them those of one.

    Signals: `changed()`: the person changed something that is for all; `prompt_changed(int, dict)`: the prompt at this
    place has these values of its own now.
    """

    changed = Signal()
    prompt_changed = Signal(int, dict)

    def __init__(self, preferences: Preferences, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences, self._theme = preferences, theme
        self._model_id = ""
        self._overrides: dict[str, Any] = {}
        self._prompts: tuple[Contestant, ...] = ()
        self._at: int | None = None
        """The prompt whose values are shown; None for all."""
        self.field = QLineEdit("1")
        self.field.setAccessibleName("Seeds")
        self.field.setMaximumWidth(220)
        self.field.setAcceptDrops(False)
        self._note = QLabel(wordWrap=True)
        self._note.setProperty("kind", "faint")
        self.show_caution("")
        self.fold = WordButton("Sampler values", theme, kind="fold", icon_name="chevron-right")
        self.fold.setCheckable(True)
        self.form = SettingsForm(Sampling, Source.CHAT, theme, scopes=(Scope.CHAT,), leave_out=("seed",), words=_WORDS)
        self.target = QuietComboBox()
        self.target.setAccessibleName("Values for")
        self.target.addItem("All prompts")
        self.target.activated.connect(self._choose)
        self._folded = QWidget()
        self._folded.setMaximumWidth(460)
        self._folded.hide()
        folded = QVBoxLayout(self._folded)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(10)
        folded.addWidget(self.target)
        folded.addWidget(self.form)
        row = QHBoxLayout()
        row.addWidget(QLabel("Seeds"))
        row.addWidget(self.field)
        row.addWidget(self._note, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.fold)
        column.addWidget(self._folded)
        self.field.textEdited.connect(self._typed)
        self.fold.toggled.connect(self._unfold)
        self.form.changed.connect(self._set)
        self.form.reset_asked.connect(self._reset)

    def seeds(self) -> tuple[int, ...] | None:
        """The seeds as they stand in the field, each once; None where something there is no seed."""
        return seeds_in(self.field.text())

    def overrides(self) -> dict[str, Any]:
        """The sampler values that differ from the model's, by setting key."""
        return dict(self._overrides)

    def show_values(self, model_id: str, seeds: tuple[int, ...], overrides: Mapping[str, Any]) -> None:
        """Show these; emits nothing."""
        self._model_id, self._overrides = model_id, dict(overrides)
        if self.seeds() != seeds:
            self.field.setText(", ".join(map(str, seeds)))
        self._show()

    def show_caution(self, caution: str) -> None:
        """Say what is to be said of the models that answer, instead of what a seed promises; "" for nothing."""
        promise = "The same seed gives the same text again on the CPU."
        self._note.setText(f"Each question is asked once with each. {caution or promise}")

    def show_prompts(self, prompts: tuple[Contestant, ...]) -> None:
        """Show which prompts there are; emits nothing."""
        if prompts == self._prompts:
            return
        chosen = min(self._at + 1 if self._at is not None else 0, len(prompts))
        self._prompts, self._at = prompts, chosen - 1 if chosen else None
        self.target.clear()
        self.target.addItems(["All prompts", *(f"Only “{one.name}”" for one in prompts)])
        self.target.setCurrentIndex(chosen)
        self._show()

    @Slot(int)
    def _choose(self, index: int) -> None:
        """Show the values of another prompt; what is still being entered belongs to the one before."""
        self.form.finish()
        self._at = index - 1 if 0 < index <= len(self._prompts) else None
        self.target.setCurrentIndex(index)
        self._show()

    @Slot()
    def _show(self) -> None:
        if self._at is None:
            self.form.show_values(self._preferences.resolved(Sampling, self._model_id, self._overrides))
        else:
            one = self._prompts[self._at]
            model_id = one.model_id or self._model_id
            found = self._preferences.resolved(Sampling, model_id, {**self._overrides, **one.overrides})
            shared = {key: Source.APP for key in self._overrides if key not in one.overrides}
            self.form.show_values(replace(found, sources={**found.sources, **shared}))
        many = len(self._overrides) + sum(len(one.overrides) for one in self._prompts)
        self.fold.setText("Sampler values" + (f" ({many} changed)" if many else ""))
        fine = self.seeds() is not None
        if self.field.property("invalid") != (not fine):
            self.field.setProperty("invalid", not fine)
            self.field.style().unpolish(self.field)
            self.field.style().polish(self.field)

    @Slot()
    def _typed(self) -> None:
        self._show()
        self.changed.emit()

    @Slot(str, object)
    def _set(self, key: str, value: Any) -> None:
        try:
            checked = declared(Sampling)[key].checked(value)
        except SettingError as error:
            self.form.show_trouble(key, error.detail)
            return
        if self._at is not None:
            self.prompt_changed.emit(self._at, {**self._prompts[self._at].overrides, key: checked})
            return
        self._overrides[key] = checked
        self._show()
        self.changed.emit()

    @Slot(str)
    def _reset(self, key: str) -> None:
        if self._at is not None:
            own = self._prompts[self._at].overrides
            self.prompt_changed.emit(self._at, {known: value for known, value in own.items() if known != key})
            return
        self._overrides.pop(key, None)
        self._show()
        self.changed.emit()

    @Slot(bool)
    def _unfold(self, shown: bool) -> None:
        self.fold.set_icon("chevron-down" if shown else "chevron-right", self._theme)
        self._folded.setVisible(shown)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for icons to come."""
        self._theme = theme


def seeds_in(text: str) -> tuple[int, ...] | None:
    """Whole numbers with commas or blanks between them, and ranges such as 1-5, each once; None for anything else."""
    spread = _RANGE.sub(lambda found: _numbers(int(found[1]), int(found[2])), text)
    words = spread.replace(",", " ").replace(";", " ").split()
    setting = declared(Sampling)["seed"]
    found: dict[int, None] = {}
    for word in words:
        if not word.isdecimal():
            return None
        try:
            setting.checked(int(word))
        except SettingError:
            return None
        found[int(word)] = None
    return tuple(found) if 0 < len(found) <= _MOST_SEEDS else None


def _numbers(low: int, high: int) -> str:
    return " ".join(map(str, range(low, min(high, low + _MOST_SEEDS) + 1))) if low <= high else "x"

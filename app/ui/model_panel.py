"""The inspector's page for a model: what it is, and the settings that hold for all its chats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors import SettingError
from app.core.options import Loading, Sampling
from app.core.overflow import Overflow
from app.core.settings import Source, declared
from app.services.notice import Notice
from app.services.recovery import report_of
from app.ui import auto_words
from app.ui.adapters_panel import AdaptersPanel
from app.ui.buttons import WordButton
from app.ui.default_prompt import DefaultPrompt
from app.ui.model_facts import ElidedLabel, ModelFacts, facts_of
from app.ui.report_button import ReportButton
from app.ui.settings_form import SettingsForm
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.hardware import HardwareWatch
    from app.services.model_manager import ModelManager
    from app.services.preferences import Preferences
    from app.services.prompt_library import PromptLibrary


class ModelPanel(QWidget):
    """Edits the model of the chat on screen.

    Signals: `told(Notice)`: something to tell; `too_long(int)`: a paste was not taken.
    """

    told = Signal(object)
    too_long = Signal(int)

    def __init__(
        self,
        models: ModelManager,
        preferences: Preferences,
        prompts: PromptLibrary,
        theme: Theme,
        hardware: HardwareWatch | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`hardware` tells what Auto would come to for a model that is not loaded."""
        super().__init__(parent)
        self._hardware = hardware
        self._models = models
        self._preferences = preferences
        self._model_id = ""
        self._name = ElidedLabel("")
        self._name.setProperty("kind", "heading")
        self._trouble = QLabel()
        self._trouble.setProperty("kind", "danger")
        self._trouble.setWordWrap(True)
        self._report = ReportButton("", theme, kind="link")
        self._load = WordButton("Load now", theme, kind="outline")
        self._load.clicked.connect(self._load_or_unload)
        self.facts = ModelFacts()
        self.prompt = DefaultPrompt(models, preferences, prompts, theme)
        self.prompt.told.connect(self.told)
        self.prompt.too_long.connect(self.too_long)
        self.loading = SettingsForm(Loading, Source.MODEL_CHANGED, theme, leave_out=("adapters",))
        self.adapters = AdaptersPanel(theme)
        self.adapters.changed.connect(self._set_adapters)
        self.overflow = SettingsForm(Overflow, Source.MODEL_CHANGED, theme)
        self.sampling = SettingsForm(Sampling, Source.MODEL_CHANGED, theme)
        for form in (self.loading, self.overflow, self.sampling):
            form.changed.connect(self._set)
            form.reset_asked.connect(self._reset)
        self._reset_all = WordButton("Back to the defaults", theme, kind="link", icon_name="reset")
        self._reset_all.clicked.connect(self._reset_everything)
        self._lay_out()
        models.state_changed.connect(self._changed)
        if hardware is not None:
            hardware.forecast_made.connect(self._forecast_made)
        preferences.model_settings_changed.connect(self._changed)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._name, 1)
        head.addWidget(self._load)
        note = QLabel("A change here loads the model once more, when it is next needed.")
        note.setProperty("kind", "faint")
        note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 14, 18)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._trouble)
        column.addWidget(self._report, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.facts)
        column.addSpacing(6)
        column.addWidget(self.prompt)
        column.addSpacing(6)
        column.addWidget(self.loading)
        column.addWidget(self.adapters)
        column.addWidget(note)
        column.addSpacing(6)
        column.addWidget(self.overflow)
        column.addSpacing(6)
        column.addWidget(self.sampling)
        column.addWidget(self._reset_all)
        column.addStretch()

    def show_model(self, model_id: str) -> None:
        """Show this model."""
        if model_id != self._model_id:
            self.flush()
            for form in (self.loading, self.overflow, self.sampling):
                form.finish()
            self._model_id = model_id
        self._refresh()

    def flush(self) -> None:
        """Hand over what is typed but not yet taken."""
        self.prompt.flush()
        self.adapters.flush()
        for form in (self.loading, self.overflow, self.sampling):
            form.flush()

    @Slot(str)
    def _changed(self, model_id: str) -> None:
        if model_id == self._model_id:
            self._refresh()

    def _refresh(self) -> None:
        entry, state = self._models.entry(self._model_id), self._models.state(self._model_id)
        self._name.setText(entry.name)
        self._name.setToolTip(entry.name)
        self._trouble.setText(str(state.error) if state.error is not None else "")
        self._trouble.setVisible(state.error is not None)
        self._report.set_report(report_of(state.error))
        self._report.setVisible(bool(report_of(state.error)))
        load = self._models.remedy(self._model_id, state.error) or "Load now"
        self._load.setText({"ready": "Unload", "loading": "Loading…"}.get(state.kind, load))
        self._load.setEnabled(state.kind != "loading")
        self.facts.show_facts(facts_of(entry, state))
        self.prompt.show_model(self._model_id)
        loading = self._preferences.resolved(Loading, self._model_id)
        self.loading.show_values(loading, self._auto())
        self.adapters.show_lines(loading.values.adapters)
        self.sampling.show_values(self._preferences.resolved(Sampling, self._model_id))
        self.overflow.show_values(self._preferences.resolved(Overflow, self._model_id))
        self._reset_all.setVisible(any(form.changed_here() for form in (self.loading, self.overflow, self.sampling)))

    def _auto(self) -> dict[str, str]:
        """What Auto came to when the model was loaded; where it is not, what it would come to."""
        state = self._models.state(self._model_id)
        if state.facts is not None:
            return auto_words.of_loaded(state)
        if self._hardware is None or state.kind == "loading" or not self.isVisible():
            return {}
        loading = self._preferences.resolved(Loading, self._model_id).values
        found = self._hardware.forecast(self._models.entry(self._model_id).path, loading)
        return auto_words.of_forecast(found) if found is not None else {}

    @Slot(str)
    def _forecast_made(self, path: str) -> None:
        if self._models.entry(self._model_id).path == path:
            self._refresh()

    @Slot(tuple)
    def _set_adapters(self, lines: tuple[str, ...]) -> None:
        if lines:
            self._set("adapters", lines)
        else:
            self._reset("adapters")

    @Slot()
    def _load_or_unload(self) -> None:
        state = self._models.state(self._model_id)
        if state.kind == "ready":
            self._models.unload()
        elif self._models.remedy(self._model_id, state.error):
            self._models.load_again(self._model_id)
        else:
            self._models.prepare(self._model_id)

    @Slot(str, object)
    def _set(self, key: str, value: Any) -> None:
        try:
            self._preferences.set_for_model(self._model_id, key, value)
        except SettingError as error:
            for form in (self.loading, self.overflow, self.sampling):
                form.show_trouble(key, error.detail)

    @Slot(str)
    def _reset(self, key: str) -> None:
        self._preferences.clear_for_model(self._model_id, key)

    @Slot()
    def _reset_everything(self) -> None:
        model_id = self._model_id
        before: dict[str, Any] = {}
        for group in (Loading, Overflow, Sampling):
            resolved = self._preferences.resolved(group, model_id)
            before |= {
                key: getattr(resolved.values, key)
                for key in declared(group)
                if resolved.sources[key] is Source.MODEL_CHANGED
            }

        def undo() -> None:
            for key, value in before.items():
                self._preferences.set_for_model(model_id, key, value)

        for key in before:
            self._preferences.clear_for_model(model_id, key)
        self.told.emit(Notice("The model has its default settings again", actions=(("Undo", undo),)))

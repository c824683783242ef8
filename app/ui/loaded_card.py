"""The model that is loaded: where its layers really are, why not on the GPU, and what would mend that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.hardware_words import layers_words, where_words
from app.ui.badge import Badge
from app.ui.buttons import WordButton
from app.ui.hardware_cards import Card, label
from app.ui.layer_strip import LayerStrip
from app.ui.model_facts import ElidedLabel
from app.ui.theme import Theme
from app.ui.words import state_words

if TYPE_CHECKING:
    from app.core.hardware import Forecast
    from app.services.model_manager import ModelState

_LEVELS = {"GPU": "good", "GPU + CPU": "accent", "CPU": "plain", "CPU (asked GPU)": "warn"}


class LoadedCard(Card):
    """Signals: `load_asked()`; `again_asked()`: try the GPU once more; `context_asked(int)`: use so many tokens."""

    load_asked = Signal()
    again_asked = Signal()
    context_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Loaded now", parent)
        self._context = 0
        self._name = ElidedLabel("")
        self._name.setProperty("kind", "fact")
        self._quant = label("", "faint")
        self.badge = Badge(theme)
        self._state = label("", "muted", wrap=True)
        self.load = WordButton("Load it now", theme, kind="outline")
        self.load.clicked.connect(self.load_asked)
        self._layers = label("", "heading")
        self._split = label("", "faint")
        self.strip = LayerStrip(theme)
        self._why = label("", "muted", wrap=True)
        self.again = WordButton("Try the GPU again", theme, kind="outline", icon_name="refresh")
        self.again.clicked.connect(self.again_asked)
        self._tip = label("", "muted", wrap=True)
        self.use = WordButton("", theme, kind="outline")
        self.use.clicked.connect(self._use_context)
        self._adapters = label("", "faint", wrap=True)
        self._placed = QWidget()
        self._lay_out()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._name, 1)
        row.addWidget(self._quant)
        row.addWidget(self.badge)
        self.column.addLayout(row)
        for words, button in ((self._state, self.load),):
            self.column.addLayout(_beside(words, button))
        column = QVBoxLayout(self._placed)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.addWidget(self._layers, 1)
        row.addWidget(self._split)
        column.addLayout(row)
        column.addWidget(self.strip)
        column.addLayout(_beside(self._why, self.again))
        column.addLayout(_beside(self._tip, self.use))
        column.addWidget(self._adapters)
        self.column.addWidget(self._placed)

    def show_state(self, name: str, state: ModelState, forecast: Forecast | None, *, has_gpu: bool) -> None:
        """Show a model; `forecast`: how it would be loaded now, if that is known."""
        facts = state.facts
        self._name.setText(name)
        self._name.setToolTip(name)
        self._placed.setVisible(facts is not None)
        if facts is not None:
            self._show_placement(state, forecast, has_gpu=has_gpu)
        else:
            self._quant.setText("")
            self.badge.show_words("", "plain")
        self._state.setVisible(facts is None)
        self.load.setVisible(state.kind in ("unloaded", "failed"))
        words = "It is loaded when the first message is sent." if state.kind == "unloaded" else state_words(state)
        trouble = forecast.trouble if forecast is not None else ""
        self._state.setText(str(state.error) if state.error is not None else trouble or words)

    def _show_placement(self, state: ModelState, forecast: Forecast | None, *, has_gpu: bool) -> None:
        facts = state.facts
        assert facts is not None
        where, count = facts.placement, facts.n_layers + 1
        words = where_words(where, facts.n_layers)
        self._quant.setText(facts.quant)
        self.badge.show_words(words, _LEVELS[words])
        self._layers.setText(layers_words(where, facts.n_layers))
        on_cpu = count - where.gpu_layers
        if on_cpu == count:
            self._split.setText("▨ all on the processor")
        elif on_cpu:
            self._split.setText(f"▨ 1–{on_cpu} processor   ■ {on_cpu + 1}–{count} GPU")
        else:
            self._split.setText("■ all on the GPU")
        self.strip.show_layers(where.gpu_layers, count)
        self._why.setText(where.why_cpu)
        self._why.setVisible(bool(where.why_cpu))
        self.again.setVisible(bool(where.why_cpu) and has_gpu)
        self._adapters.setText("LoRA adapters: " + ", ".join(where.adapters))
        self._adapters.setVisible(bool(where.adapters))
        whole = forecast.whole_context if forecast is not None else 0
        self._show_tip(whole if where.gpu_layers < count and 0 < whole < facts.n_ctx else 0, count)

    def _show_tip(self, whole_context: int, count: int) -> None:
        self._context = whole_context
        self._tip.setText(
            f"With a context of {self._context:,} all {count} layers would fit on the GPU." if self._context else ""
        )
        self.use.setText(f"Use {self._context:,}")
        for part in (self._tip, self.use):
            part.setVisible(bool(self._context))

    def words(self) -> str:
        """What it says of the model."""
        shown = (self._name, self._state, self._layers, self._split, self._why, self._tip, self._adapters)
        return " · ".join(part.text() for part in shown if not part.isHidden() and part.text())

    def _use_context(self) -> None:
        self.context_asked.emit(self._context)


def _beside(words: QWidget, button: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(10)
    row.addWidget(words, 1)
    row.addWidget(button)
    return row

"""Memory in use, device by device, and what a longer context would take."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.devices import CPU
from app.core.fit import AUTO_SHARE, Machine, Needs, offload
from app.core.hardware import Hardware
from app.core.placement import Placement
from app.ui.buttons import WordButton
from app.ui.hardware_cards import Card, label
from app.ui.memory_bar import MemoryBar, Part, gib, with_unit
from app.ui.quiet import QuietSlider
from app.ui.theme import Theme

_STEP = 256
_LEAST = 512
_POSITIONS = 200


def device_parts(name: str, hardware: Hardware, free_bytes: int | None, held: dict[str, int],
                 running: Placement | None) -> tuple[str, list[Part]] | None:  # fmt: skip
    """A device's memory by what takes it, and its sum in words; None where nobody tells how much there is.

    `held`: what a model had on each device when the free memory was looked at.
    """
    here = running.on(name) if running is not None else Placement().on(name)
    if name == CPU:
        total, free = hardware.memory_total_bytes, free_bytes
        if not total or free is None:
            return None
        other = max(0, total - free - here.taken)
    else:
        gpu = next((gpu for gpu in hardware.gpus() if gpu.name == name), None)
        if gpu is None or not gpu.total_bytes:
            return None
        total = gpu.total_bytes
        other = max(0, total - gpu.free_bytes - held.get(name, 0))
    rest = max(0, total - other - here.total)
    parts = [
        Part("Weights", here.weights, "weights"),
        Part("Context", here.context, "context"),
        Part("Work", here.work, "work"),
        Part("Other programs", other, "other"),
        Part("Free", rest, "free"),
    ]
    return f"{gib(total - rest)} of {with_unit(total)} used", parts


class MemoryCard(Card):
    """A bar for each GPU and one for the computer's memory."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Memory in use", parent)
        self._theme = theme
        self.head.addWidget(label("in GiB", "faint"))
        self.bars: dict[str, MemoryBar] = {}
        self._bars = QVBoxLayout()
        self._bars.setSpacing(12)
        self.column.addLayout(self._bars)

    def show_memory(self, hardware: Hardware, free_bytes: int | None, held: dict[str, int],
                    running: Placement | None) -> None:  # fmt: skip
        """Show what is taken of what."""
        gpus = hardware.gpus()
        names = {gpu.name: f"GPU memory · {gpu.title}" if len(gpus) > 1 else "GPU memory" for gpu in gpus}
        for name, title in {**names, CPU: "Computer memory"}.items():
            found = device_parts(name, hardware, free_bytes, held, running)
            if name not in self.bars:
                self.bars[name] = MemoryBar(self._theme)
                # the computer's own stays last
                self._bars.insertWidget(self._bars.count() - (CPU in self.bars and name != CPU), self.bars[name])
            self.bars[name].setVisible(found is not None)
            if found is not None:
                self.bars[name].show_memory(title, *found)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for bars to come."""
        self._theme = theme


class EstimateCard(Card):
    """What a context of so many tokens would take, and where it would lie. `context_asked(int)`: use it."""

    context_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Context estimate", parent)
        self._needs: Needs | None = None
        self._machine: Machine | None = None
        self._now = 0
        self.slider = QuietSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _POSITIONS)
        self.slider.setMinimumWidth(60)
        self.slider.setMaximumWidth(200)
        self.slider.setAccessibleName("Context to estimate, in tokens")
        self.slider.valueChanged.connect(self._show)
        self._tokens = label("", "fact")
        self.head.addWidget(label("Context", "faint"))
        self.head.addWidget(self.slider)
        self.head.addWidget(self._tokens)
        self.bar = MemoryBar(theme)
        self._verdict = label("", "muted", wrap=True)
        self.use = WordButton("Use it", theme, kind="outline")
        self.use.clicked.connect(self._use)
        self.column.addWidget(self.bar)
        row = QHBoxLayout()
        row.addWidget(self._verdict, 1)
        row.addWidget(self.use)
        self.column.addLayout(row)

    def show_needs(self, needs: Needs | None, machine: Machine | None, n_ctx: int) -> None:
        """Show a model's needs on this machine; the slider starts at the context in force."""
        self.setVisible(needs is not None and machine is not None and needs.n_ctx_train >= _LEAST)
        moved = (needs, machine) != (self._needs, self._machine)
        self._needs, self._machine = needs, machine
        if needs is not None and n_ctx != self._now:
            self._now = n_ctx
            self.slider.setValue(self._position(n_ctx))
        if moved:
            self._show()

    def n_ctx(self) -> int:
        """The context that the slider stands at."""
        most = max(_LEAST, self._needs.n_ctx_train if self._needs is not None else 0)
        tokens = _LEAST * (most / _LEAST) ** (self.slider.value() / _POSITIONS)
        near = self._position(self._now) == self.slider.value() if self._now else False
        return self._now if near else max(_STEP, round(tokens / _STEP) * _STEP)

    def words(self) -> str:
        """What it says."""
        return self._verdict.text()

    def _position(self, n_ctx: int) -> int:
        most = max(_LEAST + 1, self._needs.n_ctx_train if self._needs is not None else 0)
        share = math.log(max(n_ctx, _LEAST) / _LEAST) / math.log(most / _LEAST)
        return round(min(1.0, share) * _POSITIONS)

    @Slot()
    def _show(self) -> None:
        needs, machine = self._needs, self._machine
        if needs is None or machine is None:
            return
        n_ctx = self.n_ctx()
        self._tokens.setText(f"{n_ctx:,} tokens")
        cards = machine.cards()
        usable = sum(card.free_bytes or 0 for card in cards) if cards else machine.free_bytes or 0
        usable = int(usable * AUTO_SHARE)
        kv = int(n_ctx * needs.kv_bytes_per_token)
        parts = [
            Part("Weights", needs.weights_bytes, "weights"),
            Part("Context", kv, "context"),
            Part("Work", needs.working_bytes, "work"),
        ]
        free = max(0, usable - needs.total(n_ctx))
        where = "on the GPU" if cards else "in memory"
        shown = [*parts, Part("Free", free, "free")]
        self.bar.show_memory("", f"usable {where}: {with_unit(usable)}", shown, usable)
        self._verdict.setText(estimate_words(needs, n_ctx, machine))
        self.use.setVisible(n_ctx != self._now)
        self.use.setText(f"Use {n_ctx:,}")

    @Slot()
    def _use(self) -> None:
        self.context_asked.emit(self.n_ctx())


def estimate_words(needs: Needs, n_ctx: int, machine: Machine) -> str:
    """Where a model with such a context would lie, in a sentence."""
    each = needs.kv_bytes_per_token / 1024
    cost = f"{each:,.0f} KiB a token." if each >= 1 else f"{each * 1024:,.0f} bytes a token."
    placed, free = offload(needs, n_ctx, machine), machine.free_bytes
    if free is not None and placed.main_bytes > free:
        return f"Too much: {with_unit(placed.main_bytes - free)} more than is free. {cost}"
    if machine.cards() and placed.layers > needs.n_layers:
        return f"Everything fits on the GPU. {cost}"
    if machine.cards():
        rest = needs.n_layers + 1 - placed.layers
        return f"{rest} of {needs.n_layers + 1} layers go to the processor. {cost}"
    if free is not None and placed.main_bytes > free * AUTO_SHARE:
        return f"It fits, but leaves little for other programs. {cost}"
    return f"It fits in memory. {cost}"

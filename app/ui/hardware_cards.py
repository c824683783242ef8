"""What the computer has, card by card: processor, graphics, memory, and the backends that were tried."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.hardware import BackendState, Hardware
from app.core.hardware_words import STATES, backend_title, cores_words, gib, instruction_words, memory_words
from app.core.placement import Placement
from app.ui.badge import Badge
from app.ui.icons import icon
from app.ui.model_facts import ElidedLabel
from app.ui.theme import Theme
from app.ui.words import gigabytes

_ICON_PX = 17
_CARD_LETTERS = 24
"""So wide is a card at least."""


def label(words: str, kind: str, *, wrap: bool = False) -> QLabel:
    """A line of plain text in one of the style sheet's kinds."""
    made = QLabel(words, wordWrap=wrap, textFormat=Qt.TextFormat.PlainText)
    made.setProperty("kind", kind)
    return made


class Card(QFrame):
    """A frame with a title."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(18, 14, 18, 16)
        self.column.setSpacing(8)
        self.head = QHBoxLayout()
        self.head.setSpacing(8)
        self.title = label(title, "title")
        self.head.addWidget(self.title, 1)
        self.column.addLayout(self.head)


class FactCard(QFrame):
    """One part of the computer: its kind and state, its name, and two lines of facts."""

    def __init__(self, icon_name: str, kind: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._icon_name = icon_name
        self._picture = QLabel()
        self.badge = Badge(theme)
        self.badge.hide()
        self._name = ElidedLabel("")
        self._name.setProperty("kind", "fact")
        self._lines = [label("", "faint", wrap=True) for _ in range(2)]
        head = QHBoxLayout()
        head.setSpacing(7)
        head.addWidget(self._picture)
        head.addWidget(label(kind, "muted"), 1)
        head.addWidget(self.badge)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 12)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._name)
        for line in self._lines:
            column.addWidget(line)
        column.addStretch()
        self.set_theme(theme)

    def show_facts(self, name: str, first: str, second: str, badge: tuple[str, str] = ("", "plain")) -> None:
        """Show these; the badge's words and level."""
        self._name.setText(name)
        self._name.setToolTip(name)
        for line, words in zip(self._lines, (first, second), strict=True):
            line.setText(words)
            line.setVisible(bool(words))
        self.badge.show_words(*badge)

    def words(self) -> str:
        """All that it says."""
        return " · ".join(filter(None, (self._name.text(), *(line.text() for line in self._lines), self.badge.words())))

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        # cards without a badge are as high as those with one
        self._picture.setMinimumHeight(self.badge.sizeHint().height())
        self._picture.setPixmap(icon(self._icon_name, theme.muted, _ICON_PX).pixmap(QSize(_ICON_PX, _ICON_PX)))


class FactCards(QWidget):
    """Processor, graphics and memory side by side; one card for each GPU."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.processor = FactCard("chip", "Processor", theme)
        self.memory = FactCard("ram", "Memory", theme)
        self.graphics: list[FactCard] = []
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._row.addWidget(self.processor, 1)
        self._row.addWidget(self.memory, 1)

    def show_hardware(self, hardware: Hardware, free_bytes: int | None, disk_free: int | None,
                      running: Placement | None) -> None:  # fmt: skip
        """Show what was found, and what of it a model uses."""
        in_use = ("In use", "good")
        on_gpus = running.gpu_layers if running is not None else 0
        self.processor.show_facts(
            hardware.cpu or "Unknown processor",
            cores_words(hardware),
            instruction_words(hardware),
            in_use if running is not None else ("", "plain"),
        )
        total = gib(hardware.memory_total_bytes) if hardware.memory_total_bytes else "Unknown"
        self.memory.show_facts(
            total,
            f"{gib(free_bytes)} free now",
            f"Disk {gigabytes(disk_free)} free" if disk_free is not None else "",
        )
        gpus = hardware.gpus()
        self._make_graphics(max(1, len(gpus)))
        if not gpus:
            self.graphics[0].show_facts("None found", "llama.cpp sees no GPU", "Models run on the processor")
        for card, gpu in zip(self.graphics, gpus, strict=False):
            held = running is not None and running.on(gpu.name).total > 0 and on_gpus
            kind = "shares the computer’s memory" if gpu.unified else gpu.name
            card.show_facts(gpu.title, memory_words(gpu), f"{gpu.backend}, {kind}", in_use if held else ("", "plain"))

    def _make_graphics(self, count: int) -> None:
        while len(self.graphics) < count:
            self.graphics.append(FactCard("hardware", "Graphics", self._theme))
            self._row.insertWidget(len(self.graphics), self.graphics[-1], 1)
        while len(self.graphics) > count:
            card = self.graphics.pop()
            card.hide()
            card.deleteLater()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Below each other where there is no room beside."""
        super().resizeEvent(event)
        needed = (len(self.graphics) + 2) * self.fontMetrics().averageCharWidth() * _CARD_LETTERS
        narrow = self.width() < needed
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != direction:
            self._row.setDirection(direction)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for cards to come."""
        self._theme = theme


class BackendsCard(Card):
    """The ways to compute that llama.cpp has, tried or missed, each with its reason."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Backends tried", parent)
        self._theme = theme
        self._inside = QWidget()
        self.column.addWidget(self._inside)
        self._shown: tuple[tuple[str, str, str, str], ...] | None = None
        self._advice = label("", "faint", wrap=True)
        self._advice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(self._advice)

    def show_backends(self, hardware: Hardware, used: Sequence[str]) -> None:
        """Show them; `used` are those that a loaded model lies on."""
        levels = {BackendState.READY: "plain", BackendState.REFUSED: "bad", BackendState.ABSENT: "plain"}
        rows = tuple(
            (backend_title(backend.name), backend.reason)
            + (("In use", "good") if backend.name in used else (STATES[backend.state], levels[backend.state]))
            for backend in hardware.backends
        )
        self._advice.setText(hardware.advice)
        self._advice.setVisible(bool(hardware.advice))
        if rows != self._shown:
            self._shown = rows
            self._fill(rows)

    def rows(self) -> list[str]:
        """What is said of each."""
        return [f"{name}: {state}. {reason}" for name, reason, state, _ in self._shown or ()]

    def _fill(self, rows: Sequence[tuple[str, str, str, str]]) -> None:
        before, self._inside = self._inside, QWidget()
        column = QVBoxLayout(self._inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for place, (name, reason, state, level) in enumerate(rows):
            if place:
                line = QFrame()
                line.setObjectName("rule")
                line.setFixedHeight(1)
                column.addWidget(line)
            head = QHBoxLayout()
            head.addWidget(label(name, "fact"), 1)
            badge = Badge(self._theme)
            badge.show_words(state, level)
            head.addWidget(badge)
            column.addLayout(head)
            column.addWidget(label(reason, "faint", wrap=True))
        self.column.replaceWidget(before, self._inside)
        before.hide()
        before.deleteLater()

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for badges to come."""
        self._theme = theme

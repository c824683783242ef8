"""What is known of a model, as a small table of words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.ui.words import gigabytes, parameters, state_words

if TYPE_CHECKING:
    from app.services.model_manager import ModelEntry, ModelState

_QUANT = re.compile(
    r"(?<![A-Za-z0-9])((?:I?Q\d[A-Za-z0-9]*(?:_[A-Za-z0-9]+)*)|BF16|F16|F32)(?![A-Za-z0-9])", re.IGNORECASE
)


def facts_of(entry: ModelEntry, state: ModelState) -> list[tuple[str, str]]:
    """Names and values, in the order to show them; what is only known of a loaded model is missing before."""
    rows = [("State", state_words(state))]
    facts = state.facts
    if facts is not None:
        rows += [
            ("Architecture", facts.architecture),
            ("Parameters", parameters(facts.n_params)),
        ]
    if quant := (facts.quant if facts is not None else "") or quant_in(entry.path):
        rows.append(("Quant", quant))
    if entry.size_bytes:
        rows.append(("Size on disk", gigabytes(entry.size_bytes)))
    if facts is not None:
        rows += [
            ("Trained context", f"{facts.n_ctx_train:,} tokens"),
            ("Context in use", f"{facts.n_ctx:,} tokens"),
            ("Layers on the GPU", f"{facts.gpu_layers} of {facts.n_layers + 1}" if facts.gpu_layers else "None"),
            ("Chat template", facts.template),
        ]
    return [*rows, ("File", entry.path)]


def quant_in(path: str) -> str:
    """The quant that a file is named after, as quants are written; "" where it names none."""
    found = _QUANT.findall(path.replace("\\", "/").rsplit("/", 1)[-1])
    return found[-1].upper() if found else ""


class ElidedLabel(QLabel):
    """A line of text that is shortened in its middle where room is short; the tooltip has all of it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """A few letters are enough."""
        return QSize(self.fontMetrics().averageCharWidth() * 8, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        del event
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        box: QRect = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, box.width())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)


class ModelFacts(QWidget):
    """The table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: list[tuple[str, str]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)

    def show_facts(self, rows: list[tuple[str, str]]) -> None:
        """Show these names and values."""
        if [name for name, _ in rows] != [name for name, _ in self._shown]:
            while (item := self._grid.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.deleteLater()
            for place, (name, value) in enumerate(rows):
                label = QLabel(name)
                label.setProperty("kind", "muted")
                self._grid.addWidget(label, place, 0)
                self._grid.addWidget(ElidedLabel(value), place, 1)
        for place, (_, value) in enumerate(rows):
            item = self._grid.itemAtPosition(place, 1)
            shown = item.widget() if item is not None else None
            if isinstance(shown, ElidedLabel):
                shown.setText(value)
                shown.setToolTip(value)
        self._shown = rows

    def facts(self) -> list[tuple[str, str]]:
        """What is shown."""
        return list(self._shown)

"""How many tokens of context to judge a model for: a slider with the usual steps, and a field for any number."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from app.ui.quiet import QuietSlider

USUAL_CONTEXT = 8192
_LEAST = 1024
_FEWEST = 256
_MOST_WHERE_UNKNOWN = 131_072


class ContextChooser(QWidget):
    """Chooses a number of tokens. `changed(int)` when the person chose another."""

    changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: list[int] = []
        self._value = USUAL_CONTEXT
        label = QLabel("Context")
        label.setProperty("kind", "heading")
        note = QLabel("How much the model can read at once; more takes more memory")
        note.setProperty("kind", "faint")
        note.setWordWrap(True)
        self.slider = QuietSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Context to judge the sizes for, in steps")
        self.slider.setPageStep(1)
        self.field = QLineEdit()
        self.field.setProperty("kind", "value")
        self.field.setAccessibleName("Context to judge the sizes for, in tokens")
        self.field.setMaxLength(12)
        self.field.setAcceptDrops(False)
        self.field.setFixedWidth(self.field.fontMetrics().horizontalAdvance("10,000,000") + 24)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        tokens = QLabel("tokens")
        tokens.setProperty("kind", "muted")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.slider, 0, 1)
        grid.addWidget(self.field, 0, 2)
        grid.addWidget(tokens, 0, 3)
        grid.addWidget(note, 1, 0, 1, 4)
        self.slider.valueChanged.connect(self._slid)
        self.field.editingFinished.connect(self._typed)
        self.set_most(None)

    def set_most(self, n_ctx_train: int | None) -> None:
        """Up to what the model was trained for; the value stays where it can."""
        most = max(_FEWEST, min(n_ctx_train or _MOST_WHERE_UNKNOWN, 10_000_000))
        steps = [_LEAST << place for place in range(24) if _LEAST << place < most]
        self._steps = [*steps, most]
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, len(self._steps) - 1)
        self.set_value(min(self._value, most))
        self.slider.setEnabled(len(self._steps) > 1)

    def value(self) -> int:
        """The tokens chosen."""
        return self._value

    def set_value(self, tokens: int) -> None:
        """Show a number of tokens; emits nothing."""
        self._value = tokens
        self.field.setText(f"{tokens:,}")
        with QSignalBlocker(self.slider):
            nearest = min(range(len(self._steps)), key=lambda place: abs(self._steps[place] - tokens))
            self.slider.setValue(nearest)

    @Slot(int)
    def _slid(self, place: int) -> None:
        self._take(self._steps[place])

    @Slot()
    def _typed(self) -> None:
        digits = "".join(char for char in self.field.text() if char in "0123456789")
        self._take(min(max(int(digits), _FEWEST), self._steps[-1]) if digits else self._value)
        self.field.setText(f"{self._value:,}")

    def _take(self, tokens: int) -> None:
        if tokens != self._value:
            self.set_value(tokens)
            self.changed.emit(tokens)

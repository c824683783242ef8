"""What can be done with all columns of a comparison, as a bar of buttons; where there is little room, of icons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from app.ui.buttons import IconButton, WordButton
from app.ui.model_facts import ElidedLabel
from app.ui.theme import Theme


class CompareBar(QWidget):
    """`baseline_chosen(int)`: differences are to be marked from this column, counted from 1; from none by 0."""

    baseline_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.add = WordButton("Add a column", theme, kind="outline", icon_name="plus")
        self.again = WordButton("Ask again", theme, kind="outline", icon_name="refresh")
        self.again.setToolTip("Ask the last message once more, by the prompts as they are now")
        self.anew = WordButton("Start over", theme, kind="outline", icon_name="reset")
        self.anew.setToolTip("Forget what was said in all columns; the prompts stay")
        self.copy = WordButton("Copy all", theme, kind="outline", icon_name="copy")
        self.copy.setToolTip("Put all columns into the clipboard as Markdown")
        self.values = WordButton("Values", theme, kind="outline", icon_name="settings")
        self.values.setCheckable(True)
        self.values.setToolTip("Variables, temperature, seed and more, for all columns or for one")
        self._words = {one: one.text() for one in (self.add, self.again, self.anew, self.copy, self.values)}
        self._label = QLabel("Differences")
        self.against = QComboBox()
        self.against.setAccessibleName("Mark differences from")
        self.against.activated.connect(self._choose)
        self._label.setBuddy(self.against)
        self.test = IconButton("table", "Test these prompts in an experiment", theme)
        self.facts = ElidedLabel("")
        self.facts.setProperty("kind", "faint")
        self.baseline = 0
        """The column that differences are marked from, counted from 1; 0 for none."""
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        for button, words in self._words.items():
            button.setAccessibleName(words)
            line.addWidget(button)
        for part in (self._label, self.against, self.test):
            line.addWidget(part)
        line.addWidget(self.facts, 1)

    @property
    def buttons(self) -> tuple[WordButton, ...]:
        """Those that have words where there is room."""
        return tuple(self._words)

    def show_names(self, names: Sequence[str]) -> None:
        """Offer the columns of these names to mark differences from."""
        self.baseline = min(self.baseline, len(names))
        self.against.clear()
        self.against.addItem("not marked")
        self.against.addItems([f"from {name}" for name in names])
        self.against.setCurrentIndex(self.baseline)

    def show_facts(self, facts: Sequence[str]) -> None:
        """Show these at the right, and whole in the tooltip."""
        self.facts.setText(" · ".join(facts))
        self.facts.setToolTip("\n".join(facts))

    def set_narrow(self, narrow: bool) -> None:
        """Where there is little room, buttons are their icons alone."""
        for button, words in self._words.items():
            button.setText("" if narrow else words)
        for words_only in (self._label, self.facts):
            words_only.setVisible(not narrow)

    @Slot(int)
    def _choose(self, index: int) -> None:
        self.baseline = index
        self.baseline_chosen.emit(index)

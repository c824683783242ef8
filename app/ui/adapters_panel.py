"""The LoRA adapters of a model: which files, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.adapters import MOST_WEIGHT, Adapter, adapter_of
from app.core.settings import Kind, Scope, Setting, Value
from app.ui.buttons import IconButton, WordButton
from app.ui.file_dialogs import ask_adapter
from app.ui.model_facts import ElidedLabel
from app.ui.number_editor import NumberEditor
from app.ui.theme import Theme


class AdapterRow(QWidget):
    """One adapter. Signals: `weighed(float)`; `remove_asked()`."""

    weighed = Signal(float)
    remove_asked = Signal()

    def __init__(self, adapter: Adapter, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.adapter = adapter
        name = Path(adapter.path).name
        shown = ElidedLabel(name)
        shown.setToolTip(adapter.path)
        setting = Setting(
            "weight",
            Kind.FLOAT,
            1.0,
            f"Weight of {name}",
            "0 is nothing of it, 1 is as its authors meant it.",
            Scope.MODEL,
            low=0,
            high=MOST_WEIGHT,
            step=0.05,
        )
        self.editor = NumberEditor(setting, theme, self)
        self.editor.show_value(adapter.weight)
        self.editor.committed.connect(self._weighed)
        self.remove = IconButton("close", f"Take {name} off", theme, side_px=26)
        self.remove.clicked.connect(self.remove_asked)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(shown, 1)
        if self.editor.side is not None:
            row.addWidget(self.editor.side)
        row.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        if self.editor.below is not None:
            column.addWidget(self.editor.below)

    @Slot(object)
    def _weighed(self, weight: Value) -> None:
        if isinstance(weight, float):
            self.weighed.emit(weight)


class AdaptersPanel(QWidget):
    """Lists them. `changed(tuple)`: the lines as the setting keeps them."""

    changed = Signal(tuple)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: tuple[str, ...] = ()
        self.rows: list[AdapterRow] = []
        heading = QLabel("LoRA adapters")
        heading.setProperty("kind", "heading")
        self.add = WordButton("Add an adapter…", theme, kind="link", icon_name="plus")
        self.add.clicked.connect(self._ask)
        self._note = QLabel("Small GGUF files that change how the model answers.", wordWrap=True)
        self._note.setProperty("kind", "faint")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._column.addWidget(heading)
        self._column.addWidget(self._note)
        self._column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show these; rows whose file stays are left alone, so that a field keeps the keyboard."""
        adapters = [adapter_of(line) for line in lines]
        if [row.adapter.path for row in self.rows] != [adapter.path for adapter in adapters]:
            for row in self.rows:
                row.hide()
                row.deleteLater()
            self.rows = [self._row(adapter) for adapter in adapters]
        for row, adapter in zip(self.rows, adapters, strict=True):
            row.adapter = adapter
            row.editor.show_value(adapter.weight)
        self._lines = tuple(map(str, adapters))
        self._note.setVisible(not adapters)

    def flush(self) -> None:
        """Tell of weights that were entered and not taken yet."""
        for row in tuple(self.rows):
            row.editor.flush()

    def lines(self) -> tuple[str, ...]:
        """What is shown, as the setting keeps it."""
        return self._lines

    def add_file(self, path: str) -> None:
        """Add an adapter with weight 1; one that is there already stays as it is."""
        if path not in (row.adapter.path for row in self.rows):
            self.changed.emit((*self._lines, str(Adapter(path))))

    def _row(self, adapter: Adapter) -> AdapterRow:
        row = AdapterRow(adapter, self._theme)
        row.weighed.connect(lambda weight: self._weigh(row, weight))
        row.remove_asked.connect(lambda: self._remove(row))
        self._column.insertWidget(self._column.count() - 1, row)
        return row

    def _weigh(self, row: AdapterRow, weight: float) -> None:
        changed = replace(row.adapter, weight=weight)
        self.changed.emit(tuple(str(changed if one is row else one.adapter) for one in self.rows))

    def _remove(self, row: AdapterRow) -> None:
        self.changed.emit(tuple(str(one.adapter) for one in self.rows if one is not row))

    @Slot()
    def _ask(self) -> None:
        ask_adapter(self, self.add_file)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for rows to come."""
        self._theme = theme

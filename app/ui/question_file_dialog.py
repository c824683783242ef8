"""How the questions of a file are read: which columns are what, and how many of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import AppError
from app.datasets.questions import QuestionsRead, Wanted
from app.ui.buttons import WordButton
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.question_sets import QuestionSets

_MEANINGS = (
    ("text", "Question"),
    ("reference", "Reference answer"),
    ("system", "Instructions"),
    ("key", "Id"),
    ("tags", "Tags"),
)
_MOST, _USUAL = 100_000, 100
_SHOWN = 4


class QuestionFileDialog(QDialog):
    """Reads and shows the first ones. `chosen(tuple)` with the questions."""

    chosen = Signal(tuple)

    def __init__(self, path: str, sets: QuestionSets, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Questions from a file")
        self._path, self._sets = path, sets
        self._read: QuestionsRead | None = None
        self._asked = 0
        self._over = False
        """Whether the dialog is closed: what was asked of the file may still come."""
        name = QLabel(Path(path).name)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setProperty("kind", "title")
        self.limit = QLineEdit(str(_USUAL))
        self.limit.setValidator(QIntValidator(1, _MOST, self.limit))
        self.limit.setFixedWidth(self.limit.fontMetrics().horizontalAdvance("100,000") + 30)
        self.limit.setAcceptDrops(False)
        self.limit.setAccessibleName("At most so many questions")
        self.drawn = QCheckBox("drawn by chance, not the first ones")
        self.columns: dict[str, QComboBox] = {}
        self._form = QFormLayout()
        for meaning, words in _MEANINGS:
            box = QComboBox()
            box.setAccessibleName(f"Column of: {words}")
            box.activated.connect(self.read)
            self.columns[meaning] = box
            self._form.addRow(words, box)
        self.state = QLabel("Reading…", wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.state.setProperty("kind", "muted")
        self.preview = QPlainTextEdit(readOnly=True)
        self.preview.setTabChangesFocus(True)
        self.preview.setAccessibleName("The first questions")
        self.add = WordButton("Add", theme, kind="filled")
        self.add.setEnabled(False)
        self.cancel = WordButton("Cancel", theme, kind="outline")
        self._lay_out(name)
        self.limit.editingFinished.connect(self.read)
        self.drawn.toggled.connect(self.read)
        self.add.clicked.connect(self._add)
        self.cancel.clicked.connect(self.reject)
        self.finished.connect(self._closed)
        sets.read_columns(path, self._show_columns, self._columns_failed)
        self.read()

    def _lay_out(self, name: QLabel) -> None:
        many = QHBoxLayout()
        many.addWidget(QLabel("At most"))
        many.addWidget(self.limit)
        many.addWidget(QLabel("questions,"))
        many.addWidget(self.drawn)
        many.addStretch(1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(name)
        column.addLayout(many)
        column.addLayout(self._form)
        column.addWidget(self.state)
        column.addWidget(self.preview, 1)
        column.addLayout(buttons)
        self.resize(600, 560)
        for box in self.columns.values():
            self._form.setRowVisible(box, False)

    def wanted(self) -> Wanted:
        """What is asked for, as it stands in the form."""
        columns = {meaning: box.currentData() for meaning, box in self.columns.items() if box.currentData()}
        limit = int(self.limit.text()) if self.limit.hasAcceptableInput() else _USUAL
        return Wanted(limit, 1 if self.drawn.isChecked() else None, columns)

    @Slot()
    def read(self) -> None:
        """Read the file as the form says."""
        if self._over:
            return
        self._asked += 1
        mine = self._asked
        self.add.setEnabled(False)

        def then(found: QuestionsRead) -> None:
            if mine == self._asked and not self._over:
                self._show_read(found)

        def failed(error: AppError) -> None:
            if mine == self._asked and not self._over:
                self._failed(error)

        self._sets.read_file(self._path, self.wanted(), then, failed)

    @Slot()
    def _closed(self) -> None:
        self._over = True

    def _columns_failed(self, error: AppError) -> None:
        del error  # reading the questions tells of the same

    def _show_columns(self, names: Sequence[str]) -> None:
        if self._over:
            return
        for meaning, box in self.columns.items():
            self._form.setRowVisible(box, bool(names))
            box.clear()
            box.addItem("found by its name", "")
            for name in names:
                box.addItem(name, name)
            if self._read is not None:
                self._name_guess(meaning, box)

    def _name_guess(self, meaning: str, box: QComboBox) -> None:
        """Say which column was found for a meaning by its name."""
        guess = self._read.columns.get(meaning, "") if self._read is not None else ""
        if box.count():
            box.setItemText(0, f"{guess} (by its name)" if guess else "none")

    def _show_read(self, found: QuestionsRead) -> None:
        self._read = found
        for meaning, box in self.columns.items():
            if not box.currentData():
                self._name_guess(meaning, box)
        many = len(found.questions)
        words = "1 question" if many == 1 else f"{many:,} questions"
        if found.empty:
            words += f"; {found.empty:,} rows ask nothing"
        if found.unread_checks:
            words += f"; checks in {found.unread_checks:,} rows are not understood and left out: they are JSON, as in"
            words += ' [{"kind": "contains", "texts": ["Paris"]}]'
        self.state.setText(words)
        self._set_kind("muted")
        parts = []
        for one in found.questions[:_SHOWN]:
            lines = [f"[{one.system_prompt[:200]}]"] if one.system_prompt else []
            lines.append(one.text[:600])
            if one.reference:
                lines.append(f"→ {one.reference[:300]}")
            parts.append("\n".join(lines))
        self.preview.setPlainText("\n\n".join(parts))
        self.add.setText("Add 1 question" if many == 1 else f"Add {many:,} questions")
        self.add.setEnabled(True)

    def _failed(self, error: AppError) -> None:
        self.state.setText(" ".join(part for part in (f"{error.title}.", error.detail, error.hint) if part))
        self._set_kind("bad")
        self.preview.clear()
        self.add.setEnabled(False)

    def _set_kind(self, kind: str) -> None:
        self.state.setProperty("kind", kind)
        self.state.style().unpolish(self.state)
        self.state.style().polish(self.state)

    @Slot()
    def _add(self) -> None:
        if self._read is not None:
            self.accept()
            self.chosen.emit(self._read.questions)

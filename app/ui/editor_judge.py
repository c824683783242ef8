"""The judge of a new experiment: a model that compares answers, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.judging import DEFAULT_JUDGE_PROMPT
from app.core.lab import Judge
from app.ui.buttons import WordButton
from app.ui.model_box import ModelBox
from app.ui.text_field import TextField
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager

_LINES = 8


class EditorJudge(QWidget):
    """Signals: `changed()`; `too_long(int)` for a paste that was not taken."""

    changed = Signal()
    too_long = Signal(int)

    def __init__(self, models: ModelManager, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._overrides: Mapping[str, Any] = {}
        self.on = QCheckBox("A model compares the answers, two at a time, each pair in both orders")
        self.model = ModelBox("Model that judges", models, "The experiment’s model")
        self.prompt = TextField("What the judge is told")
        self.prompt.setPlainText(DEFAULT_JUDGE_PROMPT)
        self.prompt.setFixedHeight(self.prompt.fontMetrics().lineSpacing() * _LINES + 16)
        self.reset = WordButton("Back to the usual instructions", theme, kind="link")
        note = QLabel(
            "It has to end with one line: A, B or tie. A small model judges badly: rate a few pairs yourself and look "
            "whether it agrees with you.",
            wordWrap=True,
        )
        note.setProperty("kind", "faint")
        self._detail = QWidget()
        row = QHBoxLayout()
        row.addWidget(QLabel("Judged by"))
        row.addWidget(self.model)
        row.addStretch(1)
        row.addWidget(self.reset)
        detail = QVBoxLayout(self._detail)
        detail.setContentsMargins(0, 0, 0, 0)
        detail.setSpacing(8)
        detail.addLayout(row)
        detail.addWidget(self.prompt)
        detail.addWidget(note)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.on)
        column.addWidget(self._detail)
        self.on.toggled.connect(self._toggled)
        self.model.model_chosen.connect(self.changed)
        self.prompt.textChanged.connect(self._edited)
        self.prompt.too_long.connect(self.too_long)
        self.reset.clicked.connect(lambda: self.prompt.setPlainText(DEFAULT_JUDGE_PROMPT))
        self._toggled(False)

    @property
    def is_on(self) -> bool:
        """Whether there is a judge."""
        return self.on.isChecked()

    def judge(self) -> Judge | None:
        """The judge as it stands in the form."""
        if not self.is_on:
            return None
        return Judge(self.model.model_id(), self.prompt.toPlainText().strip() or DEFAULT_JUDGE_PROMPT, self._overrides)

    def show_judge(self, judge: Judge | None) -> None:
        """Show this one; emits nothing."""
        self.blockSignals(True)
        self._overrides = judge.overrides if judge is not None else {}
        self.model.show_model(judge.model_id if judge is not None else "")
        self.prompt.setPlainText(judge.prompt if judge is not None else DEFAULT_JUDGE_PROMPT)
        self.on.setChecked(judge is not None)
        self.blockSignals(False)

    @Slot(bool)
    def _toggled(self, on: bool) -> None:
        self._detail.setVisible(on)
        self._edited()

    @Slot()
    def _edited(self) -> None:
        self.reset.setVisible(self.prompt.toPlainText().strip() != DEFAULT_JUDGE_PROMPT)
        self.changed.emit()

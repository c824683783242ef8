"""One question of a new experiment: what is asked, what is expected, and what is looked for in its answers alone."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.lab import Question
from app.ui.buttons import WordButton
from app.ui.checks_editor import ChecksEditor
from app.ui.text_field import TextField
from app.ui.theme import Theme


class QuestionForm(QWidget):
    """Edits a question. Signals: `edited(Question)`; `too_long(int)` for a paste that was not taken."""

    edited = Signal(object)
    too_long = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._question = Question("", "")
        self._filling = False
        self.text = self._field("Question", 4)
        self.reference = self._field("Reference answer", 3)
        self.reference.setPlaceholderText("What a good answer says; for checks, the judge and you")
        self.system = self._field("Instructions with the question", 2)
        self.system.setPlaceholderText("Stands behind every prompt, for this question alone")
        self.tags = QLineEdit()
        self.tags.setAccessibleName("Tags")
        self.tags.setPlaceholderText("Tags, with commas between them")
        self.tags.setAcceptDrops(False)
        self.checks = ChecksEditor(theme)
        self.more = WordButton(
            "Instructions, tags and checks of its own", theme, kind="fold", icon_name="chevron-right"
        )
        self.more.setCheckable(True)
        self._folded = QWidget()
        self._lay_out()
        for field in (self.text, self.reference, self.system):
            field.textChanged.connect(self._edited)
            field.too_long.connect(self.too_long)
        self.tags.textEdited.connect(self._edited)
        self.checks.changed.connect(self._edited)
        self.more.toggled.connect(self._unfold)
        self._unfold(False)

    def _field(self, name: str, lines: int) -> TextField:
        field = TextField(name)
        field.setFixedHeight(field.fontMetrics().lineSpacing() * lines + 16)
        return field

    def _lay_out(self) -> None:
        folded = QVBoxLayout(self._folded)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(6)
        folded.addWidget(_label("Instructions with the question"))
        folded.addWidget(self.system)
        folded.addWidget(_label("Tags"))
        folded.addWidget(self.tags)
        folded.addWidget(_label("Checks for this question, besides those for all"))
        folded.addWidget(self.checks)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(_label("Question"))
        column.addWidget(self.text)
        column.addWidget(_label("Reference answer"))
        column.addWidget(self.reference)
        column.addWidget(self.more)
        column.addWidget(self._folded)
        column.addStretch(1)

    def show_question(self, question: Question) -> None:
        """Show another one; emits nothing."""
        self._question = question
        self._filling = True
        for field, text in (
            (self.text, question.text),
            (self.reference, question.reference),
            (self.system, question.system_prompt),
        ):
            if field.toPlainText() != text:
                field.setPlainText(text)
        self.tags.setText(", ".join(question.tags))
        self.checks.show_checks(question.checks)
        own = bool(question.system_prompt or question.tags or question.checks)
        self.more.setChecked(self.more.isChecked() or own)
        self._filling = False

    @Slot()
    def _edited(self) -> None:
        if self._filling:
            return
        tags = tuple(tag for part in self.tags.text().split(",") if (tag := part.strip()))
        new = replace(
            self._question,
            text=self.text.toPlainText(),
            reference=self.reference.toPlainText(),
            system_prompt=self.system.toPlainText(),
            tags=tags,
            checks=self.checks.checks(),
        )
        if new != self._question:
            self._question = new
            self.edited.emit(new)

    @Slot(bool)
    def _unfold(self, shown: bool) -> None:
        self.more.set_icon("chevron-down" if shown else "chevron-right", self._theme)
        self._folded.setVisible(shown)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for icons to come."""
        self._theme = theme


def _label(words: str) -> QLabel:
    made = QLabel(words)
    made.setProperty("kind", "section")
    return made

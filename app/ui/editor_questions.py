"""The questions of a new experiment: typed, pasted, read from files, or taken from a kept set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.core.lab import Question
from app.datasets.questions import questions_from_text, with_keys
from app.ui.buttons import WordButton
from app.ui.file_dialogs import ask_questions
from app.ui.question_file_dialog import QuestionFileDialog
from app.ui.question_form import QuestionForm
from app.ui.question_list import QuestionList
from app.ui.shrinking import Shrinking
from app.ui.text_field import TextField
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.question_sets import QuestionSets

_NARROW_PX = 560
_WORDS_PX = 690
_HINT = "One question in each line; where empty lines part them, a question in each paragraph."


class EditorQuestions(QWidget):
    """Signals: `changed()`: the questions are others now; `too_long(int)` for a paste that was not taken."""

    changed = Signal()
    too_long = Signal(int)

    def __init__(self, sets: QuestionSets, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sets, self._theme = sets, theme
        self.write = WordButton("Write or paste", theme, kind="outline", icon_name="edit")
        self.write.setCheckable(True)
        self.file = WordButton("Read a file…", theme, kind="outline", icon_name="file")
        self.file.setToolTip("CSV, JSON lines, Parquet or plain text; OpenOrca’s own columns are understood")
        self.kept = WordButton("From a kept set", theme, kind="outline", icon_name="list")
        self.kept.setMenu(QMenu(self.kept))
        self.keep = WordButton("Keep as a set…", theme, kind="outline", icon_name="download")
        self.clear = WordButton("Take all away", theme, kind="outline", icon_name="trash")
        self.list = QuestionList()
        self.form = QuestionForm(theme)
        self.paste = TextField("Questions to add")
        self.paste.setPlaceholderText("Write or paste questions here")
        self.take = WordButton("Add these questions", theme, kind="filled")
        self._count = QLabel()
        self._count.setProperty("kind", "faint")
        self._beside = QStackedWidget()
        self._lay_out()
        self._connect()
        self._show_state()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.write, self.file, self.kept, self.keep, self.clear):
            buttons.addWidget(button)
        buttons.addStretch(1)
        pasting = QWidget()
        paste = QVBoxLayout(pasting)
        paste.setContentsMargins(0, 0, 0, 0)
        paste.setSpacing(8)
        hint = QLabel(_HINT, wordWrap=True)
        hint.setProperty("kind", "faint")
        paste.addWidget(self.paste, 1)
        paste.addWidget(hint)
        paste.addWidget(self.take, 0, Qt.AlignmentFlag.AlignLeft)
        self._beside.addWidget(pasting)
        self._beside.addWidget(self.form)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self.list, 1)
        left.addWidget(self._count)
        self.list.setMinimumHeight(self.fontMetrics().height() * 12)
        self._both = both = QHBoxLayout()
        self._shrinking = Shrinking(self.write, self.file, self.kept, self.keep, self.clear)
        both.setSpacing(12)
        both.addLayout(left, 2)
        both.addWidget(self._beside, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(buttons)
        column.addLayout(both)

    def _connect(self) -> None:
        self.write.toggled.connect(self._show_state)
        self.file.clicked.connect(lambda: ask_questions(self, self.read_file))
        self.kept.menu().aboutToShow.connect(self.list_sets)
        self.kept.menu().triggered.connect(self._take_set)
        self.keep.clicked.connect(self._ask_name)
        self.clear.clicked.connect(lambda: self._replace([]))
        self.take.clicked.connect(self.add_pasted)
        self.paste.textChanged.connect(self._show_take)
        self.paste.too_long.connect(self.too_long)
        self.list.chosen.connect(self._show_question)
        self.list.removed.connect(self._remove)
        self.list.dropped.connect(self.read_file)
        self.form.edited.connect(self._edited)
        self.form.too_long.connect(self.too_long)
        self._show_take()

    # --- what is there ----------------------------------------------------------------------------------------------

    def questions(self) -> tuple[Question, ...]:
        """The questions, each with a key of its own; those that ask nothing are left out."""
        return with_keys(one for one in self.list.rows.questions if one.text.strip())

    def show_questions(self, questions: Iterable[Question]) -> None:
        """Show these; emits nothing."""
        self.list.rows.show_questions(list(questions))
        if self.list.rows.questions:
            self.list.go_to(0)
        self.write.setChecked(not self.list.rows.questions)
        self._show_state()

    def add_questions(self, questions: Sequence[Question]) -> None:
        """Put more behind those that are there."""
        before = len(self.list.rows.questions)
        self._replace([*self.list.rows.questions, *questions])
        if questions:
            self.write.setChecked(False)
            self.list.go_to(before)

    def trouble(self) -> str:
        """What is wrong with the checks of the question that is shown; "" for nothing."""
        return self.form.checks.trouble()

    def _replace(self, questions: list[Question]) -> None:
        self.list.rows.show_questions(questions)
        if not questions:
            self.write.setChecked(True)
        self._show_state()
        self.changed.emit()

    @Slot()
    def _show_state(self) -> None:
        many = len(self.list.rows.questions)
        self._count.setText("No questions yet" if not many else "1 question" if many == 1 else f"{many:,} questions")
        self.keep.setEnabled(many > 0)
        self.clear.setEnabled(many > 0)
        self._beside.setCurrentIndex(0 if self.write.isChecked() or not many else 1)
        if self.write.isChecked() and self.isVisible():
            self.paste.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _show_take(self) -> None:
        many = len(questions_from_text(self.paste.toPlainText())) if len(self.paste.toPlainText()) < 100_000 else 2
        self.take.setEnabled(many > 0)
        self.take.setText("Add this question" if many == 1 else "Add these questions")

    @Slot(int)
    def _show_question(self, at: int) -> None:
        if 0 <= at < len(self.list.rows.questions):
            self.form.show_question(self.list.rows.questions[at])
            if self.write.isChecked() and self.list.hasFocus():
                self.write.setChecked(False)

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot()
    def add_pasted(self) -> None:
        """Take what is in the field as questions."""
        found = questions_from_text(self.paste.toPlainText())
        if found:
            self.paste.clear()
            # keys are given anew when all are together
            self.add_questions([Question("", one.text) for one in found])

    @Slot(str)
    def read_file(self, path: str) -> QuestionFileDialog:
        """Show what is in a file, to take questions from it."""
        dialog = QuestionFileDialog(path, self._sets, self._theme, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self.add_questions)
        dialog.open()
        return dialog

    @Slot()
    def list_sets(self) -> QMenu:
        """Fill the menu of kept sets."""
        menu = self.kept.menu()
        menu.clear()
        for one in self._sets.sets():
            menu.addAction(f"{one.name}\t{one.count:,}".replace("&", "&&")).setData(one.id)
        if not self._sets.sets():
            menu.addAction("There is none yet").setEnabled(False)
        return menu

    @Slot(QAction)
    def _take_set(self, action: QAction) -> None:
        if action.data():
            self._sets.questions(action.data(), self.add_questions)

    @Slot()
    def _ask_name(self) -> None:
        dialog = QInputDialog(self.window())
        dialog.setWindowTitle("Keep these questions")
        dialog.setLabelText("Name of the set. One of this name is replaced.")
        dialog.textValueSelected.connect(lambda name: self._sets.keep(name, self.questions()) if name.strip() else None)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot()
    def _remove(self) -> None:
        gone = set(self.list.chosen_rows())
        if gone:
            first = min(gone)
            self._replace([one for at, one in enumerate(self.list.rows.questions) if at not in gone])
            if self.list.rows.questions:
                self.list.go_to(min(first, len(self.list.rows.questions) - 1))

    @Slot(object)
    def _edited(self, question: Question) -> None:
        at = self.list.currentIndex().row()
        if 0 <= at < len(self.list.rows.questions):
            self.list.rows.put(at, question)
            self.changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, a question stands below the list, and buttons are their icons."""
        super().resizeEvent(event)
        scale = max(1.0, self._theme.font_pt / 11)
        below = self.width() < _NARROW_PX * scale
        self._both.setDirection(QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight)
        self._shrinking.set_narrow(self.width() < _WORDS_PX * scale)

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        return QSize(240, super().minimumSizeHint().height())

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for dialogs to come."""
        self._theme = theme

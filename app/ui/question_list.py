"""The questions of a new experiment as a list of any length."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.core.lab import Question
from app.datasets.questions import ENDINGS

Index = QModelIndex | QPersistentModelIndex


class QuestionModel(QAbstractListModel):
    """Holds the questions; a long text shows its beginning."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.questions: list[Question] = []

    def show_questions(self, questions: list[Question]) -> None:
        """Show these."""
        self.beginResetModel()
        self.questions = questions
        self.endResetModel()

    def put(self, at: int, question: Question) -> None:
        """Replace one."""
        self.questions[at] = question
        self.dataChanged.emit(self.index(at), self.index(at))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return 0 if parent.isValid() else len(self.questions)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The number and the beginning."""
        if not index.isValid() or index.row() >= len(self.questions):
            return None
        one = self.questions[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{index.row() + 1}   {' '.join(one.text[:200].split()) or '(empty)'}"
        return one.text[:600] if role == Qt.ItemDataRole.ToolTipRole else None


class QuestionList(QListView):
    """Shows the questions, and takes files of them.

    Signals: `chosen(int)`: the row with the keyboard, -1 for none; `removed()`: Delete was pressed; `dropped(str)`: a
    file of questions was dropped.
    """

    chosen = Signal(int)
    removed = Signal()
    dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = QuestionModel(self)
        self.setModel(self.rows)
        self.setProperty("kind", "items")
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName("Questions")
        self.setAccessibleDescription("Delete takes the chosen questions away.")
        self.setAcceptDrops(True)

    def chosen_rows(self) -> list[int]:
        """The rows that are selected."""
        return sorted(index.row() for index in self.selectedIndexes())

    def go_to(self, at: int) -> None:
        """Choose a row."""
        self.setCurrentIndex(self.rows.index(at))

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell which row it is."""
        super().currentChanged(current, previous)
        self.chosen.emit(current.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete asks to take away what is selected."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files of questions; others belong to the window."""
        if _file_in(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """As on entering."""
        if _file_in(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """A file to read."""
        if path := _file_in(event):
            event.acceptProposedAction()
            self.dropped.emit(path)


def _file_in(event: QDropEvent) -> str:
    """The path of a file of questions that is dragged here; "" for anything else."""
    urls = event.mimeData().urls()
    path = urls[0].toLocalFile() if len(urls) == 1 and urls[0].isLocalFile() else ""
    return path if path.lower().endswith(ENDINGS) else ""

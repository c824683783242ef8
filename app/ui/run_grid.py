"""The grid of a run: questions down, prompts across, both headers always in sight."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QLabel, QTableView, QWidget

from app.core.lab import Place
from app.ui.run_delegate import RunDelegate
from app.ui.run_headers import PromptHeader, QuestionHeader
from app.ui.run_model import Index, RunModel
from app.ui.theme import Theme

_COLUMN_LETTERS = 12
_QUESTION_SHARE = 0.34
_OPEN_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class RunGrid(QTableView):
    """Shows a `RunModel`. `chosen(Place)`: the person went to this cell; `opened(Place)`: and wants to read it."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, model: RunModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run, self._theme = model, theme
        self._kept: Place | None = None
        self._delegate = RunDelegate(theme, self)
        self._prompts, self._questions = PromptHeader(model, theme, self), QuestionHeader(theme, self)
        self.setProperty("kind", "grid")
        self.setAccessibleName("Answers")
        self.setAccessibleDescription("Questions down, prompts across. Enter shows an answer.")
        self.setHorizontalHeader(self._prompts)
        self.setVerticalHeader(self._questions)
        self.setItemDelegate(self._delegate)
        self.setModel(model)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._questions.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._prompts.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._corner = QLabel("Question")
        self._corner.setParent(self)
        self._corner.setProperty("kind", "section")
        self._corner.setIndent(14)
        self._corner.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        self._corner.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(self._clicked)
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._go_back)
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self._delegate.set_theme(theme)
        self._fit()
        self.viewport().update()

    def place(self) -> Place | None:
        """The cell that is chosen."""
        return self._run.place(self.currentIndex())

    def choose(self, place: Place) -> bool:
        """Go to a cell; False where a filter hides it."""
        index = self._run.index_of(place)
        if index.isValid():
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)
        return index.isValid()

    def step(self, lines: int) -> None:
        """Go so many lines down, or up, in the same column."""
        index = self.currentIndex()
        there = min(max(0, index.row() + lines), self._run.rowCount() - 1)
        place = self._run.place(self._run.index(there, max(0, index.column())))
        if place is not None:
            self.choose(place)

    def _fit(self) -> None:
        """Columns share the width that there is, and are never narrower than their words."""
        line = self.fontMetrics().height()
        self._questions.setDefaultSectionSize(line + 14)
        self._questions.width_px = max(line * 8, min(line * 18, int(self.width() * _QUESTION_SHARE)))
        self._questions.setFixedWidth(self._questions.width_px)
        self._prompts.setFixedHeight(self._prompts.sizeHint().height())
        columns = max(1, self._run.columnCount())
        room = self.width() - self._questions.width_px - 14
        least = self.fontMetrics().averageCharWidth() * _COLUMN_LETTERS
        self._prompts.setDefaultSectionSize(max(least, min(2 * least, room // columns)))
        self._corner.setGeometry(0, 0, self._questions.width_px, self._prompts.height() - 9)
        self.updateGeometries()

    @Slot(object)
    def _clicked(self, index: Index) -> None:
        place = self._run.place(index)
        if place is not None:
            self.opened.emit(place)

    @Slot()
    def _remember(self) -> None:
        self._kept = self.place()

    @Slot()
    def _go_back(self) -> None:
        if self._kept is not None:
            self.choose(self._kept)

    # Qt

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell where the person is."""
        super().currentChanged(current, previous)
        self._questions.current = current.row()
        self._questions.viewport().update()
        place = self._run.place(current)
        if place is not None:
            self.chosen.emit(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Space open a cell; arrows go from one to the next."""
        place = self.place()
        if place is not None and event.key() in _OPEN_KEYS:
            self.opened.emit(place)
        elif place is None and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Right) and self._run.rowCount():
            self.choose(Place(0, self._run.question_at(0)[0], self._run.question_at(0)[1]))
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may need other columns."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def minimumSizeHint(self) -> QSize:
        """A few lines and a column."""
        return QSize(200, 160)

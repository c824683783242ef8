"""The list of experiments, the kept questions, and what was deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.services.experiments import RunState
from app.ui.buttons import WordButton
from app.ui.confirming import confirm
from app.ui.experiment_rows import RUN_COLUMNS, SET_COLUMNS, TRASH_COLUMNS, run_rows, set_rows, trash_rows
from app.ui.filter_field import FilterField
from app.ui.row_layout import page_margin
from app.ui.row_view import RowView
from app.ui.soon import Soon
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.experiments import Experiments, RunRow

_REFRESH_MS = 250
_FIRST_STEPS = (
    "An experiment asks every prompt every question, looks through the answers, and can let a model or you say which "
    "is better. Write or paste a few questions, choose two prompts, and start."
)


class ExperimentsHome(QScrollArea):
    """Lists everything.

    Signals: `new_asked()`; `file_asked()`: begin with a plan file; `opened(int)`, `pressed(int)`: a run's row or its
    button; `menu_asked(int, QPoint)`; `set_pressed(int)`: begin with the questions of this set;
    `set_menu_asked(int, QPoint)`; `set_removed(int)`.
    """

    new_asked = Signal()
    file_asked = Signal()
    opened = Signal(int)
    pressed = Signal(int)
    menu_asked = Signal(int, QPoint)
    removed = Signal(int)
    set_pressed = Signal(int)
    set_menu_asked = Signal(int, QPoint)
    set_removed = Signal(int)

    def __init__(self, experiments: Experiments, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._experiments = experiments
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.new = WordButton("New experiment", theme, kind="filled", icon_name="plus")
        self.file = WordButton("From a plan file…", theme, kind="outline", icon_name="file")
        self.search = FilterField("Search experiments", theme)
        self.runs = RowView("Experiments", "Experiment", RUN_COLUMNS, theme, button="Restore")
        self.runs.setAccessibleDescription("Enter opens an experiment, Space presses the button in its row.")
        self.sets = RowView("Question sets", "Set", SET_COLUMNS, theme, button="Restore")
        self.sets.setAccessibleDescription("Enter begins an experiment with these questions, Delete deletes the set.")
        self.trash = RowView("Deleted experiments", "Experiment", TRASH_COLUMNS, theme, button="Restore")
        self.trash.setAccessibleDescription("Space brings an experiment back, Delete deletes it for good.")
        self.fold = WordButton("Deleted experiments", theme, kind="fold", icon_name="chevron-right")
        self.fold.setCheckable(True)
        self._theme = theme
        self._words = QLabel(_FIRST_STEPS, wordWrap=True)
        self._words.setProperty("kind", "muted")
        self._sets_heading = QLabel("Question sets")
        self._trash_words = QLabel("There are none.")
        self._trashed: tuple[RunRow, ...] = ()
        self._soon = Soon(self.refresh, _REFRESH_MS, self)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        inside = QWidget(self.viewport())
        inside.setMinimumWidth(1)
        self._page = column = QVBoxLayout(inside)
        column.setSpacing(10)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.new)
        head.addWidget(self.file)
        head.addStretch(1)
        head.addWidget(self.search)
        column.addLayout(head)
        column.addSpacing(4)
        column.addWidget(self._words)
        column.addWidget(self.runs)
        column.addSpacing(12)
        self._sets_heading.setProperty("kind", "title")
        column.addWidget(self._sets_heading)
        column.addWidget(self.sets)
        column.addSpacing(12)
        self._trash_words.setProperty("kind", "faint")
        column.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._trash_words)
        column.addWidget(self.trash)
        column.addStretch(1)
        self._unfold(False)
        self.setWidget(inside)

    def _connect(self) -> None:
        experiments = self._experiments
        self.new.clicked.connect(self.new_asked)
        self.file.clicked.connect(self.file_asked)
        self.search.textChanged.connect(self.refresh)
        self.search.left_down.connect(lambda: self.runs.setFocus(Qt.FocusReason.OtherFocusReason))
        self.runs.opened.connect(lambda key: self.opened.emit(int(key)))
        self.runs.pressed.connect(lambda key: self.pressed.emit(int(key)))
        self.runs.removed.connect(lambda key: self.removed.emit(int(key)))
        self.runs.menu_asked.connect(lambda key, place: self.menu_asked.emit(int(key), place))
        self.sets.opened.connect(lambda key: self.set_pressed.emit(int(key)))
        self.sets.pressed.connect(lambda key: self.set_pressed.emit(int(key)))
        self.sets.removed.connect(lambda key: self.set_removed.emit(int(key)))
        self.sets.menu_asked.connect(lambda key, place: self.set_menu_asked.emit(int(key), place))
        self.trash.pressed.connect(lambda key: experiments.restore(int(key)))
        self.trash.removed.connect(self._ask_purge)
        self.fold.toggled.connect(self._unfold)
        experiments.changed.connect(self._changed)
        experiments.progressed.connect(lambda _run_id: self._soon.ask())
        experiments.trash_listed.connect(self._show_trash)
        experiments.question_sets.changed.connect(self.refresh)

    def enter(self) -> None:
        """Show what there is now, and take the keyboard."""
        self._experiments.refresh()
        self._experiments.question_sets.refresh()
        first = self.runs if self._experiments.rows() else self.new
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def refresh(self) -> None:
        """Show everything as it is now."""
        now = datetime.now(tz=UTC).astimezone()
        query, experiments = self.search.text(), self._experiments
        rows = run_rows(experiments.rows(), experiments.progress, query, now)
        self.runs.show_rows(rows)
        self.runs.setVisible(bool(rows))
        if not experiments.rows():
            self._words.setText(_FIRST_STEPS)
        else:
            self._words.setText("No experiment has these words in its name." if not rows else "")
        self._words.setVisible(bool(self._words.text()))
        sets = set_rows(experiments.question_sets.sets(), query, now)
        self.sets.show_rows(sets)
        for part in (self.sets, self._sets_heading):
            part.setVisible(bool(sets))
        self.trash.show_rows(trash_rows(self._trashed, now))

    @Slot()
    def _changed(self) -> None:
        self.refresh()
        if self.fold.isChecked():
            self._experiments.list_trash()

    @Slot(bool)
    def _unfold(self, shown: bool) -> None:
        self.fold.set_icon("chevron-down" if shown else "chevron-right", self._theme)
        self.trash.setVisible(shown and bool(self._trashed))
        self._trash_words.setVisible(shown and not self._trashed)
        if shown:
            self._experiments.list_trash()

    @Slot(tuple)
    def _show_trash(self, runs: tuple[RunRow, ...]) -> None:
        self._trashed = runs
        self.trash.show_rows(trash_rows(runs, datetime.now(tz=UTC).astimezone()))
        self.trash.setVisible(self.fold.isChecked() and bool(runs))
        self._trash_words.setVisible(self.fold.isChecked() and not runs)

    @Slot(str)
    def _ask_purge(self, key: str) -> None:
        row = next((run for run in self._trashed if run.id == int(key)), None)
        if row is not None:
            confirm(
                self,
                f"Delete “{row.name}” for good?",
                "Its answers and votes are deleted from this computer and cannot be brought back.",
                "Delete for good",
                lambda: self._experiments.purge(row.id),
            )

    def is_running(self, run_id: int) -> bool:
        """Whether a listed run is at work."""
        row = self._experiments.row(run_id)
        return row is not None and row.state is RunState.RUNNING

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for icons to come."""
        self._theme = theme

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wide windows have wide margins."""
        super().resizeEvent(event)
        margin = page_margin(self.viewport().width())
        self._page.setContentsMargins(margin, 18, margin, 20)

    def showEvent(self, event: QShowEvent) -> None:
        """What was read while nobody looked is shown."""
        super().showEvent(event)
        self.refresh()

"""One run on screen: how far it is, its grid, and the answer that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QSplitter, QToolButton, QVBoxLayout, QWidget

from app.core.lab import Place
from app.ui.cell_panel import CellPanel
from app.ui.filter_field import FilterField
from app.ui.run_delegate import ICON_PX, paint_shape
from app.ui.run_grid import RunGrid
from app.ui.run_looks import Shape, Which
from app.ui.run_model import RunModel
from app.ui.run_strip import RunStrip
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.experiments import Experiments, OpenRun
    from app.services.origins import Origins

_NARROW_PX = 760
_PANEL_PX = 372
_TIGHT_PX = 560
_LEGEND = (
    (Shape.QUEUED, "Queued"),
    (Shape.RUNNING, "Running"),
    (Shape.PASSED, "All checks passed"),
    (Shape.FAILED, "A check failed"),
    (Shape.ERROR, "No answer"),
)


class RunView(QWidget):
    """Shows a run, and one of its answers beside it.

    Signals: `compare_asked(tuple, str, object)` with `Contestant`s, a question and values; `origin_asked(Origin)`;
    `announced(str)`; `told(Notice)`; `link_activated(str)`.
    """

    compare_asked = Signal(tuple, str, object)
    origin_asked = Signal(object)
    announced = Signal(str)
    told = Signal(object)
    link_activated = Signal(str)

    def __init__(
        self,
        opened: OpenRun,
        experiments: Experiments,
        origins: Origins,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        facts: str = "",
    ) -> None:
        """`facts`: who answers, and how, in a few words."""
        super().__init__(parent)
        self._theme, self._facts = theme, facts
        self.model = RunModel(opened, self)
        self.strip = RunStrip(opened.run, opened.findings, theme)
        self.grid = RunGrid(self.model, theme)
        self.panel = CellPanel(self.model, experiments, origins, theme)
        self.panel.hide()
        self.chips: dict[Which, QToolButton] = {which: self._make_chip(which) for which in Which}
        self.search = FilterField("Filter questions", theme)
        self._none = QLabel("No question fits the filter.", alignment=Qt.AlignmentFlag.AlignCenter)
        self._none.setProperty("kind", "muted")
        self._none.hide()
        self._split = QSplitter(Qt.Orientation.Horizontal, self)
        self._lay_out()
        self._connect()
        self._show_counts()

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setContentsMargins(20, 2, 20, 10)
        filters.setSpacing(6)
        for chip in self.chips.values():
            filters.addWidget(chip)
        filters.addStretch(1)
        filters.addWidget(self.search)
        self._main = QWidget(self._split)
        column = QVBoxLayout(self._main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addLayout(filters)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        column.addWidget(rule)
        column.addWidget(self.grid, 1)
        column.addWidget(self._none, 1)
        column.addWidget(Legend(self._theme, self._facts))
        self._split.addWidget(self._main)
        self._split.addWidget(self.panel)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 0)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._split)

    def _connect(self) -> None:
        self.grid.opened.connect(self._open_cell)
        self.grid.chosen.connect(self._follow)
        self.panel.stepped.connect(self.grid.step)
        self.panel.left.connect(self.close_panel)
        self.panel.compare_asked.connect(self.compare_asked)
        self.panel.origin_asked.connect(self.origin_asked)
        self.panel.link_activated.connect(self.link_activated)
        self.strip.announced.connect(self.announced)
        self.strip.told.connect(self.told)
        self.model.counted.connect(self._show_counts)
        self.search.textChanged.connect(self._filter)
        self.search.left_down.connect(self._enter_grid)

    def _make_chip(self, which: Which) -> QToolButton:
        chip = QToolButton()
        chip.setProperty("kind", "pill")
        chip.setCheckable(True)
        chip.setAutoExclusive(True)
        chip.setChecked(which is Which.ALL)
        chip.clicked.connect(lambda: self._choose(which))
        return chip

    def enter(self) -> None:
        """Take the keyboard."""
        self._enter_grid()

    @Slot()
    def _enter_grid(self) -> None:
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.grid.place() is None and self.model.rowCount():
            self.grid.choose(Place(0, *self.model.question_at(0)))

    def show_question(self, question: int) -> None:
        """Go to a question's line, whatever filter is in force."""
        if not self.grid.choose(Place(0, question, 0)):
            self.search.clear()
            self._choose(Which.ALL)
            self.grid.choose(Place(0, question, 0))
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def escape(self) -> bool:
        """Put the answer away, else the filter; False where there is neither."""
        if self.panel.isVisible():
            self.close_panel()
            return True
        if self.search.text() or self.model.which is not Which.ALL:
            self.search.clear()
            self._choose(Which.ALL)
            return True
        return False

    @Slot()
    def close_panel(self) -> None:
        """Put the answer away."""
        had = self.panel.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self.panel.hide()
        self._main.show()
        if had or self.focusWidget() is None:
            self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def _open_cell(self, place: Place) -> None:
        fresh = self.panel.isHidden()
        self.panel.show()
        self.panel.show_place(place)
        if fresh and not self._is_narrow():
            width = min(int(_PANEL_PX * max(1.0, self._theme.font_pt / 11)), self.width() // 2)
            self._split.setSizes([self.width() - width, width])
        self._main.setVisible(not self._is_narrow())

    @Slot(object)
    def _follow(self, place: Place) -> None:
        """The answer that is shown goes along with the keyboard."""
        if self.panel.isVisible() and self.panel.place != place:
            self.panel.show_place(place)

    def _choose(self, which: Which) -> None:
        self.chips[which].setChecked(True)
        self._filter()

    @Slot()
    def _filter(self) -> None:
        which = next((one for one, chip in self.chips.items() if chip.isChecked()), Which.ALL)
        self.model.show_lines(which, self.search.text())

    @Slot()
    def _show_counts(self) -> None:
        counts = self.model.counts
        self.chips[self.model.which].setChecked(True)
        for which, chip in self.chips.items():
            chip.setText(f"{which} {counts[which]:,}")
            chip.setAccessibleName(f"{which}, {counts[which]} answers")
        self._show_chips()
        empty = self.model.rowCount() == 0
        self.grid.setVisible(not empty)
        self._none.setVisible(empty)

    def _show_chips(self) -> None:
        """In a narrow view only those that find something."""
        tight = self._main.width() < _TIGHT_PX * max(1.0, self._theme.font_pt / 11)
        for which, chip in self.chips.items():
            wanted = which is not Which.CHANGED or self.model.earlier is not None
            chip.setVisible(wanted and (not tight or chip.isChecked() or self.model.counts[which] > 0))
        self.search.setVisible(not tight or bool(self.search.text()))

    def _is_narrow(self) -> bool:
        return self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self._theme = theme

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is no room for both, the answer takes the place of the grid."""
        super().resizeEvent(event)
        self._main.setVisible(self.panel.isHidden() or not self._is_narrow())
        self._show_chips()

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        return QSize(320, 240)


class Legend(QWidget):
    """What the shapes in the grid mean; and behind them, where there is room, who answers and how."""

    def __init__(self, theme: Theme, facts: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._theme, self._facts = theme, facts
        words = ", ".join(words for _, words in _LEGEND)
        self.setAccessibleName(f"{facts}. Legend: {words}. 4–1: duels won and lost")
        self.setToolTip(facts)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(300, self.fontMetrics().height() + 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Shapes with their words; the last ones go where there is no room."""
        del event
        painter = QPainter(self)
        font = self.font()
        font.setPointSizeF(self._theme.small_pt)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.border))
        painter.drawLine(0, 0, self.width(), 0)
        left = 20
        entries: list[tuple[Shape | None, str]] = [*_LEGEND, (None, "4–1   duels won and lost, without ties")]
        for shape, words in entries:
            room = painter.fontMetrics().horizontalAdvance(words) + (ICON_PX + 6 if shape is not None else 0)
            if left + room > self.width() - 12:
                break
            if shape is not None:
                box = QRect(left, (self.height() - ICON_PX) // 2, ICON_PX, ICON_PX)
                paint_shape(painter, box, shape, self._theme)
            painter.setPen(QColor(self._theme.muted))
            place = QRect(left + (ICON_PX + 6 if shape is not None else 0), 0, room, self.height())
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
            left += room + 20
        place = QRect(left, 0, self.width() - left - 16, self.height())
        if place.width() > 120:
            painter.setPen(QColor(self._theme.muted))
            shown = painter.fontMetrics().elidedText(self._facts, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), shown)

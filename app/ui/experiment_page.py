"""One experiment that is open: its name, and the run, the rating and the ranking below it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.core.options import Sampling
from app.core.settings import declared
from app.services.experiments import RunFile
from app.ui.buttons import IconButton, WordButton
from app.ui.run_view import RunView
from app.ui.shrinking import Shrinking
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.lab import Plan
    from app.scoring.results import Results
    from app.services.experiments import OpenRun
    from app.services.model_manager import ModelManager
    from app.ui.model_services import ModelServices
    from app.ui.ranking_view import RankingView
    from app.ui.rate_view import RateView

_NARROW_PX = 800
_NAME_PX = (60, 420)
_GAPS_PX = 96
_TABS = ("Run", "Rate", "Ranking")
EXPORTS = (
    (RunFile.REPORT, "Report with plots (HTML)…", "html"),
    (RunFile.ANSWERS_CSV, "Answers as a table (CSV)…", "csv"),
    (RunFile.ANSWERS_JSONL, "Answers as JSON lines…", "jsonl"),
    (RunFile.CHECKS_CSV, "Checks as a table (CSV)…", "csv"),
    (RunFile.VOTES_CSV, "Votes as a table (CSV)…", "csv"),
    (RunFile.VOTES_JSONL, "Votes as JSON lines…", "jsonl"),
)
ENDINGS = {kind: ending for kind, _, ending in EXPORTS}


class ExperimentPage(QWidget):
    """Shows an open run.

    Signals: `left()`: back to the list; `repeat_asked()`: a new experiment like this one; `export_asked(RunFile, str)`
    with the ending of the file's name; `plan_asked()`: write its plan to a file; `delete_asked()`;
    `earlier_asked(int)`: compare with the run of this id, 0 for none; `compare_asked(tuple, str, object)`;
    `origin_asked(Origin)`; `announced(str)`; `told(Notice)`; `link_activated(str)`.
    """

    left = Signal()
    repeat_asked = Signal()
    export_asked = Signal(object, str)
    plan_asked = Signal()
    delete_asked = Signal()
    earlier_asked = Signal(int)
    compare_asked = Signal(tuple, str, object)
    origin_asked = Signal(object)
    announced = Signal(str)
    told = Signal(object)
    link_activated = Signal(str)

    def __init__(self, opened: OpenRun, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.opened, self._services, self._theme = opened, services, theme
        self._earlier_id = 0
        self.back = IconButton("chevron-left", "Back to the list of experiments", theme, keys="Esc", side_px=34)
        self.name = QLineEdit()
        self.name.setProperty("kind", "title")
        self.name.setAccessibleName("Name of the experiment")
        self.name.setMaxLength(200)
        self.name.setAcceptDrops(False)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("Parts of the experiment")
        for words in _TABS:
            self.tabs.addTab(words)
        self.earlier = WordButton("Compare with…", theme, kind="outline", icon_name="columns")
        self.earlier.setToolTip("Mark what is other than in an earlier experiment with the same questions")
        self.earlier.setMenu(QMenu(self.earlier))
        self.earlier.menu().setStyleSheet("QMenu { menu-scrollable: 1; }")
        self.export = WordButton("Export", theme, kind="outline", icon_name="export")
        self.export.setMenu(self._export_menu())
        self.more = IconButton("more", "More for this experiment", theme, side_px=34)
        self.more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._more_menu())
        self._shrinking = Shrinking(self.earlier, self.export)
        self.rate_view: RateView | None = None
        self.ranking_view: RankingView | None = None
        self._lay_out()
        self._connect()
        self.show_name()

    def _lay_out(self) -> None:
        header = QFrame(self)
        header.setObjectName("header")
        head = QHBoxLayout(header)
        head.setContentsMargins(12, 4, 16, 0)
        head.setSpacing(6)
        head.addWidget(self.back)
        head.addWidget(self.name)
        head.addSpacing(8)
        head.addWidget(self.tabs, 0, Qt.AlignmentFlag.AlignBottom)
        head.addStretch(1)
        for part in (self.earlier, self.export, self.more):
            head.addWidget(part)
        self._stack = QStackedWidget(self)
        run, services = self.opened.run, self._services
        self.run_view = RunView(
            self.opened,
            services.experiments,
            services.origins,
            self._theme,
            self._stack,
            facts=facts_of(run.plan, services.models),
        )
        self._stack.addWidget(self.run_view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.back.clicked.connect(self.left)
        self.name.editingFinished.connect(self.flush)
        self.tabs.currentChanged.connect(self._turn)
        self.earlier.menu().aboutToShow.connect(self.list_earlier)
        run_view = self.run_view
        run_view.compare_asked.connect(self.compare_asked)
        run_view.told.connect(self.told)
        run_view.origin_asked.connect(self.origin_asked)
        run_view.announced.connect(self.announced)
        run_view.link_activated.connect(self.link_activated)
        self._services.experiments.changed.connect(self.show_name)

    def _export_menu(self) -> QMenu:
        menu = QMenu(self.export)
        for kind, words, ending in EXPORTS:
            menu.addAction(words, partial(self.export_asked.emit, kind, ending))
        menu.addSeparator()
        menu.addAction("Plan file (TOML)…", self.plan_asked.emit)
        return menu

    def _more_menu(self) -> QMenu:
        menu = QMenu(self.more)
        menu.addAction("Repeat with changes…", self.repeat_asked.emit)
        menu.addSeparator()
        menu.addAction("Delete", self.delete_asked.emit)
        return menu

    @property
    def run_id(self) -> int:
        """Which run it is."""
        return self.opened.run.run_id

    @Slot()
    def show_name(self) -> None:
        """Show the name by which it goes now; what is being typed is not overwritten."""
        row = self._services.experiments.row(self.run_id)
        if row is not None and not (self.name.hasFocus() and self.name.isModified()):
            self.name.setText(row.name)
            self.name.setCursorPosition(0)
            self._fit_name()

    def _fit_name(self) -> None:
        """As wide as the name, so that what stands beside it stays where it is."""
        words = self.name.fontMetrics().horizontalAdvance(self.name.text()) + 30
        others = (self.back, self.tabs, self.earlier, self.export, self.more)
        room = self.width() - sum(part.sizeHint().width() for part in others) - _GAPS_PX
        self.name.setFixedWidth(max(_NAME_PX[0], min(words, _NAME_PX[1], room)))

    @Slot()
    def flush(self) -> None:
        """Hand over a name that was typed."""
        if self.name.isModified():
            self.name.setModified(False)
            self._services.experiments.rename(self.run_id, self.name.text())

    @Slot(int)
    def _turn(self, at: int) -> None:
        if at == 1 and self.rate_view is None:
            from app.ui.rate_view import RateView

            self.rate_view = RateView(self.opened.run, self._services, self._theme)
            self.rate_view.ranking_asked.connect(lambda: self.tabs.setCurrentIndex(2))
            self.rate_view.link_activated.connect(self.link_activated)
            self._stack.addWidget(self.rate_view)
        if at == 2 and self.ranking_view is None:
            from app.ui.ranking_view import RankingView

            self.ranking_view = RankingView(self.opened.run, self._services, self._theme)
            self.ranking_view.rate_asked.connect(self._rate)
            self.ranking_view.export_asked.connect(lambda kind: self.export_asked.emit(kind, ENDINGS[kind]))
            self.ranking_view.question_asked.connect(self._show_question)
            self.ranking_view.notice.connect(self.told)
            self._stack.addWidget(self.ranking_view)
        shown = (self.run_view, self.rate_view, self.ranking_view)[at]
        if shown is not None:
            self._stack.setCurrentWidget(shown)
            # arrow keys in the tabs go on to the next tab
            if not self.tabs.hasFocus():
                self._enter_shown()
        self.earlier.setVisible(at == 0)

    @Slot(int)
    def _rate(self, pairs: int) -> None:
        self.tabs.setCurrentIndex(1)
        if self.rate_view is not None:
            self.rate_view.begin(pairs)

    @Slot(int)
    def _show_question(self, question: int) -> None:
        """Go to a question in the grid."""
        self.tabs.setCurrentIndex(0)
        self.run_view.show_question(question)

    def enter(self) -> None:
        """Take the keyboard."""
        self._enter_shown()

    def _enter_shown(self) -> None:
        shown = self._stack.currentWidget()
        for part in (self.run_view, self.rate_view, self.ranking_view):
            if part is not None and part is shown:
                part.enter()

    def escape(self) -> bool:
        """What the part that is shown does with Escape."""
        shown = self._stack.currentWidget()
        parts = (self.run_view, self.rate_view, self.ranking_view)
        return next((part.escape() for part in parts if part is not None and part is shown), False)

    @Slot()
    def list_earlier(self) -> QMenu:
        """Fill the menu of runs to compare with."""
        menu = self.earlier.menu()
        menu.clear()
        none = menu.addAction("Nothing", lambda: self.earlier_asked.emit(0))
        none.setCheckable(True)
        none.setChecked(not self._earlier_id)
        menu.addSeparator()
        others = [row for row in self._services.experiments.rows() if row.id != self.run_id and row.ended]
        for row in others:
            action = menu.addAction(row.name.replace("&", "&&"), partial(self.earlier_asked.emit, row.id))
            action.setCheckable(True)
            action.setChecked(row.id == self._earlier_id)
        if not others:
            menu.addAction("There is no other experiment with answers").setEnabled(False)
        return menu

    def compare_with(self, run_id: int, earlier: Results | None) -> bool:
        """Mark what is other than in an earlier run; False where nothing is in both."""
        fine = self.run_view.model.compare_with(earlier)
        self._earlier_id = run_id if fine and earlier is not None else 0
        name = earlier.plan.name if fine and earlier is not None else ""
        self._shrinking.reword(self.earlier, f"Compared with {name[:24]}" if name else "Compare with…")
        self.run_view.panel.refresh()
        return fine

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for parts to come."""
        self._theme = theme

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, buttons are their icons."""
        super().resizeEvent(event)
        self._shrinking.set_narrow(self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11))
        self._fit_name()

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        return QSize(320, 240)


def facts_of(plan: Plan, models: ModelManager) -> str:
    """Who answers a plan's questions, and how, in a few words."""
    ids = dict.fromkeys(one.model_id or plan.model_id or models.default_id for one in plan.contestants)
    names = [models.entry(model_id).name for model_id in ids]
    parts = [names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"]
    parts.append(f"seed {plan.seeds[0]}" if len(plan.seeds) == 1 else f"{len(plan.seeds)} seeds")
    parts += [f"{declared(Sampling)[key].label.lower()} {value}" for key, value in plan.overrides.items()][:4]
    if plan.judge is not None:
        parts.append(f"judged by {models.entry(plan.judge.model_id or plan.model_id or models.default_id).name}")
    if words := models.caution(ids):
        parts.append(words)
    return " · ".join(parts)

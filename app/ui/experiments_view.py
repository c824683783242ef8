"""Experiments in the prompt lab: the list, a new one in the making, and the one that is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QHideEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.core.lab import Contestant, Plan
from app.datasets.questions import ENDINGS
from app.services.experiments import RunState
from app.services.notice import Notice
from app.ui.experiment_actions import ExperimentActions
from app.ui.experiment_editor import EMPTY, ExperimentEditor
from app.ui.experiment_page import ExperimentPage
from app.ui.experiments_home import ExperimentsHome
from app.ui.file_dialogs import ask_plan
from app.ui.lab_view import LabView
from app.ui.link_offer import link_offer
from app.ui.origin_dialog import open_origin
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.lab import Question
    from app.scoring.results import Results
    from app.services.experiments import OpenRun, RunRow
    from app.services.library import Library
    from app.services.origin import Origin
    from app.ui.model_services import ModelServices


class ExperimentsView(LabView):
    """The part of the lab. `run_opened(int)`: the run of this id is on screen."""

    run_opened = Signal(int)

    def __init__(self, library: Library, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._library, self._services = library, services
        self._experiments = services.experiments
        self._draft_id = 0
        """The run in the list that is being edited; 0 for one that is not in the list yet."""
        self.menus = ExperimentActions(self._experiments, self)
        """What can be done with an experiment or a set as a whole."""
        self._body = QStackedWidget(self)
        self.home = ExperimentsHome(self._experiments, theme, self._body)
        self.editor = ExperimentEditor(services, theme, self._body)
        self.page: ExperimentPage | None = None
        self.setAcceptDrops(True)
        self._body.addWidget(self.home)
        self._body.addWidget(self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self._body, 1)
        self._connect()

    def _connect(self) -> None:
        experiments, home, editor = self._experiments, self.home, self.editor
        experiments.question_sets.notice.connect(self.notices.show_notice)
        home.new_asked.connect(self.begin)
        home.file_asked.connect(lambda: ask_plan(self, self.open_plan_file))
        home.opened.connect(self.open_run)
        home.pressed.connect(self._press)
        home.removed.connect(self._experiments.delete)
        home.menu_asked.connect(self.menus.open_menu)
        home.set_pressed.connect(self._begin_with_set)
        home.set_menu_asked.connect(self.menus.open_set_menu)
        home.set_removed.connect(experiments.question_sets.delete)
        editor.left.connect(self.go_back)
        editor.start_asked.connect(self._start)
        editor.keep_asked.connect(self._keep)
        editor.file_asked.connect(self.menus.ask_plan_file)
        editor.told.connect(self.notices.show_notice)
        editor.settled.connect(self._settled)
        self.menus.opened.connect(self.open_run)
        self.menus.repeat_asked.connect(self.repeat)
        self.menus.set_asked.connect(self._begin_with_set)
        self.menus.told.connect(self.notices.show_notice)

    # --- where one is -----------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Somebody comes here: show what there is now, take the keyboard."""
        self._services.prompts.refresh()
        shown = self._body.currentWidget()
        if shown is self.home:
            self.home.enter()
        elif shown is self.editor:
            self.editor.enter()
        elif self.page is not None:
            self._experiments.refresh()
            self.page.enter()

    def escape(self) -> bool:
        """Put away what is on top, else go back to the list; False on the list itself."""
        if self.notices.close_newest():
            return True
        shown = self._body.currentWidget()
        if shown is self.page and self.page is not None and self.page.escape():
            return True
        if shown is not self.home:
            self.go_back()
            return True
        return False

    def flush(self) -> None:
        """Hand over what is typed; before the program ends."""
        if self._body.currentWidget() is self.editor:
            self.editor.flush()
        if self.page is not None:
            self.page.flush()

    def _tell_where(self) -> None:
        """Of the run on screen nobody need be told that it is done."""
        shown = self.page is not None and self._body.currentWidget() is self.page and self.isVisible()
        self._experiments.looked_at = self.page.run_id if self.page is not None and shown else 0

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        super().showEvent(event)
        self._tell_where()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        super().hideEvent(event)
        self._tell_where()

    @Slot()
    def go_back(self) -> None:
        """To the list; what is unfinished is kept, a run that is at work goes on."""
        self.flush()
        shown_run = str(self.page.run_id) if self.page is not None else ""
        self._body.setCurrentWidget(self.home)
        self._tell_where()
        self.home.enter()
        if shown_run:
            self.home.runs.choose(shown_run)

    # --- a new one --------------------------------------------------------------------------------------------------

    @Slot()
    def begin(self) -> None:
        """Put a new one together; what was put together before and not started is still there."""
        self._read_draft(lambda: None)

    def _read_draft(self, then: Callable[[], object]) -> None:
        def show(kept: Plan | None) -> None:
            model_id = self._library.last_model_id
            self.edit(kept if kept is not None else replace(EMPTY, model_id=model_id, seeds=(1,)))
            then()

        self._experiments.read_draft(show)

    def _edit_anew(self, plan: Plan) -> None:
        """Show a plan that takes the place of what was being put together, which is not lost."""

        def show(kept: Plan | None) -> None:
            if kept is not None:
                self._set_aside(kept)
            self.edit(plan)
            self.editor.flush()

        self._experiments.read_draft(show)

    def _set_aside(self, kept: Plan) -> None:
        """It goes into the list as it is."""

        def told(row: RunRow) -> None:
            self.notices.show_notice(Notice(f"“{row.name}” is kept in the list", "It can be gone on with from there."))

        self._experiments.create(replace(kept, name=self._free_name(kept.name)), told)

    def edit(self, plan: Plan, draft_id: int = 0) -> None:
        """Show a plan to be changed. `draft_id`: the run in the list that it is, 0 for a new one."""
        self._draft_id = draft_id
        self.editor.show_plan(plan if plan.model_id else replace(plan, model_id=self._library.last_model_id))
        self.editor.keep.setVisible(not draft_id)  # what is in the list is kept as it is typed
        self._body.setCurrentWidget(self.editor)
        self.editor.enter()

    def begin_with(self, contestants: tuple[Contestant, ...], questions: tuple[Question, ...] = ()) -> None:
        """Put a new one together that begins with these."""
        self._edit_anew(Plan(self._free_name("Experiment"), "", contestants, questions))

    @Slot(int)
    def _begin_with_set(self, set_id: int) -> None:
        found = next((one for one in self._experiments.question_sets.sets() if one.id == set_id), None)

        def begin(questions: tuple[Question, ...]) -> None:
            name = self._free_name(found.name if found is not None else "Experiment")
            self._edit_anew(Plan(name, "", (), questions))

        self._experiments.question_sets.questions(set_id, begin)

    @Slot(str)
    def open_plan_file(self, path: str) -> None:
        """Put a new one together that begins with a plan file."""
        self._experiments.read_plan_file(path, self._edit_anew)

    def repeat(self, run_id: int) -> None:
        """Put a new one together that begins like an earlier one."""

        def begin(plan: Plan) -> None:
            self._edit_anew(replace(plan, name=self._free_name(plan.name)))

        self._experiments.typed_plan(run_id, begin)

    @Slot(object)
    def _start(self, plan: Plan) -> None:
        self._save(plan, lambda row_id: self._open_and(row_id, start=True))

    @Slot(object)
    def _keep(self, plan: Plan) -> None:
        def kept(run_id: int) -> None:
            self._body.setCurrentWidget(self.home)
            self.home.enter()
            self.home.runs.choose(str(run_id))

        self._save(plan, kept)

    def _save(self, plan: Plan, then: Callable[[int], object]) -> None:
        draft_id, self._draft_id = self._draft_id, 0

        def made(row: RunRow) -> None:
            self._experiments.keep_draft(None)
            self.editor.show_plan(EMPTY)
            then(row.id)

        if draft_id:
            self._experiments.change(draft_id, plan, lambda: then(draft_id))
        else:
            self._experiments.create(replace(plan, name=self._free_name(plan.name)), made)

    @Slot(object)
    def _settled(self, plan: Plan) -> None:
        """What is being put together outlives the program."""
        if self._body.currentWidget() is not self.editor:
            return
        if self._draft_id:
            self._experiments.change(self._draft_id, plan, lambda: None)
        else:
            self._experiments.keep_draft(None if self.editor.is_empty else plan)

    def _free_name(self, wanted: str) -> str:
        """The name, with a number behind it where an experiment has it already."""
        taken = {row.name.casefold() for row in self._experiments.rows()}
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}, {number}"
        return name

    # --- one that is there ------------------------------------------------------------------------------------------

    @Slot(int)
    def open_run(self, run_id: int) -> None:
        """Show a run; one that nothing was asked of yet can be changed."""
        row = self._experiments.row(run_id)
        if row is not None and row.state is RunState.DRAFT:
            self._experiments.plan(run_id, lambda plan: self.edit(plan, run_id))
        else:
            self._open_and(run_id, start=False)

    @Slot(int)
    def _press(self, run_id: int) -> None:
        row = self._experiments.row(run_id)
        if row is not None and row.state is RunState.RUNNING:
            self._experiments.open(run_id, lambda opened: opened.run.pause())
        elif row is not None and row.state is RunState.PAUSED:
            self._open_and(run_id, start=True)
        else:
            self.open_run(run_id)

    def _open_and(self, run_id: int, *, start: bool) -> None:
        def show(opened: OpenRun) -> None:
            self._show(opened)
            if start:
                opened.run.start()

        self._experiments.open(run_id, show)

    def _show(self, opened: OpenRun) -> None:
        old, run_id = self.page, opened.run.run_id
        if old is None or old.opened is not opened:
            page = ExperimentPage(opened, self._services, self._theme, self._body)
            page.left.connect(self.go_back)
            page.repeat_asked.connect(lambda: self.repeat(run_id))
            page.export_asked.connect(lambda kind, ending: self.menus.export(run_id, kind, ending))
            page.plan_asked.connect(lambda: self.menus.write_plan(run_id))
            page.delete_asked.connect(lambda: self._delete(run_id))
            page.earlier_asked.connect(lambda other: self._compare_runs(page, other))
            page.compare_asked.connect(self.compare_asked)
            page.origin_asked.connect(self._show_origin)
            page.announced.connect(self._announce)
            page.told.connect(self.notices.show_notice)
            page.link_activated.connect(lambda address: self.notices.show_notice(link_offer(address)))
            self._body.addWidget(page)
            self.page = page
            if old is not None:
                self._body.removeWidget(old)
                old.hide()
                old.deleteLater()
        assert self.page is not None
        self._body.setCurrentWidget(self.page)
        self._tell_where()
        self.page.enter()
        self.run_opened.emit(run_id)

    def _delete(self, run_id: int) -> None:
        self.go_back()
        self._experiments.delete(run_id)

    def _compare_runs(self, page: ExperimentPage, other: int) -> None:
        if not other:
            page.compare_with(0, None)
            return

        def show(earlier: Results) -> None:
            if self.page is page and not page.compare_with(other, earlier):
                detail = f"“{earlier.plan.name}” has none of these questions, or none of these prompts."
                self.notices.show_notice(Notice("There is nothing to compare", detail, level="warning"))

        self._experiments.read_results(other, show)

    @Slot(object)
    def _show_origin(self, origin: Origin | None) -> None:
        open_origin(self, self._library.origins, origin, self._theme)

    @Slot(str)
    def _announce(self, words: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    # --- files that are dropped -------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take plans and questions; any other file belongs to the window."""
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
        """Begin with the file, or go on with its questions where one is put together."""
        path = _file_in(event)
        if not path:
            return
        event.acceptProposedAction()
        if path.lower().endswith(".toml"):
            self.open_plan_file(path)
        elif self._body.currentWidget() is self.editor:
            self.editor.questions.read_file(path)
        else:
            self._read_draft(lambda: self.editor.questions.read_file(path))

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for pages to come."""
        self._theme = theme


def _file_in(event: QDropEvent) -> str:
    """The path of a plan or of questions that is dragged here; "" for anything else."""
    urls = event.mimeData().urls()
    path = urls[0].toLocalFile() if len(urls) == 1 and urls[0].isLocalFile() else ""
    return path if path.lower().endswith((".toml", *ENDINGS)) else ""

"""What can be done with an experiment, or a set of questions, as a whole: menus, names and files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from app.services.notice import Notice
from app.ui.experiment_page import EXPORTS
from app.ui.file_dialogs import ask_save

if TYPE_CHECKING:
    from app.core.lab import Plan
    from app.services.experiments import Experiments, RunFile

_NAME_ENDINGS = {"checks-csv": " checks", "votes-csv": " votes", "votes-jsonl": " votes"}


class ExperimentActions(QObject):
    """Works above the window of `place`.

    Signals: `opened(int)`, `repeat_asked(int)` with a run's id; `set_asked(int)`: begin with this set; `told(Notice)`.
    """

    opened = Signal(int)
    repeat_asked = Signal(int)
    set_asked = Signal(int)
    told = Signal(object)

    def __init__(self, experiments: Experiments, place: QWidget) -> None:
        super().__init__(place)
        self._experiments, self._place = experiments, place
        experiments.exported.connect(self._exported)

    def menu_for(self, run_id: int) -> QMenu:
        """What can be done with an experiment in the list."""
        menu = QMenu(self._place)
        menu.addAction("Open", lambda: self.opened.emit(run_id))
        menu.addAction("Rename…", lambda: self._ask_name(run_id))
        menu.addAction("Repeat with changes…", lambda: self.repeat_asked.emit(run_id))
        exporting = menu.addMenu("Export")
        for kind, words, ending in EXPORTS:
            exporting.addAction(words, partial(self.export, run_id, kind, ending))
        exporting.addSeparator()
        exporting.addAction("Plan file (TOML)…", lambda: self.write_plan(run_id))
        menu.addSeparator()
        menu.addAction("Delete", lambda: self._experiments.delete(run_id))
        return menu

    @Slot(int, QPoint)
    def open_menu(self, run_id: int, place: QPoint) -> None:
        """Show it at a place of the screen."""
        _pop_up(self.menu_for(run_id), place)

    @Slot(int, QPoint)
    def open_set_menu(self, set_id: int, place: QPoint) -> None:
        """What can be done with a set of questions, at a place of the screen."""
        sets = self._experiments.question_sets
        found = next((one for one in sets.sets() if one.id == set_id), None)
        if found is None:
            return

        def rename(name: str) -> None:
            sets.rename(set_id, name)

        menu = QMenu(self._place)
        menu.addAction("New experiment with these", lambda: self.set_asked.emit(set_id))
        menu.addAction("Rename…", lambda: self._ask("Rename the set", found.name, rename))
        menu.addSeparator()
        menu.addAction("Delete", lambda: sets.delete(set_id))
        _pop_up(menu, place)

    def export(self, run_id: int, kind: RunFile, ending: str) -> None:
        """Ask where results are written, and write them."""
        row = self._experiments.row(run_id)
        name = (row.name if row is not None else "Experiment") + _NAME_ENDINGS.get(str(kind), "")

        def write(path: str) -> None:
            self._experiments.export(run_id, kind, path)

        ask_save(self._place, "Export", name, ending, write)

    def write_plan(self, run_id: int) -> None:
        """Ask where a run's plan is written, and write it."""
        self._experiments.typed_plan(run_id, self.ask_plan_file)

    @Slot(object)
    def ask_plan_file(self, plan: Plan) -> None:
        """Ask where a plan is written, and write it."""

        def write(path: str) -> None:
            self._experiments.write_plan_file(plan, path)

        ask_save(self._place, "Save the plan", plan.name, "toml", write)

    @Slot(str)
    def _exported(self, path: str) -> None:
        def show() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(path))

        self.told.emit(Notice("The file was written", path, actions=(("Open it", show),)))

    def _ask_name(self, run_id: int) -> None:
        row = self._experiments.row(run_id)
        if row is not None:
            self._ask("Rename the experiment", row.name, lambda name: self._experiments.rename(run_id, name))

    def _ask(self, title: str, name: str, then: Callable[[str], object]) -> None:
        dialog = QInputDialog(self._place.window())
        dialog.setWindowTitle(title)
        dialog.setLabelText("Name")
        dialog.setTextValue(name)
        dialog.textValueSelected.connect(then)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


def _pop_up(menu: QMenu, place: QPoint) -> None:
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(place)

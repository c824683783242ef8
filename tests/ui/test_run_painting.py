"""A run that fills its grid: only what has changed is painted anew, so that the window has time for the person."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.lab import Place
from tests.ui.experimenting import PLAN, SLOW


class Painted(QObject):
    """What of a widget was painted since it was last asked."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._region = QRegion()
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._region |= event.region()
        return False

    def take(self) -> QRegion:
        region, self._region = self._region, QRegion()
        return region


def rest(qtbot: QtBot, *painted: Painted) -> None:
    """Wait until nothing is painted for longer than any change waits to be shown, and forget what was."""
    while True:
        qtbot.wait(400)
        regions = [one.take() for one in painted]
        if all(region.isEmpty() for region in regions):
            return


def test_a_cell_and_the_share_of_its_prompt_are_painted_and_nothing_else(lab, qtbot):
    shown = lab(SLOW)
    page = shown.show(shown.store(PLAN, lambda place: "one two" if place.contestant == 0 else "three"))
    shown.finish()
    grid, model = page.run_view.grid, page.run_view.model
    heads = grid.horizontalHeader()
    watched = cells, shares, questions = [Painted(part.viewport()) for part in (grid, heads, grid.verticalHeader())]
    page.opened.run.retry([Place(0, 0, 0)])  # with it comes the progress bar, so all moves down
    rest(qtbot, *watched)
    place = Place(1, 2, 0)
    page.opened.run.retry([place])
    found = QRegion()

    def is_there() -> bool:
        nonlocal found
        found |= cells.take()
        return not found.isEmpty()

    qtbot.waitUntil(is_there)
    qtbot.wait(400)
    found |= cells.take()
    assert found.boundingRect() == grid.visualRect(model.index_of(place))
    head = QRect(heads.sectionViewportPosition(1), 0, heads.sectionSize(1), heads.viewport().height())
    assert shares.take().boundingRect() == head, "one answer fewer has passed or failed"
    assert questions.take().isEmpty()

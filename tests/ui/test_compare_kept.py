"""The Compare page over a restart of the program, and what comes into it: questions from elsewhere, new columns."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.core.exchange import Exchange
from app.core.lab import Contestant
from app.engine.scripted import Script
from app.ui.compare_view import CompareView
from app.ui.origin_dialog import OriginDialog
from tests.ui.conversations import press

LONG = " ".join(f"word{number}" for number in range(300))
TWO = (Contestant("First", "Be brief."), Contestant("Second", "Be kind."))


@pytest.fixture
def start(qtbot, open_window, build):
    """Start the program and go to the page: `start(script)`; whatever ran before is closed first."""
    running = []

    def make(script: Script | None = Script(), columns: int = 2) -> CompareView:  # noqa: B008
        for stage in running:
            stage.window.close()
            build.close(stage.services)
        running.clear()
        stage = open_window(script)
        running.append(stage)
        stage.space.pages.show_lab()
        page = stage.space.pages.lab.compare
        qtbot.waitUntil(lambda: len(page.columns) == columns)
        page.stage = stage
        return page

    return make


def ask(qtbot, page: CompareView, text: str) -> None:
    qtbot.keyClicks(page.composer.field, text)
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.comparison.busy, timeout=20_000)


def shown(page: CompareView) -> list[list[str]]:
    return [[row.text for row in column.transcript.rows] for column in page.columns]


def test_the_page_is_as_it_was_left(qtbot, start):
    page = start(Script(replies=("Ahoy.",)))
    page.show_contestants(TWO)
    ask(qtbot, page, "Hello")
    qtbot.keyClicks(page.composer.field, "And now")
    page = start(Script(replies=("Aye.",)))
    assert [column.name.text() for column in page.columns] == ["First", "Second"]
    assert [column.prompt.toPlainText() for column in page.columns] == ["Be brief.", "Be kind."]
    assert shown(page) == [["Hello", "Ahoy."]] * 2
    assert page.composer.text() == "And now"
    assert page.bar.again.isEnabled()
    assert [column.keep.isEnabled() for column in page.columns] == [True, True]
    press(qtbot, page.columns[1].transcript, 2, "origin")
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, OriginDialog)
    assert "Be kind." in dialog.facts.toPlainText()
    dialog.reject()
    qtbot.keyClicks(page.composer.field, "?")
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.comparison.busy)
    assert shown(page) == [["Hello", "Ahoy.", "And now?", "Aye."]] * 2
    page = start(Script(replies=("Aye.",)))
    assert page.composer.text() == "", "what was sent does not come back"
    qtbot.mouseClick(page.bar.anew, Qt.MouseButton.LeftButton)
    page = start(Script())
    assert shown(page) == [[], []]
    assert [column.prompt.toPlainText() for column in page.columns] == ["Be brief.", "Be kind."]


def test_what_was_being_written_when_the_window_was_closed_is_stopped_and_kept(qtbot, start):
    page = start(Script(replies=(LONG,), tokens_per_s=20))
    page.show_contestants(TWO)
    qtbot.keyClicks(page.composer.field, "Go on")
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: all(len(column.exchanges[0].text) > 20 for column in page.comparison.columns()))
    page = start()
    for column in page.columns:
        assert column._state.text() == "Stopped"
        assert LONG.startswith(column.transcript.rows[-1].text.strip())
        assert len(column.transcript.rows[-1].text) > 20


def test_an_answer_that_a_kill_cut_off_is_marked_and_can_be_asked_again(qtbot, start):
    page = start()
    page.show_contestants(TWO)
    services = page.stage.services
    page.flush()
    services.library.flush()
    said = {(at, 0): Exchange("Go on", "Half a") for at in (0, 1)}
    services.ask(lambda stores: stores.comparison.keep(stores.comparison.columns(), said))
    page = start(Script(replies=("Whole.",)))
    assert [column._state.text() for column in page.columns] == ["Interrupted", "Interrupted"]
    assert shown(page) == [["Go on", "Half a"]] * 2
    qtbot.mouseClick(page.columns[0].go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.comparison.busy)
    assert [column._state.text() for column in page.columns] == ["Done", "Interrupted"]
    assert shown(page) == [["Go on", "Whole."], ["Go on", "Half a"]]


def test_a_question_that_was_put_there_gives_way_to_the_next_and_an_own_text_does_not(qtbot, start):
    page = start()
    QGuiApplication.clipboard().setText("mine")
    page.show_contestants(TWO, "Why?")
    page.show_contestants(TWO, "Where?")
    assert page.composer.text() == "Where?"
    assert QGuiApplication.clipboard().text() == "mine"
    qtbot.keyClicks(page.composer.field, " And when?")
    page.show_contestants(TWO, "Who?")
    assert page.composer.text() == "Where? And when?"
    assert QGuiApplication.clipboard().text() == "Who?"
    page = start()
    assert page.composer.text() == "Where? And when?"


def test_columns_that_are_opened_before_the_kept_ones_were_read_take_their_place(qtbot, start, open_window):
    page = start(Script(replies=("Old.",)))
    ask(qtbot, page, "Hello")
    stage = page.stage
    stage.window.close()
    again = open_window(services=stage.services)
    again.space.pages.show_lab()
    lab = again.space.pages.lab
    lab.tabs.setCurrentIndex(1)
    lab.view.compare_asked.emit((Contestant("New", "Be new."),), "Why?", None)
    fresh = lab.compare
    qtbot.wait(1)
    again.services.ask(lambda stores: None)
    assert [column.name.text() for column in fresh.columns] == ["New"]
    assert fresh.composer.text() == "Why?"


def in_view(page: CompareView) -> bool:
    """Whether the newest column is seen from its left to its right edge."""
    column, view = page.columns[-1], page._area.viewport()
    left = column.mapTo(view, QPoint(0, 0)).x()
    return left >= 0 and left + column.width() <= view.width()


@pytest.mark.parametrize("how", ["added", "doubled"])
def test_a_new_column_comes_into_view_with_the_keyboard_in_it(qtbot, start, how):
    page = start()
    page.stage.window.resize(900, 700)
    with qtbot.waitActive(page.stage.window):
        page.stage.window.activateWindow()
    for _ in range(4):
        if how == "added":
            qtbot.mouseClick(page.bar.add, Qt.MouseButton.LeftButton)
        else:
            page.columns[0].double_asked.emit()
        qtbot.waitUntil(lambda: in_view(page))
        assert page.columns[-1].prompt.hasFocus()

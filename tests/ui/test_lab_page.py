"""The prompt lab's tabs in the window: each part is made when it is looked at, and Escape leads back to the chat."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.core.lab import Contestant
from app.engine.scripted import Script
from app.ui.lab_page import LabPage


@pytest.fixture
def lab(qtbot, open_window) -> LabPage:
    stage = open_window(Script(), (1280, 820))
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.keyClick(stage.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    page = stage.space.pages.lab
    assert page is not None
    page.stage = stage
    return page


def test_each_tab_shows_a_part_of_its_own_and_names_the_window(qtbot, lab):
    titles, views = [], []
    for at in range(lab.tabs.count()):
        lab.tabs.setCurrentIndex(at)
        titles.append(lab.stage.window.windowTitle())
        views.append(lab.view)
        assert lab.view.isVisible()
    assert len(set(titles)) == len(set(views)) == lab.tabs.count() > 1
    lab.tabs.setCurrentIndex(0)
    assert lab.view is views[0], "what was there is still there"


def test_arrow_keys_go_from_tab_to_tab_and_the_keyboard_stays_there(qtbot, lab):
    lab.tabs.setFocus()
    qtbot.keyClick(lab.tabs, Qt.Key.Key_Right)
    assert lab.tabs.currentIndex() == 1
    assert lab.tabs.hasFocus()


def test_escape_leads_from_any_part_back_to_the_chat(qtbot, lab):
    for at in range(lab.tabs.count()):
        lab.stage.space.pages.show_lab()
        lab.tabs.setCurrentIndex(at)
        for _ in range(3):  # a part may first close what is open in it
            if lab.stage.space.pages.shows_lab:
                qtbot.keyClick(lab, Qt.Key.Key_Escape)
        assert lab.stage.space.pages.shows_chat


def test_what_another_part_wants_compared_is_shown_in_columns(qtbot, lab):
    lab.tabs.setCurrentIndex(1)
    wanted = (Contestant("First", "Be brief."), Contestant("Second", "Be kind."), Contestant("Third", ""))
    lab.view.compare_asked.emit(wanted, "Why?", None)
    assert lab.tabs.currentIndex() == 0
    assert [column.name.text() for column in lab.compare.columns] == ["First", "Second", "Third"]
    assert [column.prompt.toPlainText() for column in lab.compare.columns] == ["Be brief.", "Be kind.", ""]
    assert lab.compare.composer.text() == "Why?"


def test_a_message_that_is_being_written_is_not_lost_to_a_question_from_elsewhere(lab):
    lab.tabs.setCurrentIndex(0)
    lab.compare.composer.set_text("Half a thought")
    lab.compare.compare_asked.emit((Contestant("First", ""), Contestant("Second", "Be kind.")), "Why?", None)
    assert lab.compare.composer.text() == "Half a thought"
    assert QGuiApplication.clipboard().text() == "Why?"
    assert [notice.title for notice in lab.compare.notices.notices()] == ["The question is in the clipboard"]

"""Bars in the window: what they say, what they do, and when they go."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

from app.core.errors import ModelFileError
from app.services.notice import Notice
from app.ui.notices import NoticeBar, Notices


@pytest.fixture
def notices(qtbot, light):
    made = Notices(light)
    qtbot.addWidget(made)
    made.resize(700, 200)
    return made


def bar(notices: Notices) -> NoticeBar:
    return next(b for b in notices.findChildren(NoticeBar) if b.notice == notices.notices()[0])


def test_an_error_shows_all_its_parts_as_sentences(notices):
    notices.show_notice(
        Notice.of(ModelFileError("This is not a model", "It begins with <b>PK</b>", "Choose a GGUF file"))
    )
    words = [label.text() for label in bar(notices).findChildren(QLabel)]
    assert "This is not a model" in words
    assert "It begins with <b>PK</b>. Choose a GGUF file." in words
    plain = [label for label in bar(notices).findChildren(QLabel) if label.text()]
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in plain), "a file name is not markup"


def test_an_action_is_done_once_and_closes_its_bar(qtbot, notices):
    done: list[str] = []
    actions = (("Undo", lambda: done.append("undo")), ("Other", lambda: done.append("other")))
    notices.show_notice(Notice("Deleted", actions=actions))
    undo = next(b for b in bar(notices).findChildren(QPushButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert done == ["undo"]
    assert notices.notices() == ()
    assert notices.isHidden()


def test_the_cross_closes_a_bar(qtbot, notices):
    notices.show_notice(Notice("One", level="warning"))
    notices.show_notice(Notice("Two", level="warning"))
    cross = next(b for b in bar(notices).findChildren(QToolButton) if b.accessibleName() == "Close this notice")
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert [notice.title for notice in notices.notices()] == ["One"]


def test_the_same_trouble_twice_is_one_bar_and_never_more_than_three_are_open(notices):
    for _ in range(4):
        notices.show_notice(Notice("The disk is full", level="error"))
    assert len(notices.notices()) == 1
    for number in range(6):
        notices.show_notice(Notice(f"Number {number}", level="error"))
    assert [notice.title for notice in notices.notices()] == ["Number 5", "Number 4", "Number 3"]


def test_information_goes_by_itself_and_trouble_stays(qtbot, notices, monkeypatch):
    monkeypatch.setattr("app.ui.notices.SHOWN_MS", 30)
    notices.show_notice(Notice("Trouble", level="error"))
    notices.show_notice(Notice("By the way"))
    qtbot.waitUntil(lambda: [notice.title for notice in notices.notices()] == ["Trouble"])
    qtbot.wait(80)
    assert [notice.title for notice in notices.notices()] == ["Trouble"]

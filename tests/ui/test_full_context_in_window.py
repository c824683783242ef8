"""A full context as the person meets it in the window: the choice, the lines, the question, the refusal."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton

from app.core.overflow import Overflow, WhenFull, words_of
from app.engine.scripted import Script
from tests.ui.talking import say

SHORT = Script(replies=("word " * 30,), n_ctx=512)
QUESTION = "tell me more " * 8


@pytest.fixture
def stage(open_window):
    return open_window(SHORT)


def fill(qtbot, stage, until) -> None:
    """Say something until this holds."""
    for _ in range(30):
        if until():
            return
        stage.space.page.composer.set_text(QUESTION)
        qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not stage.session.busy, timeout=20_000)
    raise AssertionError("the context never filled up")


def lines(stage) -> list[str]:
    """What the lines between the messages say, from the top."""
    return [row.text for row in stage.space.page._rows() if row.kind == "marker"]


def bar_button(stage, words: str) -> QPushButton:
    """A button of the notices, by its words."""
    notices = stage.space.page.notices
    return next(b for b in notices.findChildren(QPushButton) if b.isVisible() and b.text().startswith(words))


def choose(stage, when_full: WhenFull) -> None:
    stage.session.set_override("when_full", when_full.value)


# --- the choice -----------------------------------------------------------------------------------------------------


def test_the_choice_is_made_by_keyboard_beside_the_chat(qtbot, stage):
    box = next(
        box
        for box in stage.space.inspector.chat.findChildren(QComboBox)
        if box.accessibleName() == "When the context is full"
    )
    assert [box.itemText(place) for place in range(box.count())] == [words_of(choice) for choice in WhenFull]
    assert "question are always sent" in box.accessibleDescription()
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert stage.session.overflow().when_full == WhenFull.FIRST_AND_LATEST
    assert stage.session.chat.overrides == {"when_full": "first_and_latest"}
    assert "keep the first and the latest" in stage.space.page.header.gauge.toolTip()


def test_the_choice_is_made_in_the_menu_of_the_chat_too(qtbot, stage):
    say(qtbot, stage, "hello")
    menu = stage.space.page.header.more.menu()
    menu.aboutToShow.emit()
    (inner,) = [action.menu() for action in menu.actions() if action.text() == "When the context is full"]
    choices = {action.text(): action for action in inner.actions()}
    assert choices["Drop the oldest turns"].isChecked()
    choices["Stop and ask"].trigger()
    assert stage.session.overflow().asks
    menu.aboutToShow.emit()
    (inner,) = [action.menu() for action in menu.actions() if action.text() == "When the context is full"]
    assert [action.text() for action in inner.actions() if action.isChecked()] == ["Stop and ask"]


def test_the_models_own_default_holds_where_the_chat_says_nothing(qtbot, stage):
    stage.space.inspector.tabs.setCurrentIndex(1)
    stage.space.inspector.model.overflow.changed.emit("when_full", "ask")
    assert stage.session.overflow().asks
    assert "stop and ask" in stage.space.page.header.gauge.toolTip()
    stage.space.inspector.tabs.setCurrentIndex(0)
    stage.space.inspector.chat.overflow.changed.emit("when_full", "drop_oldest")
    assert stage.session.overflow().when_full == WhenFull.DROP_OLDEST
    stage.space.inspector.chat.overflow.reset_asked.emit("when_full")
    assert stage.session.overflow().asks


def test_taking_back_all_changes_of_a_chat_takes_back_this_one_too(qtbot, stage):
    choose(stage, WhenFull.ASK)
    panel = stage.space.inspector.chat
    (button,) = [b for b in panel.findChildren(QPushButton) if b.text().startswith("Back to the model’s settings")]
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert stage.session.overflow() == Overflow()


# --- the lines ------------------------------------------------------------------------------------------------------


def test_one_line_stands_where_the_oldest_were_dropped(qtbot, stage):
    fill(qtbot, stage, lambda: lines(stage))
    assert lines(stage) == ["Nothing above this line was sent with the last question: the context is full"]
    path = stage.session.path()
    how = path[-1].provenance
    ids = [row.id for row in stage.space.page._rows()]
    place = next(place for place, row in enumerate(stage.space.page._rows()) if row.kind == "marker")
    assert ids[place + 1] == how.first_sent_id
    footer = stage.space.page._rows()[-1].footer
    assert f"{how.dropped_turns} turns dropped" in footer


def test_two_lines_stand_around_the_middle_that_was_dropped(qtbot, stage):
    choose(stage, WhenFull.FIRST_AND_LATEST)
    fill(qtbot, stage, lambda: lines(stage))
    above, below = lines(stage)
    assert "down to the next line" in above
    assert below == "Everything below this line was sent with the last question"
    rows = stage.space.page._rows()
    assert [row.kind for row in rows[:4]] == ["user", "assistant", "marker", "user"]


# --- the question ---------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(qtbot, stage):
    """The window asks: the last message was not sent."""
    choose(stage, WhenFull.ASK)
    fill(qtbot, stage, lambda: "The context is full" in stage.notices())
    return stage


def test_nothing_is_sent_and_the_message_stands_in_the_composer(qtbot, asked):
    assert asked.space.page.composer.text() == QUESTION.strip()
    assert len(asked.session.path()) % 2 == 0
    assert lines(asked) == []


def test_the_answer_is_given_by_keyboard(qtbot, asked):
    before = len(asked.session.path())
    button = bar_button(asked, "Drop the oldest")
    assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(asked.session.path()) == before + 2 and not asked.session.busy)
    assert asked.space.page.composer.text() == ""
    assert len(lines(asked)) == 1
    assert "The context is full" not in asked.notices()


def test_closing_the_question_loses_nothing(qtbot, asked):
    asked.space.page.notices.close_newest()
    before = len(asked.session.path())
    qtbot.keyClick(asked.space.page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "The context is full" in asked.notices())
    assert asked.space.page.composer.text() == QUESTION.strip()
    assert len(asked.session.path()) == before


def test_what_was_not_sent_is_there_after_another_chat_was_looked_at(qtbot, asked):
    first = asked.session
    asked.space.new_chat()
    assert asked.space.page.composer.text() == ""
    asked.space.open_chat(first.chat.id)
    assert asked.space.page.composer.text() == QUESTION.strip()


def test_the_message_can_begin_a_new_chat(qtbot, asked):
    first = asked.session
    first.set_system_prompt("Be kind.")
    qtbot.mouseClick(bar_button(asked, "Put it into a new chat"), Qt.MouseButton.LeftButton)
    assert asked.session is not first
    assert asked.space.page.composer.text() == QUESTION.strip()
    assert asked.session.chat.system_prompt == "Be kind."
    assert QApplication.focusWidget() in (asked.space.page.composer.field, None)
    asked.space.open_chat(first.chat.id)
    assert asked.space.page.composer.text() == ""


def test_the_ways_leave_the_words_of_a_notice_their_room(qtbot, open_window):
    stage = open_window(SHORT, size=(820, 620))
    choose(stage, WhenFull.ASK)
    fill(qtbot, stage, lambda: "The context is full" in stage.notices())
    notices = stage.space.page.notices
    qtbot.waitUntil(lambda: 0 < notices.height() < stage.space.page.height() / 3)
    for button in notices.findChildren(QPushButton):
        assert button.width() >= button.sizeHint().width(), button.text()


# --- the refusal ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", WhenFull)
def test_a_message_that_is_too_long_stands_in_the_composer_again(qtbot, stage, choice):
    choose(stage, choice)
    long = "long " * 2000
    stage.space.page.composer.set_text(long)
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "This message is too long for the model" in stage.notices())
    assert stage.space.page.composer.text() == long.strip()
    (notice,) = stage.window.page.notices.notices()
    assert "512" in notice.detail
    assert "takes 2,0" in notice.detail
    first = stage.session
    stage.space.new_chat()
    stage.space.open_chat(first.chat.id)
    assert stage.space.page.composer.text() == long.strip(), "nor is it lost by looking at another chat"


def test_a_system_prompt_that_is_too_long_is_named_and_nothing_is_lost(qtbot, stage):
    stage.space.inspector.chat.prompt.field.setPlainText("long " * 600)
    stage.space.page.composer.set_text("Hello")
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "The system prompt is too long for the model" in stage.notices())
    assert stage.space.page.composer.text() == "Hello"
    assert stage.session.path() == []
    stage.space.inspector.chat.prompt.field.setPlainText("Be brief.")
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(stage.session.path()) == 2 and not stage.session.busy)

"""An edit of a message that is not sent yet: nothing of it goes while replies stream and chats are changed."""

from __future__ import annotations

import pytest
from conversations import editor
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QLabel

from app.engine.scripted import Script
from tests.ui.talking import say, start_saying

SLOW = Script(replies=("short", " ".join(f"word{n}" for n in range(300))), tokens_per_s=30)


def texts(stage) -> list[str]:
    return [message.text for message in stage.session.path()]


def begin_edit(qtbot, stage, message_id: int, more: str):
    """Open the editor of a message and type at its end."""
    transcript = stage.space.page.transcript
    transcript.edit_row(message_id)
    field = editor(transcript, message_id)
    qtbot.keyClicks(field, more)
    return field


def test_an_edit_sent_while_a_reply_streams_stays_open_and_can_be_sent_after_it(qtbot, open_window):
    stage = open_window(script=SLOW)
    say(qtbot, stage, "first")
    question = stage.session.path()[0]
    start_saying(qtbot, stage, "second")
    field = begin_edit(qtbot, stage, question.id, " and more")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert stage.notices() == ["A reply is still being written"]
    assert editor(stage.space.page.transcript, question.id) is field
    assert field.isVisible()
    assert field.toPlainText() == "first and more"
    hints = stage.space.page.transcript.item(question.id).findChildren(QLabel)
    assert "Not sent" in [label.text() for label in hints]
    stage.space.page.stop()
    qtbot.waitUntil(lambda: not stage.session.busy)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: texts(stage)[0] == "first and more" and not stage.session.busy, timeout=20_000)
    transcript = stage.space.page.transcript
    assert all(item.unsent_edit == "" for item in transcript.visible_items())


def test_an_edit_without_a_value_for_a_variable_stays_open(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first")
    stage.session.set_system_prompt("Teach {{learner}}.")
    question = stage.session.path()[0]
    field = begin_edit(qtbot, stage, question.id, " and more")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert stage.notices() == ["{{learner}} has no value"]
    assert field.isVisible()
    assert field.toPlainText() == "first and more"
    assert stage.space.page.composer.text() == ""


def test_an_edit_takes_neither_ten_megabytes_nor_files(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first")
    field = begin_edit(qtbot, stage, stage.session.path()[0].id, "")
    data = QMimeData()
    data.setText("x" * 10_000_000)
    field.insertFromMimeData(data)
    assert field.toPlainText() == "first"
    assert stage.notices() == ["That text is too long to paste: 10,000,000 characters"]
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/somewhere/model.gguf")])
    files.setText("file:///somewhere/model.gguf")
    assert not field.canInsertFromMimeData(files)


@pytest.mark.parametrize("way", ["another chat", "a new chat", "the same chat"])
def test_an_edit_waits_while_another_chat_is_looked_at(qtbot, open_window, way):
    stage = open_window()
    say(qtbot, stage, "first")
    first, question = stage.session.chat.id, stage.session.path()[0].id
    stage.space.new_chat()
    say(qtbot, stage, "second")
    second = stage.session.chat.id
    stage.space.open_chat(first)
    begin_edit(qtbot, stage, question, " and more")
    if way == "another chat":
        stage.space.open_chat(second)
        assert stage.space.page.transcript.item(question) is None
    elif way == "a new chat":
        stage.space.new_chat()
    stage.space.open_chat(first)
    field = editor(stage.space.page.transcript, question)
    assert field.toPlainText() == "first and more"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: texts(stage)[0] == "first and more" and not stage.session.busy, timeout=20_000)
    stage.space.open_chat(second)
    stage.space.open_chat(first)
    assert all(editor(stage.space.page.transcript, message.id) is None for message in stage.session.path())


def test_an_edit_that_was_given_up_or_changed_nothing_does_not_come_back(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first")
    first, question = stage.session.chat.id, stage.session.path()[0].id
    for more, key in ((" and more", Qt.Key.Key_Escape), ("", None)):
        field = begin_edit(qtbot, stage, question, more)
        if key is not None:
            qtbot.keyClick(field, key)
        stage.space.new_chat()
        stage.space.open_chat(first)
        assert editor(stage.space.page.transcript, question) is None


def test_an_edit_waits_while_another_version_of_its_message_is_shown(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first")
    question = stage.session.path()[0].id
    stage.session.edit(question, "other")
    qtbot.waitUntil(lambda: texts(stage)[0] == "other" and not stage.session.busy, timeout=20_000)
    other = stage.session.path()[0].id
    begin_edit(qtbot, stage, other, " and more")
    stage.session.show_version(other, -1)
    assert texts(stage)[0] == "first"
    stage.session.show_version(question, 1)
    assert editor(stage.space.page.transcript, other).toPlainText() == "other and more"

"""Answers in chats are marked as good or bad, by mouse and keys; it lasts, and is taken back."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt

from app.core.chat import Mark
from app.engine.scripted import Script
from app.ui.training_dialog import TrainingDialog
from tests.ui.conversations import item, press
from tests.ui.talking import say


def names(stage, row_id: int) -> list[str]:
    transcript = stage.space.page.transcript
    bar = item(transcript, row_id).bar
    return [action.label for action in bar._actions if action.name in ("good", "bad")]


def kept(stage) -> list[Mark | None]:
    chat_id = stage.session.chat.id
    return [one.mark for one in stage.services.ask(lambda stores: stores.chats.messages(chat_id))]


def test_a_reply_is_marked_the_mark_lasts_and_the_same_button_takes_it_back(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "Hello")
    reply = stage.session.path()[-1].id
    transcript = stage.space.page.transcript
    assert names(stage, reply) == ["Mark as a good answer", "Mark as a bad answer"]
    press(qtbot, transcript, reply, "good")
    assert names(stage, reply) == ["Marked as good: take it back", "Mark as a bad answer"]
    assert kept(stage) == [None, Mark.GOOD]
    press(qtbot, transcript, reply, "bad")
    assert names(stage, reply) == ["Mark as a good answer", "Marked as bad: take it back"]
    assert kept(stage) == [None, Mark.BAD]
    again = stage.services.ask(lambda stores: stores.chats.messages(stage.session.chat.id))
    assert again == [stage.session.tree[one.id] for one in again], "what is on screen is what is kept"
    press(qtbot, transcript, reply, "bad")
    assert names(stage, reply) == ["Mark as a good answer", "Mark as a bad answer"]
    assert kept(stage) == [None, None]


def test_a_mark_is_set_with_the_keyboard_and_the_focus_stays_on_it(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "Hello")
    reply = stage.session.path()[-1].id
    bar = item(stage.space.page.transcript, reply).bar
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    bar.button("bad").setFocus()
    qtbot.keyClick(bar.button("bad"), Qt.Key.Key_Return)
    assert kept(stage) == [None, Mark.BAD]
    assert bar.button("bad").hasFocus()
    assert bar.button("bad").isChecked()
    assert not bar.button("good").isChecked()


def test_a_mark_stays_on_its_version_and_on_a_reply_that_goes_on(qtbot, open_window):
    stage = open_window(Script(replies=("one two three", " and four", "five")))
    say(qtbot, stage, "Hello")
    first = stage.session.path()[-1].id
    press(qtbot, stage.space.page.transcript, first, "good")
    stage.session.continue_reply(first)
    qtbot.waitUntil(lambda: not stage.session.busy)
    assert stage.session.path()[-1].mark is Mark.GOOD
    stage.session.regenerate(first)
    qtbot.waitUntil(lambda: not stage.session.busy and len(stage.session.tree) == 3)
    second = stage.session.path()[-1].id
    assert names(stage, second) == ["Mark as a good answer", "Mark as a bad answer"]
    assert kept(stage) == [None, Mark.GOOD, None]


def open_dialog(qtbot, stage) -> TrainingDialog:
    menu = stage.space.page.header.more.menu()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "Rated answers as training data…").trigger()
    (dialog,) = stage.space.page.findChildren(TrainingDialog)
    qtbot.waitUntil(lambda: dialog.which.count() > 0)
    return dialog


def test_marked_answers_of_this_chat_and_of_all_are_written_as_training_data(qtbot, open_window, tmp_path):
    stage = open_window(Script(replies=("one two three", "four five", "six")))
    say(qtbot, stage, "Hello")
    press(qtbot, stage.space.page.transcript, stage.session.path()[-1].id, "good")
    stage.session.regenerate(stage.session.path()[-1].id)
    qtbot.waitUntil(lambda: not stage.session.busy and len(stage.session.tree) == 3)
    press(qtbot, stage.space.page.transcript, stage.session.path()[-1].id, "bad")
    stage.space.new_chat()
    say(qtbot, stage, "And you")
    press(qtbot, stage.space.page.transcript, stage.session.path()[-1].id, "good")
    dialog = open_dialog(qtbot, stage)
    assert [dialog.which.itemText(at) for at in range(dialog.which.count())] == [
        "This chat: answers marked as good (1)",
        "This chat: pairs of a good and a bad answer (0)",
        "All chats: answers marked as good (2)",
        "All chats: pairs of a good and a bad answer (1)",
    ]
    dialog.which.setCurrentIndex(3)
    path = tmp_path / "pairs.jsonl"
    dialog.write(str(path))
    qtbot.waitUntil(lambda: "The training data was written" in stage.notices())
    (line,) = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    assert (line["prompt"], line["chosen"], line["rejected"]) == ("Hello", "one two three", "four five")
    assert set(line) == {"system", "prompt", "chosen", "rejected"}
    (made,) = [json.loads(text) for text in (tmp_path / "pairs.made-by.jsonl").read_text("utf-8").splitlines()]
    assert made["number"] == 1
    assert made["chosen"]["provenance"]["completion_tokens"] == 3
    assert made["rejected"]["provenance"]["stop_reason"] == "end"
    qtbot.waitUntil(lambda: not stage.space.page.findChildren(TrainingDialog))
    dialog = open_dialog(qtbot, stage)
    dialog.made_beside.setChecked(False)
    dialog.write(str(tmp_path / "alone.jsonl"))
    qtbot.waitUntil(lambda: (tmp_path / "alone.jsonl").exists())
    qtbot.waitUntil(lambda: not stage.space.page.findChildren(TrainingDialog))
    assert not (tmp_path / "alone.made-by.jsonl").exists()


def test_without_marks_the_dialog_says_what_to_do(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "Hello")
    dialog = open_dialog(qtbot, stage)
    assert dialog.count.text() == "There is nothing yet. Mark answers with the thumbs below them."
    assert not dialog.save.isEnabled()
    dialog.reject()

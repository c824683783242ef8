"""Writing a message: keys, growing, drafts, and texts too long for any field."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QApplication, QToolButton

from app.ui.composer import Composer
from app.ui.text_field import LONGEST_CHARS


@pytest.fixture
def composer(qtbot, light):
    made = Composer(light)
    qtbot.addWidget(made)
    made.resize(700, 120)
    made.show()
    qtbot.waitExposed(made)
    made.field.setFocus()
    return made


def pasted(text: str) -> QMimeData:
    data = QMimeData()
    data.setText(text)
    return data


def button(composer: Composer) -> QToolButton:
    return composer.findChild(QToolButton, "send")


def test_enter_sends_and_shift_enter_breaks_the_line(qtbot, composer):
    sent: list[str] = []
    composer.submitted.connect(sent.append)
    qtbot.keyClicks(composer.field, "one")
    qtbot.keyClick(composer.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(composer.field, "two")
    assert sent == []
    qtbot.keyClick(composer.field, Qt.Key.Key_Return)
    assert sent == ["one\ntwo"]


def test_nothing_but_space_is_not_sent(qtbot, composer):
    composer.submitted.connect(pytest.fail)
    qtbot.keyClicks(composer.field, "   ")
    qtbot.keyClick(composer.field, Qt.Key.Key_Return)


def test_the_button_sends_while_there_is_text_and_stops_while_busy(qtbot, composer):
    sent, stopped = [], []
    composer.submitted.connect(sent.append)
    composer.stop_asked.connect(lambda: stopped.append(True))
    assert not button(composer).isEnabled()
    qtbot.keyClicks(composer.field, "hello")
    assert button(composer).accessibleName() == "Send message"
    qtbot.mouseClick(button(composer), Qt.MouseButton.LeftButton)
    assert sent == ["hello"]
    composer.clear()
    composer.set_busy(True)
    assert button(composer).accessibleName() == "Stop the reply"
    qtbot.mouseClick(button(composer), Qt.MouseButton.LeftButton)
    assert stopped == [True]


def test_the_next_message_can_be_written_but_not_sent_while_a_reply_is_made(qtbot, composer):
    composer.submitted.connect(pytest.fail)
    composer.set_busy(True)
    qtbot.keyClicks(composer.field, "next")
    qtbot.keyClick(composer.field, Qt.Key.Key_Return)
    assert composer.text() == "next"


def test_escape_asks_to_stop_and_up_in_an_empty_field_for_the_last_message(qtbot, composer):
    with qtbot.waitSignal(composer.stop_asked):
        qtbot.keyClick(composer.field, Qt.Key.Key_Escape)
    with qtbot.waitSignal(composer.last_asked):
        qtbot.keyClick(composer.field, Qt.Key.Key_Up)
    qtbot.keyClicks(composer.field, "text")
    with qtbot.assertNotEmitted(composer.last_asked):
        qtbot.keyClick(composer.field, Qt.Key.Key_Up)


def test_it_grows_with_its_lines_up_to_a_limit(composer):
    heights = []
    for lines in (1, 2, 6, 12, 40):
        composer.set_text("\n".join(["line"] * lines))
        QApplication.processEvents()
        heights.append(composer.field.height())
    assert heights[0] < heights[1] < heights[2] < heights[3] == heights[4]


def test_a_draft_is_told_after_a_pause_and_once(qtbot, composer):
    drafts: list[str] = []
    composer.draft_changed.connect(drafts.append)
    qtbot.keyClicks(composer.field, "half a thought")
    qtbot.waitUntil(lambda: drafts == ["half a thought"])
    composer.flush_draft()
    assert drafts == ["half a thought"]
    composer.set_text("another chat's draft")
    composer.flush_draft()
    assert drafts == ["half a thought"], "what is only shown is no change"


def test_ten_megabytes_are_not_put_into_the_field_and_said_so(qtbot, composer):
    qtbot.keyClicks(composer.field, "before")
    with qtbot.waitSignal(composer.too_long) as told:
        composer.field.insertFromMimeData(pasted("x" * 10_000_000))
    assert told.args == [10_000_000]
    assert composer.text() == "before"


def test_many_pastes_do_not_pass_the_limit_either(composer):
    for _ in range(5):
        composer.field.insertFromMimeData(pasted("word " * 12_000))
    assert len(composer.text()) <= LONGEST_CHARS


def test_one_endless_word_is_broken_anywhere_and_words_again_afterwards(composer):
    before = composer.field.wordWrapMode()
    composer.field.insertFromMimeData(pasted("x" * 50_000))
    assert composer.field.wordWrapMode() != before, "looking for a break in it would stop the window"
    composer.clear()
    assert composer.field.wordWrapMode() == before


def test_nul_characters_are_left_out_of_a_paste(composer):
    composer.field.insertFromMimeData(pasted("a\0b"))
    assert composer.text() == "ab"


def test_files_are_left_to_the_window(composer):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/models/some.gguf")])
    assert not composer.field.canInsertFromMimeData(data)

"""One message: copying, editing, versions, actions."""

from __future__ import annotations

import pytest
from conversations import CODE, answer, body, editor, item, point_of, press, question, select, shown_text
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QTextCursor
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from app.ui.theme import LIGHT
from app.ui.transcript import Transcript


@pytest.fixture
def view(qtbot) -> Transcript:
    made = Transcript(LIGHT)
    qtbot.addWidget(made)
    made.resize(900, 700)
    with qtbot.waitExposed(made):
        made.show()
    return made


def clipboard() -> str:
    return QApplication.clipboard().text()


def test_copying_a_reply_gives_its_markdown(view, qtbot):
    view.set_rows([answer(1, "Some **bold** words and $x^2$.")])
    press(qtbot, view, 1, "copy")
    assert clipboard() == "Some **bold** words and $x^2$."


def test_the_copy_chip_of_a_code_block_copies_that_block_alone(view, qtbot):
    view.set_rows([answer(1, CODE)])
    text = body(view, 1)
    for number, code in ((1, "SELECT 2"), (0, "print('one')")):
        chip = text.cards.chip(text.markdown.cards[number])
        qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=chip.center())
        assert clipboard() == code
    assert not text.textCursor().hasSelection()


def test_the_copy_chip_lights_up_under_the_mouse(view, qtbot):
    view.set_rows([answer(1, CODE)])
    text = body(view, 1)
    chip = text.cards.chip(text.markdown.cards[0])
    qtbot.mouseMove(text.viewport(), chip.center())
    assert text.cards.hovered == 0
    assert text.viewport().cursor().shape() == Qt.CursorShape.PointingHandCursor
    qtbot.mouseMove(text.viewport(), chip.center() + QPoint(0, 60))
    assert text.cards.hovered == -1


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_one_code_block_is_copied_by_the_bar_and_of_several_one_is_chosen(view, qtbot):
    view.set_rows([answer(1, "```\none\n```"), answer(2, CODE)])
    press(qtbot, view, 1, "copy_code")
    assert clipboard() == "one"
    press(qtbot, view, 2, "copy_code")
    menu = item(view, 2).findChild(QMenu)
    assert [choice.text() for choice in menu.actions()] == ["1. python: print('one')", "2. sql: SELECT 2"]
    menu.actions()[1].trigger()
    assert clipboard() == "SELECT 2"
    menu.close()


def test_a_selection_is_copied_without_the_frames(view, qtbot):
    view.set_rows([answer(1, CODE)])
    body(view, 1).selectAll()
    qtbot.keyClick(body(view, 1), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard() == "Look:\nprint('one')\nand\nSELECT 2\ndone"


def test_text_is_selected_with_the_mouse(view, qtbot):
    view.set_rows([answer(1, "Here are some words to drag over.")])
    start, end = point_of(view, 1, "some"), point_of(view, 1, "drag")
    viewport = body(view, 1).viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(viewport, (start + end) / 2)
    qtbot.mouseMove(viewport, end)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)
    assert "words" in body(view, 1).textCursor().selectedText()


def test_an_own_message_is_edited_in_place_and_sent_with_enter(view, qtbot):
    view.set_rows([question(1, "Wat is it?"), answer(2)])
    press(qtbot, view, 1, "edit")
    field = editor(view, 1)
    assert field.hasFocus()
    assert field.toPlainText() == "Wat is it?"
    field.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(field, "Please.")
    with qtbot.waitSignal(view.edit_requested) as sent:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert sent.args == [1, "Wat is it?\nPlease."]
    assert body(view, 1).isVisible()


def test_control_enter_and_the_button_send_too(view, qtbot):
    view.set_rows([question(1, "First")])
    press(qtbot, view, 1, "edit")
    with qtbot.waitSignal(view.edit_requested):
        qtbot.keyClick(editor(view, 1), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    press(qtbot, view, 1, "edit")
    send = next(b for b in item(view, 1).findChildren(QPushButton) if b.text() == "Save and send" and b.isVisible())
    with qtbot.waitSignal(view.edit_requested):
        qtbot.mouseClick(send, Qt.MouseButton.LeftButton)


def test_escape_gives_an_edit_up(view, qtbot):
    view.set_rows([question(1, "First")])
    press(qtbot, view, 1, "edit")
    qtbot.keyClicks(editor(view, 1), " and more")
    with qtbot.assertNotEmitted(view.edit_requested):
        qtbot.keyClick(editor(view, 1), Qt.Key.Key_Escape)
    assert shown_text(view, 1) == "First"
    assert body(view, 1).hasFocus()


def test_an_empty_edit_is_not_sent(view, qtbot):
    view.set_rows([question(1, "First")])
    press(qtbot, view, 1, "edit")
    editor(view, 1).clear()
    with qtbot.assertNotEmitted(view.edit_requested):
        qtbot.keyClick(editor(view, 1), Qt.Key.Key_Return)


def test_an_edit_is_kept_while_the_person_scrolls_away_and_a_reply_streams(view, qtbot):
    view.set_rows([question(1, "First"), *[answer(n, "word " * 300) for n in range(2, 60)]])
    view.edit_row(1)
    qtbot.keyClicks(editor(view, 1), " draft")
    for value in range(0, view.verticalScrollBar().maximum(), 300):
        view.verticalScrollBar().setValue(value)
    assert editor(view, 1).toPlainText() == "First draft"


def test_arrows_ask_for_the_neighbouring_version_and_stop_at_the_ends(view, qtbot):
    view.set_rows([question(1, version=1, versions=3), answer(2, version=2, versions=2)])
    with qtbot.waitSignal(view.version_requested) as asked:
        press(qtbot, view, 1, "next")
    assert asked.args == [1, 1]
    with qtbot.waitSignal(view.version_requested) as asked:
        press(qtbot, view, 2, "previous")
    assert asked.args == [2, -1]
    bar = item(view, 2).bar
    assert not bar.button("next").isEnabled()
    assert bar.button("previous").isEnabled()


def test_a_message_with_one_version_has_no_arrows(view):
    view.set_rows([answer(1)])
    with pytest.raises(KeyError):
        item(view, 1).bar.button("previous")


def test_regenerate_and_continue_are_offered_where_they_make_sense(view, qtbot):
    view.set_rows([question(1), answer(2), answer(3, state="stopped", can_go_on=True), answer(4, state="stopped")])
    with qtbot.waitSignal(view.regenerate_requested) as asked:
        press(qtbot, view, 2, "regenerate")
    assert asked.args == [2]
    with qtbot.waitSignal(view.continue_requested) as asked:
        press(qtbot, view, 3, "continue")
    assert asked.args == [3]
    with pytest.raises(KeyError):
        item(view, 1).bar.button("regenerate")
    for row_id in (2, 4):
        with pytest.raises(KeyError):
            item(view, row_id).bar.button("continue")


def test_while_a_reply_streams_it_can_be_copied_but_not_regenerated(view, qtbot):
    view.set_rows([answer(1, "Half", state="streaming")])
    press(qtbot, view, 1, "copy")
    assert clipboard() == "Half"
    with pytest.raises(KeyError):
        item(view, 1).bar.button("regenerate")
    view.finish(1, answer(1, "Half"))
    assert item(view, 1).bar.button("regenerate").isEnabled()


def test_the_menu_of_a_message_offers_to_copy_all_of_it(view, qtbot):
    view.set_rows([answer(1, "All **of** it")])
    select(view, 1, "of")
    action = next(a for a in body(view, 1).actions() if isinstance(a, QAction) and a.text() == "Copy message")
    action.trigger()
    assert clipboard() == "All **of** it"

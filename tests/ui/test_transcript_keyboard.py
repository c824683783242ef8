"""The transcript by keyboard and by screen reader."""

from __future__ import annotations

import pytest
from conversations import CODE, answer, body, focus_within, item, question
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from app.ui.theme import LIGHT
from app.ui.transcript import Transcript


@pytest.fixture
def window(qtbot) -> QWidget:
    """A window with a button before and one behind the transcript."""
    made = QWidget()
    qtbot.addWidget(made)
    layout = QVBoxLayout(made)
    layout.addWidget(QPushButton("before"))
    layout.addWidget(Transcript(LIGHT))
    layout.addWidget(QPushButton("behind"))
    made.resize(900, 900)
    made.show()
    with qtbot.waitActive(made):
        made.activateWindow()
    return made


@pytest.fixture
def view(window) -> Transcript:
    return window.findChild(Transcript)


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def tab(qtbot, *, back: bool = False) -> None:
    qtbot.keyClick(focused(), Qt.Key.Key_Backtab if back else Qt.Key.Key_Tab)


def control(qtbot, key: Qt.Key) -> None:
    qtbot.keyClick(focused(), key, Qt.KeyboardModifier.ControlModifier)


def test_tab_goes_through_the_transcript_in_three_steps_and_out_again(window, view, qtbot):
    view.set_rows([question(1), answer(2), question(3), answer(4)])
    before, behind = window.findChildren(QPushButton, options=Qt.FindChildOption.FindDirectChildrenOnly)
    before.setFocus()
    tab(qtbot)
    assert focused() is view
    tab(qtbot)
    assert focused() is body(view, 4)
    tab(qtbot)
    assert focus_within(item(view, 4).bar)
    tab(qtbot)
    assert focused() is behind
    tab(qtbot, back=True)
    assert focused() is view
    tab(qtbot, back=True)
    assert focused() is before


def test_shift_tab_goes_back_the_same_way(window, view, qtbot):
    view.set_rows([question(1), answer(2)])
    view.setFocus()
    tab(qtbot)
    tab(qtbot)
    tab(qtbot, back=True)
    assert focused() is body(view, 2)
    tab(qtbot, back=True)
    assert focused() is view


def test_control_and_arrows_go_from_message_to_message_over_markers_and_scroll_along(view, qtbot):
    from app.ui.transcript_row import Row

    rows = [question(n) if n % 2 else answer(n, "word " * 400) for n in range(1, 30)]
    view.set_rows([*rows[:10], Row("marker", -1, "System prompt changed"), *rows[10:]])
    view.setFocus()
    control(qtbot, Qt.Key.Key_Up)
    assert focused() is body(view, 29)
    for row_id in range(28, 0, -1):
        control(qtbot, Qt.Key.Key_Up)
        assert focused() is body(view, row_id)
        assert item(view, row_id).isVisible()
        assert 0 <= item(view, row_id).y() < view.viewport().height()
    control(qtbot, Qt.Key.Key_Up)
    assert focused() is body(view, 1)
    control(qtbot, Qt.Key.Key_Down)
    assert focused() is body(view, 2)


def test_escape_goes_from_a_message_to_the_transcript(view, qtbot):
    view.set_rows([answer(1)])
    view.setFocus()
    tab(qtbot)
    qtbot.keyClick(focused(), Qt.Key.Key_Escape)
    assert focused() is view


def test_home_end_and_page_keys_scroll(view, qtbot):
    view.set_rows([answer(n, "word " * 300) for n in range(1, 30)])
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.verticalScrollBar().value() == 0
    assert not view.at_end
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    page = view.verticalScrollBar().value()
    assert 0 < page <= view.viewport().height()
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert view.verticalScrollBar().value() == 0
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.at_end


def test_arrow_keys_walk_the_actions_and_enter_presses_one(view, qtbot):
    view.set_rows([answer(1, CODE)])
    view.setFocus()
    tab(qtbot)
    tab(qtbot)
    names = []
    for _ in range(4):
        names.append(focused().accessibleName())
        qtbot.keyClick(focused(), Qt.Key.Key_Right)
    assert names == ["Copy message", "Regenerate reply", "Copy a code block…", "What made this answer"]
    assert focused().accessibleName() == "Copy message"
    qtbot.keyClick(focused(), Qt.Key.Key_End)
    for _ in range(2):
        qtbot.keyClick(focused(), Qt.Key.Key_Left)
    with qtbot.waitSignal(view.regenerate_requested):
        qtbot.keyClick(focused(), Qt.Key.Key_Return)


def test_the_focus_stays_in_the_bar_when_a_version_is_turned_over(view, qtbot):
    view.set_rows([answer(1, version=1, versions=2)])
    view.setFocus()
    tab(qtbot)
    tab(qtbot)
    assert focused().accessibleName() == "Next version"
    view.update_row(1, answer(1, "Other", version=2, versions=2))
    assert focus_within(item(view, 1).bar)


def test_links_are_reached_and_opened_by_keyboard(view, qtbot):
    view.set_rows([answer(1, "See [the docs](https://example.org/docs).")])
    view.setFocus()
    tab(qtbot)
    tab(qtbot)
    assert body(view, 1).textCursor().selectedText() == "the docs"
    with qtbot.waitSignal(view.link_activated) as opened:
        qtbot.keyClick(focused(), Qt.Key.Key_Return)
    assert opened.args == ["https://example.org/docs"]


def test_every_message_and_action_has_a_name_that_says_what_it_is(view):
    view.set_rows([question(1), answer(2), question(3, versions=2), answer(4, CODE, state="stopped")])
    names = [shown.accessibleName() for shown in view.visible_items()]
    assert names == [
        "You, message 1 of 4",
        "Tiny, message 2 of 4",
        "You, message 3 of 4",
        "Tiny, message 4 of 4",
    ]
    for shown in view.visible_items():
        shown.bar.materialise()
        for child in shown.findChildren(QWidget):
            if child.focusPolicy() != Qt.FocusPolicy.NoFocus and child.isVisible():
                assert child.accessibleName(), child


def test_a_screen_reader_finds_a_list_with_the_messages_in_reading_order(view):
    view.set_rows([question(1), answer(2), question(3), answer(4)])
    found = QAccessible.queryAccessibleInterface(view)
    assert found.role() == QAccessible.Role.List
    assert found.text(QAccessible.Text.Name) == "Conversation"
    rows = [found.child(number) for number in range(found.childCount())]
    assert [row.text(QAccessible.Text.Name) for row in rows] == [
        "You, message 1 of 4",
        "Tiny, message 2 of 4",
        "You, message 3 of 4",
        "Tiny, message 4 of 4",
    ]
    assert {row.role() for row in rows} == {QAccessible.Role.ListItem}
    assert found.indexOfChild(rows[2]) == 2
    view.append_row(question(5))
    assert rows[0].text(QAccessible.Text.Name) == "You, message 1 of 5"
    text = rows[1].child(0).textInterface()
    assert text.text(0, text.characterCount()) == "It is this."


def test_the_end_of_a_reply_is_announced_once(view, monkeypatch):
    said = []
    monkeypatch.setattr("app.ui.transcript.announce", lambda widget, words: said.append(words))
    view.set_rows([answer(1, "", state="streaming")])
    for _ in range(5):
        view.append_text(1, "words ")
    assert said == []
    view.finish(1, answer(1, "words " * 5))
    assert said == ["Reply finished"]

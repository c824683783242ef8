"""The list of chats: headings by date, times, renaming in place, keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from app.core.chat import ChatRow
from app.ui.chat_list import ChatList
from app.ui.chat_sections import by_section, time_label

NOW = datetime(2026, 3, 4, 15, 30).astimezone()


def chat(number: int, ago: timedelta = timedelta(), *, pinned: bool = False, title: str = "") -> ChatRow:
    return ChatRow(number, title or f"Chat {number}", "starter", pinned, int((NOW - ago).timestamp() * 1000))


@dataclass
class Hit:
    chat_id: int
    title: str
    snippet: str
    message_id: int | None = None


CHATS = (
    chat(1, timedelta(days=40), pinned=True),
    chat(2, timedelta(minutes=5)),
    chat(3, timedelta(hours=16)),
    chat(4, timedelta(days=3)),
    chat(5, timedelta(days=7)),
    chat(6, timedelta(days=8)),
    chat(7, timedelta(days=400)),
)


@pytest.fixture
def chats(qtbot, light):
    made = ChatList(light)
    qtbot.addWidget(made)
    made.resize(268, 500)
    made.rows.show_chats(CHATS, NOW)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_chats_stand_under_the_day_they_were_last_used():
    found = {name: [row.id for row in rows] for name, rows in by_section(CHATS, NOW)}
    assert found == {"Pinned": [1], "Today": [2], "Yesterday": [3], "Previous 7 days": [4, 5], "Older": [6, 7]}


def test_the_heading_follows_midnight_and_not_twenty_four_hours():
    just_after_midnight = NOW.replace(hour=0, minute=5)
    before_midnight = chat(1, NOW - NOW.replace(hour=0, minute=0) + timedelta(minutes=10))
    assert by_section((before_midnight,), just_after_midnight)[0][0] == "Yesterday"


def test_times_are_as_short_as_they_can_be():
    assert [time_label(row, NOW) for row in CHATS[1:]] == ["15:25", "Tue", "Sun", "Wed", "24 Feb", "28 Jan 2025"]


def test_headings_cannot_be_chosen_and_keys_pass_over_them(qtbot, chats):
    chats.setFocus()
    chats.setCurrentIndex(chats.rows.index_of(1))
    chosen: list[int] = []
    chats.chosen.connect(lambda chat_id, _message_id: chosen.append(chat_id))
    qtbot.keyClick(chats, Qt.Key.Key_Down)
    qtbot.keyClick(chats, Qt.Key.Key_Return)
    assert chosen == [2]


def test_a_click_opens_a_chat(qtbot, chats):
    with qtbot.waitSignal(chats.chosen) as chosen:
        place = chats.visualRect(chats.rows.index_of(4)).center()
        qtbot.mouseClick(chats.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == [4, 0]


def test_f2_edits_the_title_in_place_and_enter_takes_it(qtbot, chats):
    chats.setFocus()
    chats.setCurrentIndex(chats.rows.index_of(2))
    qtbot.keyClick(chats, Qt.Key.Key_F2)
    field = chats.findChild(QLineEdit)
    assert field.accessibleName() == "Title of the chat"
    assert chats.is_renaming()
    qtbot.keyClicks(field, "A better title")
    with qtbot.waitSignal(chats.rows.renamed) as renamed:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert renamed.args == [2, "A better title"]


def test_an_empty_title_is_not_taken(qtbot, chats):
    with qtbot.assertNotEmitted(chats.rows.renamed):
        assert not chats.rows.setData(chats.rows.index_of(2), "   ")


def test_delete_asks_for_the_trash(qtbot, chats):
    chats.setCurrentIndex(chats.rows.index_of(3))
    with qtbot.waitSignal(chats.delete_asked) as asked:
        qtbot.keyClick(chats, Qt.Key.Key_Delete)
    assert asked.args == [3]


def test_the_menu_offers_what_can_be_done_with_a_chat(qtbot, chats):
    menu = chats.menu_for(1)
    assert [a.text() for a in menu.actions() if a.text()] == ["Rename", "Unpin", "Export…", "Delete"]
    with qtbot.waitSignal(chats.pin_asked) as asked:
        menu.actions()[1].trigger()
    assert asked.args == [1, False]


def test_a_new_time_of_the_same_chats_keeps_place_and_editor(qtbot, chats):
    chats.setCurrentIndex(chats.rows.index_of(2))
    chats.rename(2)
    assert chats.is_renaming()
    chats.rows.show_chats(tuple(chat(c.id, pinned=c.pinned) if c.id == 2 else c for c in CHATS), NOW)
    assert chats.is_renaming()
    assert chats.rows.row(chats.rows.index_of(2)).note == "15:30"


def test_hits_show_the_text_found_and_are_read_out_whole(chats):
    chats.rows.show_hits([Hit(4, "Whales", "orcas are\n  dolphins")])
    index = chats.rows.index_of(4)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Whales, orcas are dolphins"
    assert chats.rows.row(chats.rows.index(0)).title == "Found in 1 chat"


def test_rows_grow_with_the_text_size(chats, light):
    small = chats.sizeHintForRow(1)
    font = chats.font()
    font.setPointSizeF(20)
    chats.setFont(font)
    chats.set_theme(light.sized(20))
    assert chats.sizeHintForRow(1) > small

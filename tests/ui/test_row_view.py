"""A list of models: keys, the button in a row, what it says aloud, and what it leaves out where room is short."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QFontMetrics
from PySide6.QtTest import QSignalSpy

from app.ui.row_layout import RowLayout
from app.ui.row_list import Cell, Column, Row
from app.ui.row_view import RowView

COLUMNS = (Column("Size", "14.37 GB", keep=1, right=True), Column("Runs here", "xxxx Partly on the GPU", keep=2))


def row(key: str, button: str = "Download", *, enabled: bool = True) -> Row:
    cells = (Cell("4.37 GB"), Cell("Fits in memory", "fit-memory", "accent"))
    return Row(key, f"Model {key}", note="Good.", cells=cells, button=button, button_enabled=enabled)


@pytest.fixture
def view(qtbot, light):
    made = RowView("Models", "Model", COLUMNS, light, button="Download")
    qtbot.addWidget(made)
    made.resize(700, 300)
    made.show_rows([row("a"), row("b", "Chat"), row("c", enabled=False)])
    made.show()
    qtbot.waitExposed(made)
    made.setFocus()
    return made


def test_a_row_is_read_with_its_columns_and_what_space_does(view):
    index = view.rows.index_of("a")
    spoken = view.rows.data(index, Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Model a, Good, Size 4.37 GB, Runs here Fits in memory, Space: Download"
    assert "Space" not in view.rows.data(view.rows.index_of("c"), Qt.ItemDataRole.AccessibleTextRole)


def test_a_screen_reader_hears_the_rows_through_the_list(view):
    list_of_rows = QAccessible.queryAccessibleInterface(view)
    assert list_of_rows.role() is QAccessible.Role.List
    children = [list_of_rows.child(place) for place in range(list_of_rows.childCount())]
    heard = [child.text(QAccessible.Text.Name) for child in children if child is not None]
    assert any(words.startswith("Model b, Good, Size 4.37 GB") for words in heard)


def test_arrows_go_from_row_to_row_and_skip_the_titles(qtbot, view):
    view.setCurrentIndex(view.rows.index_of("a"))
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.rows.row(view.currentIndex()).key == "a"
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.rows.row(view.currentIndex()).key == "b"


def test_enter_opens_space_presses_and_delete_removes(qtbot, view):
    view.choose("b")
    opened, pressed, removed = (QSignalSpy(signal) for signal in (view.opened, view.pressed, view.removed))
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Delete):
        qtbot.keyClick(view, key)
    assert [spy.at(0) for spy in (opened, pressed, removed)] == [["b"], ["b"], ["b"]]


def test_a_button_that_is_off_cannot_be_pressed(qtbot, view):
    pressed = QSignalSpy(view.pressed)
    view.choose("c")
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert pressed.count() == 0


def test_a_click_on_the_button_presses_and_elsewhere_opens(qtbot, view):
    opened, pressed = QSignalSpy(view.opened), QSignalSpy(view.pressed)
    box = view.visualRect(view.rows.index_of("a"))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(box.right() - 40, box.center().y()))
    assert (pressed.count(), opened.count()) == (1, 0)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(box.left() + 40, box.center().y()))
    assert (pressed.count(), opened.count()) == (1, 1)


def test_the_ring_stays_on_its_row_when_others_come_and_go(view):
    view.choose("b")
    view.show_rows([row("z"), row("b"), row("c")])
    assert view.rows.row(view.currentIndex()).key == "b"


def test_the_list_is_as_high_as_its_rows(view):
    last = view.visualRect(view.rows.index_of("c"))
    assert abs(view.height() - 2 - last.bottom() - 1) <= 2
    assert not view.verticalScrollBar().isVisible()
    three = view.height()
    view.show_rows([row("a")])
    assert view.height() < three


def test_where_room_is_short_columns_go_the_least_important_first(view):
    metrics = QFontMetrics(view.font())
    shown = [
        sorted(RowLayout.of(width, COLUMNS, metrics, tiles=False, button="Download").shown)
        for width in range(900, 200, -10)
    ]
    assert shown[0] == [0, 1]
    assert shown[-1] == []
    assert [1] in shown
    assert [0] not in shown
    assert sorted(shown, key=len, reverse=True) == shown


def test_parts_of_a_row_never_overlap(view):
    metrics = QFontMetrics(view.font())
    for width in range(260, 1600, 20):
        layout = RowLayout.of(width, COLUMNS, metrics, tiles=True, button="Download")
        box = view.visualRect(view.rows.index_of("a"))
        box.setWidth(width)
        edges = [layout.name_box(box)]
        edges += [layout.cell_box(box, left, wide) for _, left, wide in layout.columns]
        edges.append(layout.button_box(box, metrics))
        assert all(a.right() < b.left() for a, b in pairwise(edges)), width

"""The list of messages: scrolling, streaming, themes, long texts."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
import replies
from conversations import answer, body, item, press, question, select, selected, shown_text
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton

from app.ui.theme import DARK, LIGHT
from app.ui.transcript import Transcript
from app.ui.transcript_row import COLLAPSED_CHARACTERS, Row
from app.ui.transcript_view import KEPT_ITEMS


@pytest.fixture
def view(qtbot) -> Transcript:
    made = Transcript(LIGHT)
    qtbot.addWidget(made)
    made.resize(900, 600)
    with qtbot.waitExposed(made):
        made.show()
    return made


def long_chat(count: int) -> list[Row]:
    rng = random.Random(2)
    return [
        question(number, replies.paragraph(rng, 1)) if number % 2 else answer(number, replies.paragraph(rng, 3))
        for number in range(1, count + 1)
    ]


def test_a_chat_of_ten_thousand_messages_opens_at_its_end_with_a_handful_of_widgets(view):
    view.set_rows(long_chat(10_000))
    assert view.realised < 15
    last = item(view, 10_000)
    assert last.isVisible()
    assert last.geometry().bottom() <= view.viewport().height()
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_scrolling_through_a_long_chat_keeps_only_a_few_widgets(view):
    view.set_rows(long_chat(2_000))
    for _ in range(150):
        view.verticalScrollBar().setValue(view.verticalScrollBar().value() - 400)
    assert view.realised <= KEPT_ITEMS
    view.verticalScrollBar().setValue(0)
    assert item(view, 1).isVisible()
    assert item(view, 1).y() == 0


def test_rows_never_overlap_and_leave_no_gap(view):
    view.set_rows(long_chat(300))
    for value in (0, 333, 5_000, 9_999, view.verticalScrollBar().maximum()):
        view.verticalScrollBar().setValue(value)
        places = [(shown.y(), shown.geometry().bottom() + 1) for shown in view.visible_items()]
        assert all(above[1] == below[0] for above, below in pairwise(places))
        assert places[0][0] <= 0
        assert places[-1][1] >= view.viewport().height() or value == view.verticalScrollBar().maximum()


def test_the_text_of_every_message_fits_its_widget(view):
    view.set_rows([question(1, "a\nb\n\nc"), answer(2, replies.reply(300)), answer(3, "```\nlast\n```")])
    for row_id in (1, 2, 3):
        assert view.reveal(row_id) is not None
        text = body(view, row_id)
        assert text.height() >= text.document().size().height()


def test_the_column_is_at_most_800_pixels_and_in_the_middle(view):
    view.resize(1600, 600)
    view.set_rows([answer(1, replies.reply(100))])
    left = body(view, 1).geometry().left() - 44
    right = view.viewport().width() - body(view, 1).geometry().right() - 1
    assert abs(left - right) <= 1
    assert body(view, 1).width() + 44 == 800


def test_a_narrow_window_wraps_instead_of_scrolling_sideways(view):
    view.set_rows([question(1, "word " * 50), answer(2, replies.reply(200))])
    view.resize(360, 600)
    for row_id in (1, 2):
        view.reveal(row_id)
        assert body(view, row_id).geometry().right() < view.viewport().width()


def test_the_end_stays_in_view_while_a_reply_streams(view, qtbot):
    view.set_rows([*long_chat(50), answer(99, "", state="streaming")])
    for number in range(60):
        view.append_text(99, f"Line {number} of it.\n\n")
    qtbot.waitUntil(lambda: shown_text(view, 99).count("Line") == 60)
    assert item(view, 99).geometry().bottom() + 1 == view.viewport().height()


def test_whoever_scrolls_up_is_left_alone_and_can_jump_back(view, qtbot):
    view.set_rows([*long_chat(50), answer(99, "start\n\n", state="streaming")])
    view.verticalScrollBar().setValue(500)
    before = [(shown.row.id, shown.y()) for shown in view.visible_items()]
    for number in range(40):
        view.append_text(99, f"Line {number} of it.\n\n")
    assert [(shown.row.id, shown.y()) for shown in view.visible_items()] == before
    assert view.jump_button.isVisible()
    qtbot.mouseClick(view.jump_button, Qt.MouseButton.LeftButton)
    assert view.at_end
    assert not view.jump_button.isVisible()
    qtbot.waitUntil(lambda: "Line 39" in shown_text(view, 99))


def test_text_for_a_row_that_was_never_seen_is_there_when_it_is(view, qtbot):
    view.set_rows([answer(1, "start", state="streaming"), *[replace(row, id=row.id + 1) for row in long_chat(200)]])
    assert view.item(1) is None
    view.append_text(1, " and more")
    view.verticalScrollBar().setValue(0)
    qtbot.waitUntil(lambda: shown_text(view, 1) == "start and more")


def test_text_for_an_unknown_row_is_ignored(view):
    view.set_rows([question(1)])
    view.append_text(7, "late")
    view.finish(7, answer(7))
    view.update_row(7, answer(7))
    view.remove_row(7)
    assert [row.id for row in view.rows] == [1]


def test_a_selection_survives_streaming_even_in_the_growing_block(view, qtbot):
    view.set_rows([answer(1, "First words stay.\n\nThe live block", state="streaming")])
    select(view, 1, "words stay")
    view.append_text(1, " grows")
    assert selected(view, 1) == "words stay"
    select(view, 1, "live block")
    for _ in range(5):
        view.append_text(1, " and **grows**")
    qtbot.waitUntil(lambda: shown_text(view, 1).count("grows") == 6)
    assert selected(view, 1) == "live block"
    view.finish(1, answer(1, view.rows[0].text))
    assert selected(view, 1) == "live block"


def test_an_update_of_the_footer_does_not_touch_the_text(view):
    view.set_rows([answer(1, "Some words.")])
    select(view, 1, "words")
    view.update_row(1, replace(answer(1, "Some words."), footer="10 tokens"))
    assert selected(view, 1) == "words"


def test_rows_can_be_added_changed_and_taken_away(view):
    view.set_rows([question(1), answer(2)])
    view.append_row(question(3, "More?"))
    view.insert_row(2, Row("marker", -1, "System prompt changed"))
    view.update_row(2, answer(2, "Something else."))
    assert [row.id for row in view.rows] == [1, 2, -1, 3]
    assert shown_text(view, 2) == "Something else."
    assert item(view, -1).accessibleName() == "System prompt changed"
    view.remove_row(-1)
    assert [shown.row.id for shown in view.visible_items()] == [1, 2, 3]


def test_another_version_keeps_what_is_above_it_in_place(view):
    rows = long_chat(40)
    view.set_rows(rows)
    view.verticalScrollBar().setValue(700)
    top = view.visible_items()[0]
    select(view, top.row.id, top.row.text.split()[0])
    place = (top.row.id, top.y(), selected(view, top.row.id))
    view.replace_rows([*rows[:30], answer(1_000, "Another one.", version=2, versions=2)])
    top = view.visible_items()[0]
    assert (top.row.id, top.y(), selected(view, top.row.id)) == place
    assert len(view.rows) == 31


def test_a_theme_is_put_on_at_run_time_without_losing_place_selection_or_stream(view, qtbot):
    view.set_rows([*long_chat(30), answer(99, "A **live** reply", state="streaming")])
    select(view, 99, "live")
    view.set_theme(DARK)
    assert selected(view, 99) == "live"
    view.append_text(99, " goes on")
    qtbot.waitUntil(lambda: shown_text(view, 99) == "A live reply goes on")
    shot = view.grab().toImage()
    assert shot.pixelColor(5, 5).name() == DARK.window
    colours = {shot.pixelColor(x, y).name() for x in range(0, 880, 2) for y in range(0, 600, 2)}
    assert DARK.bubble in colours
    assert LIGHT.bubble not in colours


def test_a_short_text_cannot_be_scrolled_aside_in_its_bubble(view):
    view.set_rows([question(1, "What is my name?"), answer(2, "Ada.")])
    for _ in range(2):
        assert body(view, 1).horizontalScrollBar().maximum() == 0
        view.resize(view.width() - 40, view.height() - 40)
        view.set_theme(DARK)


def test_a_table_that_grows_below_a_list_can_be_painted_at_any_moment(view, qtbot):
    """Qt crashes when asked where a cell is before its table was laid out."""
    view.resize(850, 760)
    listed = "\n\n".join(f"{number}. A line of a list" for number in range(8))
    table = "| Name | Size | Use |\n|:--|--:|---|\n| Mistral | 4.4 GB | The usual one |\n| Tiny | 2 MB | x |"
    text = f"{listed}\n\n{table}\n\n```python\nfor block in blocks:\n    print(block)\n```\n"
    view.set_rows([question(1), answer(2, "", state="streaming")])
    shown = body(view, 2).markdown
    for start in range(0, len(text), 20):
        view.append_text(2, text[start : start + 20])
        qtbot.waitUntil(lambda begun=text[: start + 20]: shown.source == begun)
        QApplication.processEvents()
    assert "print(block)" in shown_text(view, 2)


def test_a_theme_leaves_every_text_its_room(view):
    view.set_rows([question(1, "Show me everything that you know"), answer(2, "All of *it*")])
    before = [body(view, row_id).geometry() for row_id in (1, 2)]
    view.set_theme(DARK)
    assert [body(view, row_id).geometry() for row_id in (1, 2)] == before


def test_the_text_does_not_move_aside_when_it_grows_out_of_the_window(view, qtbot):
    view.set_rows([question(1), answer(2, "", state="streaming")])
    bar, left = view.verticalScrollBar(), body(view, 2).x()
    assert bar.property("idle")
    view.append_text(2, "More.\n\n" * 40)
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert not bar.property("idle")
    assert bar.isVisible()
    assert body(view, 2).x() == left


def test_a_persons_text_is_shown_as_it_was_typed(view):
    view.set_rows([question(1, "**not bold**\n\n    indented\n<b>x</b> $y$ http://a.b")])
    assert shown_text(view, 1) == "**not bold**\n\n    indented\n<b>x</b> $y$ http://a.b"


def test_a_long_paste_is_shown_shortened_until_asked_for(view, qtbot):
    text = "word " * 8_000
    view.set_rows([question(1, text)])
    assert len(shown_text(view, 1)) == COLLAPSED_CHARACTERS + 1
    more = item(view, 1).findChild(QPushButton)
    assert more.text() == "Show all 40,000 characters"
    view.reveal(1)
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(shown_text(view, 1).replace("\n", "")) == len(text))
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    assert len(shown_text(view, 1)) == COLLAPSED_CHARACTERS + 1
    press(qtbot, view, 1, "copy")
    assert QApplication.clipboard().text() == text


def test_a_very_long_reply_is_laid_out_bit_by_bit_and_completely(view, qtbot):
    text = "\n\n".join(f"Paragraph {number} of many." for number in range(3_000))
    view.set_rows([answer(1, text)])
    assert shown_text(view, 1).count("Paragraph") < 3_000
    qtbot.waitUntil(lambda: shown_text(view, 1).count("Paragraph") == 3_000, timeout=20_000)
    assert item(view, 1).geometry().bottom() + 1 == view.viewport().height()


def test_a_chat_can_be_closed_while_its_long_reply_is_still_laid_out(view, qtbot):
    view.set_rows([answer(1, "```python\n" + "x = 1  # one\n" * 3_000 + "```")])
    view.set_rows([question(2)])
    qtbot.wait(50)
    assert [shown.row.id for shown in view.visible_items()] == [2]


def test_an_empty_chat_and_an_empty_reply_are_fine(view):
    view.set_rows([])
    assert view.visible_items() == []
    view.append_row(answer(1, "", state="streaming"))
    view.append_text(1, "")
    view.finish(1, answer(1, ""))
    assert item(view, 1).isVisible()


def test_dragging_the_slider_makes_at_most_one_message_a_turn_and_all_of_them_in_the_end(view, qtbot):
    view.set_rows(long_chat(3_000))
    bar = view.verticalScrollBar()
    bar.setSliderDown(True)
    for value in (20_000, 90_000, 50_000):
        before = view.realised
        bar.setSliderPosition(value)
        assert view.realised <= before + 1
    qtbot.waitUntil(lambda: sum(shown.height() for shown in view.visible_items()) >= view.viewport().height())
    assert bar.value() == 50_000
    bar.setSliderDown(False)
    places = [(shown.y(), shown.geometry().bottom() + 1) for shown in view.visible_items()]
    assert all(above[1] == below[0] for above, below in pairwise(places))


def test_a_very_long_message_takes_a_new_width_only_when_the_window_has_stopped_moving(view, qtbot):
    view.set_rows([answer(1, "\n".join(f"- item {number}" for number in range(900)))])
    qtbot.waitUntil(lambda: not view.is_behind)
    text = body(view, 1)
    before = text.lineWrapColumnOrWidth()
    for width in range(700, 500, -20):
        view.resize(width, 600)
        assert text.lineWrapColumnOrWidth() == before
    qtbot.waitUntil(lambda: text.lineWrapColumnOrWidth() == text.width())
    assert text.height() >= text.document().size().height()


def test_the_wheel_over_a_message_scrolls_the_conversation(view, qtbot):
    view.set_rows(long_chat(100))
    viewport = view.visible_items()[-1].body.viewport()
    before = view.verticalScrollBar().value()
    centre = QPointF(viewport.rect().center())
    turn = QWheelEvent(
        centre,
        viewport.mapToGlobal(centre),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    # Qt does not hand made-up events on to parents: the message must leave it, the list must take it
    QApplication.sendEvent(viewport, turn)
    assert not turn.isAccepted()
    QApplication.sendEvent(view.viewport(), turn)
    assert view.verticalScrollBar().value() < before

"""The library of prompts: found, deleted, brought back, moved by files, and how it looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit

from app.services.prompt_desk import own_key
from app.ui.keyed_rows import ROW_ROLE
from app.ui.prompts_view import PromptsView
from tests.ui.prompts.stage import Desk, drop


def test_at_first_there_are_the_prompts_that_come_along_and_they_are_read_only(desk: Desk):
    names = [one.name for one in desk.prompts.bundled()]
    assert desk.titles() == ["Come with Orcinus", *names]
    view = desk.view
    assert view.editor.field.isReadOnly()
    assert view.editor.field.toPlainText() == desk.prompts.bundled()[0].version.text
    assert view.editor.state.text() == "Comes with Orcinus; it never changes"
    desk.press("Make it my own")
    desk.wait(lambda: not view.editor.field.isReadOnly() and len(view.desk.versions) == 1)
    assert desk.titles()[:2] == ["Your prompts", names[0]]
    assert desk.versions() == [f"v1 {_beginning(view)} *"]


def _beginning(view: PromptsView) -> str:
    return " ".join(view.desk.versions[0].text[:200].split())


def test_prompts_are_found_by_words_and_by_tags(qtbot, desk: Desk):
    desk.make("Pirate", "Arr.")
    prompt = desk.make("Lawyer", "Speak of contracts.")
    details = desk.view.editor.details
    qtbot.keyClicks(details.tags, "law, work")
    qtbot.keyClick(details.tags, Qt.Key.Key_Return)
    qtbot.keyClicks(details.note, "For letters")
    qtbot.keyClick(details.note, Qt.Key.Key_Return)
    desk.wait(lambda: desk.prompts.prompt(prompt.id).note == "For letters")
    assert desk.prompts.prompt(prompt.id).tags == ("law", "work")
    search = desk.view.side.search
    qtbot.keyClicks(search, "CONTRACT letters")
    assert desk.titles() == ["Your prompts", "Lawyer"]
    search.setText("no such thing")
    assert desk.titles() == []
    assert desk.view.side.nothing.isVisible()
    search.clear()
    desk.view.side.tags.choose("law")
    assert desk.titles() == ["Your prompts", "Lawyer"]
    desk.view.side.tags.choose("law")
    assert desk.titles()[:3] == ["Your prompts", "Lawyer", "Pirate"]


def test_keys_go_through_the_list_and_delete_can_be_undone(qtbot, desk: Desk):
    desk.make("One", "1")
    desk.make("Two", "2")
    rows = desk.view.side.list
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_Up)
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    desk.wait(lambda: desk.view.editor.field.toPlainText() == "1")
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    desk.wait(lambda: desk.titles()[:2] == ["Your prompts", "Two"])
    assert desk.notices() == ["“One” was deleted"]
    desk.press("Undo")
    desk.wait(lambda: desk.titles()[:3] == ["Your prompts", "One", "Two"])


def test_keys_go_from_the_search_to_what_was_found(qtbot, desk: Desk):
    desk.make("Pirate", "Arr.")
    desk.make("Lawyer", "Contracts.")
    search = desk.view.side.search
    qtbot.keyClicks(search, "arr")
    qtbot.keyClick(search, Qt.Key.Key_Return)
    desk.wait(lambda: desk.view.editor.field.toPlainText() == "Arr.")
    search.clear()
    search.setFocus()
    qtbot.keyClick(search, Qt.Key.Key_Down)
    assert desk.view.side.list.hasFocus()
    assert desk.view.side.list.currentIndex().isValid()


def test_deleted_prompts_are_brought_back_from_the_trash(desk: Desk):
    prompt = desk.make("One", "1", "2")
    desk.prompts.delete(prompt.id)
    desk.view.side.more.menu().actions()[-1].trigger()
    trash = desk.view.trash
    desk.wait(lambda: [row.title for row in trash.list.rows.rows()] == ["One"])
    trash.list.pressed.emit(str(prompt.id))
    desk.wait(lambda: "One" in desk.titles())
    desk.wait(lambda: trash.list.rows.rows() == [])
    assert desk.view.escape()
    assert not trash.isVisible()


def test_a_prompt_is_duplicated_from_its_menu(desk: Desk):
    prompt = desk.make("Desk", "One.", "Two.")
    menu = desk.view.menus.for_prompt(own_key(prompt.id))
    next(action for action in menu.actions() if action.text() == "Duplicate").trigger()
    desk.wait(lambda: desk.view.desk.prompt is not None and desk.view.desk.prompt.name == "Desk 2")
    desk.wait(lambda: len(desk.versions()) == 3)


def test_it_is_used_in_a_new_chat_with_what_is_written(desk: Desk):
    prompt = desk.make("Desk", "One.")
    desk.press("Use in a new chat")
    assert (desk.chosen[-1].text, desk.chosen[-1].hash) == ("One.", prompt.current)
    desk.write("One, but better.")
    desk.press("Use in a new chat")
    assert (desk.chosen[-1].text, desk.chosen[-1].hash) == ("One, but better.", prompt.current)


@pytest.mark.parametrize("name", ["prompts.json", "prompts.zip", "prompts"])
def test_prompts_go_to_a_file_and_come_back_with_equal_hashes(desk: Desk, tmp_path: Path, monkeypatch, name: str):
    prompt = desk.make("Desk ☕", "One.", "Two.")
    before = [one.hash for one in desk.view.desk.versions]
    path = tmp_path / name
    monkeypatch.setattr("app.ui.file_dialogs.ask_prompts_export", lambda _page, _title, chosen: chosen(str(path)))
    desk.view.files.export(own_key(prompt.id))
    desk.wait(lambda: desk.notices() == ["The prompts were exported"])
    desk.prompts.delete(prompt.id)
    with desk.qtbot.waitSignal(desk.prompts.trash_listed, timeout=20_000):
        desk.prompts.purge(prompt.id)
    drop(desk.view, path)
    desk.wait(lambda: [one.hash for one in desk.view.desk.versions] == before)
    assert desk.view.desk.prompt.name == "Desk ☕"
    assert "1 prompt was read" in desk.notices()


def test_other_files_are_left_to_the_window(desk: Desk, tmp_path: Path):
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF")
    assert not drop(desk.view, model)
    assert not drop(desk.view)


def test_a_broken_file_changes_nothing_and_is_told(desk: Desk, tmp_path: Path):
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    before = desk.titles()
    assert drop(desk.view, broken)
    desk.wait(lambda: bool(desk.notices()))
    assert desk.titles() == before


def test_where_there_is_little_room_one_part_is_shown_at_a_time(desk: Desk):
    view = desk.view
    view.setMinimumSize(view.minimumSizeHint())  # as where it stands in the window
    desk.make("Desk", "One.", "Two.")
    assert [part.isVisible() for part in (view.side, view.editor, view.versions)] == [True, True, True]
    view.resize(800, 600)
    assert [part.isVisible() for part in (view.side, view.editor, view.versions)] == [True, True, False]
    view.history.setChecked(True)
    assert [part.isVisible() for part in (view.side, view.editor, view.versions)] == [False, True, True]
    view.history.setChecked(False)
    view.resize(420, 480)
    assert [part.isVisible() for part in (view.side, view.editor, view.versions)] == [False, True, False]
    assert view.escape()
    assert [part.isVisible() for part in (view.side, view.editor, view.versions)] == [True, False, False]
    view.open(view.desk.key)
    view.history.setChecked(True)
    assert [part.isVisible() for part in (view.side, view.editor, view.versions)] == [False, False, True]
    assert view.escape()
    assert view.editor.isVisible()
    assert view.minimumSizeHint().width() <= 420


def test_everything_that_takes_the_keyboard_has_a_name(desk: Desk):
    desk.make("Desk", "Teach {{learner}}.", "Two {{learner}}.")
    for kind in (QAbstractButton, QLineEdit, QPlainTextEdit, QComboBox):
        for widget in desk.view.findChildren(kind):
            if widget.isVisible() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
                words = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
                assert words, widget
    index = desk.view.versions.list.rows.index(0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole).startswith("Version 2, Two {{learner}}., Today ")
    assert index.data(ROW_ROLE).current

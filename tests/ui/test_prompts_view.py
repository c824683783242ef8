"""The library of prompts in the window: found, written, kept, compared, branched, deleted, moved by files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit, QPushButton

from app.core.lab import Contestant
from app.engine.scripted import Script
from app.services.prompt_desk import NEW, own_key
from app.ui.prompts_view import PromptsView
from app.ui.version_list import ROW


class Desk:
    """The view over real services, and what it told."""

    def __init__(self, qtbot: Any, view: PromptsView, services: Any, hub: Any) -> None:
        self.qtbot, self.view, self.services, self.hub = qtbot, view, services, hub
        self.prompts = hub.prompts
        self.chosen: list[Any] = []
        self.compared: list[Any] = []
        view.prompt_chosen.connect(self.chosen.append)
        view.compare_asked.connect(self.compared.append)

    def wait(self, condition: Any) -> None:
        self.qtbot.waitUntil(condition, timeout=20_000)

    def titles(self) -> list[str]:
        """The rows of the list, headings too."""
        return [row.title for row in self.view.side.list.rows.rows()]

    def versions(self) -> list[str]:
        """The versions as they are drawn, the newest first."""
        rows = self.view.versions.list.rows.rows()
        return [f"v{row.place.number} {row.title}{' *' if row.current else ''}" for row in rows]

    def notices(self) -> list[str]:
        return [notice.title for notice in self.view.notices.notices()]

    def press(self, words: str) -> None:
        buttons = self.view.findChildren(QPushButton)
        button = next(b for b in buttons if b.isVisible() and b.text().startswith(words))
        self.wait(button.isEnabled)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def make(self, name: str, *texts: str) -> Any:
        """A prompt with these versions, opened."""
        with self.qtbot.waitSignal(self.prompts.made, timeout=20_000) as made:
            self.prompts.create(name, texts[0])
        prompt = made.args[0]
        for text in texts[1:]:
            with self.qtbot.waitSignal(self.prompts.version_saved, timeout=20_000):
                self.prompts.save(prompt.id, text)
        desk = self.view.desk
        self.wait(lambda: desk.key == own_key(prompt.id) and len(desk.versions) == len(texts))
        self.wait(lambda: desk.base.text == texts[-1])
        return self.prompts.prompt(prompt.id)

    def write(self, text: str) -> None:
        self.view.editor.field.setPlainText(text)

    def save(self, note: str = "") -> None:
        before = len(self.view.desk.versions)
        self.view.editor.note.setText(note)
        self.qtbot.keyClick(self.view.editor.field, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        self.wait(lambda: len(self.view.desk.versions) == before + 1)

    def show_version(self, number: int) -> None:
        rows = self.view.versions.list.rows
        at = next(at for at, row in enumerate(rows.rows()) if row.place.number == number)
        # not the list's own setCurrentIndex: keys that an earlier test held down would add to what is chosen
        select = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.view.versions.list.selectionModel().setCurrentIndex(rows.index(at), select)


@pytest.fixture
def services(build):
    return build(Script(replies=("Yes.",)))


@pytest.fixture
def open_view(qtbot, light, services, hub_of):
    """Show the library; once more, as after a restart, with the same services."""
    hub = hub_of(services)

    def make(size: tuple[int, int] = (1180, 780)) -> Desk:
        view = PromptsView(services.library, hub, light)
        qtbot.addWidget(view)
        view.resize(*size)
        view.show()
        with qtbot.waitActive(view):
            view.activateWindow()
        view.enter()
        desk = Desk(qtbot, view, services, hub)
        desk.wait(lambda: hub.prompts.ready and bool(view.desk.key))
        return desk

    return make


@pytest.fixture
def desk(open_view) -> Desk:
    return open_view()


# --- the list -------------------------------------------------------------------------------------------------------


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


# --- writing --------------------------------------------------------------------------------------------------------


def test_a_new_prompt_is_written_named_and_saved(qtbot, desk: Desk):
    desk.press("New prompt")
    editor = desk.view.editor
    assert editor.field.hasFocus()
    qtbot.keyClicks(editor.field, "Answer in rhymes.")
    qtbot.keyClicks(editor.details.name, "Poet")
    assert desk.titles()[0] == "New prompt"
    qtbot.mouseClick(editor.save_button, Qt.MouseButton.LeftButton)
    desk.wait(lambda: desk.notices() == ["Saved as “Poet”"])
    assert desk.titles()[:2] == ["Your prompts", "Poet"]
    desk.wait(lambda: desk.versions() == ["v1 Answer in rhymes. *"])
    assert not editor.save_button.isEnabled()


def test_every_save_is_a_version_with_its_note_and_parent(desk: Desk):
    prompt = desk.make("Desk", "You help.")
    desk.write("You help customers.")
    assert desk.view.editor.state.text() == "Version 1 of 1, edited"
    desk.save("says whom")
    desk.write("You help customers. Be brief.")
    desk.save()
    assert desk.versions() == ["v3 You help customers. Be brief. *", "v2 says whom", "v1 You help."]
    versions = desk.view.desk.versions
    assert [one.parent for one in versions] == ["", versions[0].hash, versions[1].hash]
    desk.wait(lambda: desk.notices()[0] == "Saved as version 3 of “Desk”")
    assert desk.prompts.prompt(prompt.id).text == "You help customers. Be brief."
    assert desk.view.editor.note.text() == ""


def test_a_version_made_from_an_older_one_is_a_branch_of_the_tree(desk: Desk):
    desk.make("Desk", "One.", "Two.", "Three.")
    desk.show_version(1)
    assert desk.view.editor.field.toPlainText() == "One."
    assert desk.view.editor.state.text() == "Version 1 of 3, an older one"
    desk.write("One and a half.")
    desk.save()
    rows = desk.view.versions.list.rows.rows()
    assert [(row.place.number, row.place.lane) for row in rows] == [(4, 0), (3, 1), (2, 1), (1, 0)]
    assert desk.view.desk.versions[3].parent == desk.view.desk.versions[0].hash


def test_what_is_written_waits_at_its_version_over_a_restart_too(qtbot, open_view):
    desk = open_view()
    prompt = desk.make("Desk", "One.", "Two.")
    desk.write("Two, but better.")
    desk.show_version(1)
    desk.write("One, but better.")
    assert [row.edited for row in desk.view.versions.list.rows.rows()] == [True, True]
    desk.show_version(2)
    assert desk.view.editor.field.toPlainText() == "Two, but better."
    desk.press("New prompt")
    qtbot.keyClicks(desk.view.editor.field, "Something new")
    desk.view.flush()
    again = open_view()
    again.view.open(own_key(prompt.id))
    again.wait(lambda: again.view.editor.field.toPlainText() == "Two, but better.")
    again.show_version(1)
    assert again.view.editor.field.toPlainText() == "One, but better."
    again.view.open(NEW)
    assert again.view.editor.field.toPlainText() == "Something new"
    desk.view.deleteLater()


def test_what_was_thrown_away_comes_back(desk: Desk):
    desk.make("Desk", "One.")
    desk.write("Better.")
    desk.press("Discard")
    assert desk.view.editor.field.toPlainText() == "One."
    assert not desk.view.editor.discard_button.isEnabled()
    desk.press("Undo")
    assert desk.view.editor.field.toPlainText() == "Better."
    assert desk.view.desk.is_edited


def test_the_name_is_changed_and_a_taken_one_gets_a_number(qtbot, desk: Desk):
    desk.make("One", "1")
    desk.make("Two", "2")
    name = desk.view.editor.details.name
    name.selectAll()
    qtbot.keyClicks(name, "One")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    desk.wait(lambda: desk.titles()[:3] == ["Your prompts", "One", "One 2"])
    desk.wait(lambda: name.text() == "One 2")


def test_tokens_are_counted_while_typing(desk: Desk):
    desk.make("One", "one two")
    count = desk.view.editor.count
    desk.write("one two three four")
    assert count.text().startswith("about ")
    desk.services.models.prepare("starter")
    desk.wait(lambda: count.text() == "4 tokens")


def test_defaults_of_variables_are_written_in_a_form(qtbot, desk: Desk):
    desk.make("Teacher", "Teach {{learner}} about {{topic=whales}} on {{date}}.")
    editor = desk.view.editor
    assert list(editor.variables.fields) == ["learner", "topic"]
    field = editor.variables.fields["learner"]
    qtbot.keyClicks(field, "a child")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert editor.field.toPlainText() == "Teach {{learner=a child}} about {{topic=whales}} on {{date}}."
    editor.field.undo()
    assert editor.field.toPlainText() == "Teach {{learner}} about {{topic=whales}} on {{date}}."
    topic = editor.variables.fields["topic"]
    topic.selectAll()
    qtbot.keyClicks(topic, "{no}")
    qtbot.keyClick(topic, Qt.Key.Key_Return)
    assert topic.property("invalid")
    assert "{{topic=whales}}" in editor.field.toPlainText()
    topic.clear()
    qtbot.keyClicks(topic, "x")
    qtbot.keyClick(topic, Qt.Key.Key_Backspace)
    qtbot.keyClick(topic, Qt.Key.Key_Return)
    assert "{{topic}}" in editor.field.toPlainText()
    assert desk.view.desk.is_edited


# --- versions -------------------------------------------------------------------------------------------------------


def test_any_two_versions_are_compared_word_by_word(desk: Desk):
    desk.make("Desk", "Be polite and thorough.", "Be polite and brief.", "Be brief.")
    editor = desk.view.editor
    words = lambda: [editor.against.itemText(at) for at in range(editor.against.count())]  # noqa: E731
    assert words() == ["not marked", "v2 (it was made from this)", "v1"]
    editor.show_differences(desk.view.desk.versions[0].hash)
    assert editor.differences.isVisible()
    assert editor.state.text() == "+1 −3 words"
    desk.show_version(2)
    assert words() == ["not marked", "v3", "v1 (it was made from this)"]
    assert editor.state.text() == "+1 −1 words"
    assert desk.view.escape()
    assert editor.field.isVisible()
    desk.write("Be polite and quick.")
    assert words()[1] == "what is saved"
    editor.show_differences(desk.view.desk.base.hash)
    assert editor.state.text() == "+1 −1 words"


def test_an_earlier_version_is_restored_and_branched(desk: Desk):
    prompt = desk.make("Desk", "One.", "Two.")
    assert not desk.view.versions.restore.isEnabled()
    desk.show_version(1)
    desk.press("Restore")
    desk.wait(lambda: len(desk.view.desk.versions) == 3)
    assert desk.prompts.prompt(prompt.id).text == "One."
    assert desk.view.editor.state.text() == "Version 3 of 3"
    desk.show_version(2)
    desk.press("Branch")
    desk.wait(lambda: desk.view.desk.key not in ("", own_key(prompt.id)))
    desk.wait(lambda: desk.versions() == ["v2 Two. *", "v1 One."])
    assert desk.view.desk.prompt.name == "Desk 2"


def test_a_prompt_is_duplicated_from_its_menu(desk: Desk):
    prompt = desk.make("Desk", "One.", "Two.")
    menu = desk.view.menus.for_prompt(own_key(prompt.id))
    next(action for action in menu.actions() if action.text() == "Duplicate").trigger()
    desk.wait(lambda: desk.view.desk.prompt is not None and desk.view.desk.prompt.name == "Desk 2")
    desk.wait(lambda: len(desk.versions()) == 2)


# --- where it is used -----------------------------------------------------------------------------------------------


def test_it_is_used_in_a_new_chat_with_what_is_written(desk: Desk):
    prompt = desk.make("Desk", "One.")
    desk.press("Use in a new chat")
    assert (desk.chosen[-1].text, desk.chosen[-1].hash) == ("One.", prompt.current)
    desk.write("One, but better.")
    desk.press("Use in a new chat")
    assert (desk.chosen[-1].text, desk.chosen[-1].hash) == ("One, but better.", prompt.current)


def test_versions_are_compared_in_columns(desk: Desk):
    desk.make("Desk", "One.")
    first = desk.view.desk.versions[0].hash
    desk.press("Compare in columns")
    assert desk.compared[-1] == (Contestant("No prompt", ""), Contestant("Desk v1", "One.", first))
    desk.write("Two.")
    desk.press("Compare in columns")
    assert [one.name for one in desk.compared[-1]] == ["Desk v1", "Desk, edited"]
    desk.save()
    desk.press("Compare in columns")
    assert [(one.name, one.system_prompt) for one in desk.compared[-1]] == [("Desk v1", "One."), ("Desk v2", "Two.")]
    desk.write("Three.")
    desk.save()
    desk.view.versions.list.selectAll()
    assert desk.view.versions._count.text() == "3 chosen"
    assert not desk.view.versions.restore.isEnabled()
    desk.press("Compare in columns")
    assert [one.name for one in desk.compared[-1]] == ["Desk v1", "Desk v2", "Desk v3"]


def test_a_default_is_marked_and_follows_a_new_version_when_asked(desk: Desk):
    preferences = desk.services.preferences
    prompt = desk.make("Desk", "One.")
    menu = desk.view.menus.for_prompt(own_key(prompt.id))
    defaults = next(action.menu() for action in menu.actions() if action.menu() is not None)
    defaults.actions()[0].trigger()
    name = desk.services.models.entry("starter").name
    assert preferences.model_prompt_version("starter") == prompt.current
    assert desk.notices()[0] == f"New chats with {name} begin with “Desk” now"
    row = lambda: next(one for one in desk.view.side.list.rows.rows() if one.title == "Desk")  # noqa: E731
    desk.wait(lambda: row().default_of == (name,))
    assert f"default of {name}" in row().spoken
    desk.write("Two.")
    desk.save()
    assert preferences.model_prompt("starter") == "One.", "chats begin with what they were told to"
    desk.press(f"Use it for new chats with {name}")
    assert preferences.model_prompt("starter") == "Two."
    desk.wait(lambda: desk.view.versions.list.rows.rows()[0].default_of == (name,))
    desk.press("Undo")
    assert preferences.model_prompt("starter") == "One."


def test_a_version_has_a_menu(desk: Desk):
    desk.make("Desk", "One.", "Two.")
    view = desk.view
    version = view.desk.versions[0]
    menu = view.menus.for_version(version, "“Desk”, version 1,", (("reset", "Restore", view._restore),))
    by_words = {action.text(): action for action in menu.actions()}
    assert list(by_words) == ["Use in a new chat", "Restore", "Copy the text", "Make it the default of"]
    by_words["Copy the text"].trigger()
    assert QGuiApplication.clipboard().text() == "One."
    by_words["Use in a new chat"].trigger()
    assert desk.chosen == [version]


# --- files ----------------------------------------------------------------------------------------------------------


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


def drop(view: PromptsView, *paths: Path) -> bool:
    """Drop files on the page, as a file manager does; whether they were taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPoint(300, 300)
    what = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entering = QDragEnterEvent(place, *what)
    view.dragEnterEvent(entering)
    assert view.files.hint.isVisible() == entering.isAccepted()
    if entering.isAccepted():
        view.dropEvent(QDropEvent(place, *what))
    assert not view.files.hint.isVisible()
    return entering.isAccepted()


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


# --- the page itself ------------------------------------------------------------------------------------------------


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
    assert index.data(ROW).current

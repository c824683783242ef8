"""A prompt in the library: written, kept, its versions compared, branched and restored."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.core.lab import Contestant
from app.services.prompt_desk import NEW, own_key
from tests.ui.prompts.stage import Desk


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
    desk.wait(lambda: desk.versions() == ["v3 Desk 2, branched from Desk, version 2 *", "v2 Two.", "v1 One."])
    assert desk.view.desk.prompt.name == "Desk 2"


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
    desk.press("Test in an experiment")
    assert desk.tested == [desk.compared[-1]]


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
    menu = view.menus.for_version(version, "“Desk”, version 1,", (("reset", "Restore", view.desk.restore),))
    by_words = {action.text(): action for action in menu.actions()}
    assert list(by_words) == ["Use in a new chat", "Restore", "Copy the text", "Make it the default of"]
    by_words["Copy the text"].trigger()
    assert QGuiApplication.clipboard().text() == "One."
    by_words["Use in a new chat"].trigger()
    assert desk.chosen == [version]

"""A chat's system prompt in the window: taken from the library, edited, kept, taken back, filled in, made default."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.engine.scripted import Script
from app.ui.prompt_picker import PromptMenu
from tests.ui.talking import say


def button(parent: Any, words: str) -> QPushButton:
    """The visible button that says this."""
    return next(b for b in parent.findChildren(QPushButton) if b.isVisible() and b.text().startswith(words))


@pytest.fixture
def stage(qtbot, open_window):
    """A window with a prompt of the person's own in the library, besides those that come along."""
    stage = open_window(Script(replies=("Yes.",)))
    with qtbot.waitSignal(stage.hub.prompts.made, timeout=20_000) as made:
        stage.hub.prompts.create("Support desk", "You help customers of a shop.", tags=["work"], note="For mornings")
    stage.prompt = made.args[0]
    stage.panel = stage.space.inspector.chat
    return stage


def take(picker: Any, typed: str) -> None:
    """Choose a saved prompt by typing a part of its name."""
    menu = picker.prompts_menu
    menu.begin()
    QTest.keyClicks(menu.search, typed)
    QTest.keyClick(menu.search, Qt.Key.Key_Return)


def use_desk(qtbot, stage: Any) -> None:
    take(stage.panel.picker, "support")
    qtbot.waitUntil(lambda: stage.panel.picker.words == "Support desk, version 1", timeout=20_000)


def write(qtbot, stage: Any, text: str) -> None:
    stage.panel.prompt.field.setPlainText(text)
    stage.panel.flush()


def test_a_saved_prompt_is_taken_and_used_by_the_next_reply(qtbot, stage):
    use_desk(qtbot, stage)
    assert stage.panel.prompt.field.toPlainText() == "You help customers of a shop."
    assert (stage.panel.ways.save.isEnabled(), stage.panel.ways.revert.isEnabled()) == (False, False)
    say(qtbot, stage, "Hello")
    assert stage.session.path()[-1].provenance.system_prompt == "You help customers of a shop."
    assert stage.session.chat.prompt_version == stage.prompt.current


def test_an_edit_is_marked_and_one_click_keeps_it_or_takes_it_back(qtbot, stage):
    use_desk(qtbot, stage)
    ways = stage.panel.ways
    write(qtbot, stage, "You help customers. Be brief.")
    assert stage.panel.picker.words == "Support desk, version 1, edited"
    assert ways.state.text() == "Edited since version 1"
    qtbot.mouseClick(ways.revert, Qt.MouseButton.LeftButton)
    assert stage.panel.prompt.field.toPlainText() == "You help customers of a shop."
    assert not ways.revert.isEnabled()
    qtbot.mouseClick(button(stage.window, "Undo"), Qt.MouseButton.LeftButton)
    assert stage.session.chat.system_prompt == "You help customers. Be brief."
    qtbot.mouseClick(ways.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Saved as version 2 of “Support desk”" in stage.notices(), timeout=20_000)
    qtbot.waitUntil(lambda: stage.panel.picker.words == "Support desk, version 2")
    assert not ways.save.isEnabled()
    (prompt,) = stage.hub.prompts.prompts()
    assert (prompt.text, prompt.versions) == ("You help customers. Be brief.", 2)


def test_a_text_of_ones_own_becomes_a_prompt(qtbot, stage):
    write(qtbot, stage, "Answer in rhymes.")
    assert stage.panel.ways.save.text() == "Save as prompt"
    qtbot.mouseClick(stage.panel.ways.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Saved as “Answer in rhymes.”" in stage.notices(), timeout=20_000)
    assert [one.name for one in stage.hub.prompts.prompts()] == ["Answer in rhymes.", "Support desk"]


def test_each_chat_keeps_its_own_link(qtbot, stage):
    use_desk(qtbot, stage)
    say(qtbot, stage, "Hello")
    first = stage.session
    stage.space.new_chat()
    assert not stage.panel.picker.words.startswith("Support desk")
    stage.space.open_chat(first.chat.id)
    qtbot.waitUntil(lambda: stage.panel.picker.words == "Support desk, version 1", timeout=20_000)


def test_no_prompt_can_be_chosen_too(qtbot, stage):
    use_desk(qtbot, stage)
    stage.panel.picker.prompts_menu.none_chosen.emit()
    assert stage.panel.prompt.field.toPlainText() == ""
    assert stage.panel.picker.words == "No system prompt"
    assert not stage.panel.ways.save.isEnabled()


# --- variables ------------------------------------------------------------------------------------------------------


def test_a_variable_without_a_value_stops_sending_and_is_shown_where_it_is_given(qtbot, stage):
    panel, composer = stage.panel, stage.space.page.composer
    write(qtbot, stage, "Teach {{learner}} about {{topic=whales}}.")
    assert panel.prompt.field.marked() == (("{{learner}}", True), ("{{topic=whales}}", False))
    assert list(panel.variables.fields) == ["learner", "topic"]
    assert [bool(field.property("invalid")) for field in panel.variables.fields.values()] == [True, False]
    stage.space.toggle_inspector()
    assert stage.space.inspector.isHidden()
    qtbot.keyClicks(composer.field, "Hello")
    qtbot.keyClick(composer.field, Qt.Key.Key_Return)
    assert stage.session.path() == []
    assert composer.text() == "Hello"
    assert stage.notices()[0] == "{{learner}} has no value"
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.mouseClick(button(stage.window, "Give a value"), Qt.MouseButton.LeftButton)
    field = panel.variables.fields["learner"]
    assert not stage.space.inspector.isHidden()
    assert field.hasFocus()
    qtbot.keyClicks(field, "a child")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert not field.property("invalid")
    assert panel.prompt.field.marked() == (("{{learner}}", False), ("{{topic=whales}}", False))
    qtbot.keyClick(composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(stage.session.path()) == 2 and not stage.session.busy, timeout=20_000)
    assert stage.session.path()[-1].provenance.system_prompt == "Teach a child about whales."


def test_a_value_that_is_still_being_typed_is_sent(qtbot, stage):
    write(qtbot, stage, "Teach {{learner}}.")
    qtbot.keyClicks(stage.panel.variables.fields["learner"], "me")
    stage.space.page.composer.set_text("Hello")
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(stage.session.path()) == 2 and not stage.session.busy, timeout=20_000)
    assert stage.session.path()[-1].provenance.system_prompt == "Teach me."


def test_what_the_app_knows_is_said_and_not_asked_for(qtbot, stage):
    panel = stage.panel
    write(qtbot, stage, "You are {{model}}. It is {{date}}.")
    assert not panel.variables.isVisible()
    assert "{{model}} is " in panel.known.words.text()
    assert not panel.known.forget.isVisible()
    say(qtbot, stage, "Hello")
    assert "date" in stage.session.chat.variables
    qtbot.mouseClick(panel.known.forget, Qt.MouseButton.LeftButton)
    assert stage.session.chat.variables == {}
    write(qtbot, stage, "Nothing.")
    assert not panel.known.isVisible()


def test_a_value_belongs_to_the_chat_it_was_given_in(qtbot, stage):
    write(qtbot, stage, "Teach {{learner}}.")
    qtbot.keyClicks(stage.panel.variables.fields["learner"], "me")
    first = stage.session
    stage.space.new_chat()
    if stage.session is first:  # it was still empty
        say(qtbot, stage, "Hello")
        stage.space.new_chat()
    assert first.chat.variables == {"learner": "me"}
    write(qtbot, stage, "Teach {{learner}}.")
    assert stage.panel.variables.fields["learner"].text() == ""


def test_the_length_is_told_while_typing_with_what_is_filled_in(qtbot, stage):
    count = stage.panel.prompt._count
    qtbot.waitUntil(lambda: stage.services.models.state("starter").kind == "ready", timeout=20_000)
    stage.panel.prompt.field.setPlainText("one {{x=two three four}}")
    assert count.text().startswith("about ")
    qtbot.waitUntil(lambda: count.text() == "4 tokens", timeout=20_000)


# --- defaults -------------------------------------------------------------------------------------------------------


def test_what_is_made_the_default_is_kept_as_a_version_first(qtbot, stage):
    preferences = stage.services.preferences
    before = preferences.model_prompt("starter")
    use_desk(qtbot, stage)
    write(qtbot, stage, "You help customers. Be brief.")
    qtbot.mouseClick(button(stage.panel, "Make it the default"), Qt.MouseButton.LeftButton)
    words = "“Support desk”, version 2, is the model’s default system prompt now"
    qtbot.waitUntil(lambda: words in stage.notices(), timeout=20_000)
    (prompt,) = stage.hub.prompts.prompts()
    assert (prompt.versions, preferences.model_prompt_version("starter")) == (2, prompt.current)
    say(qtbot, stage, "Hello")
    stage.space.new_chat()
    assert (stage.session.chat.system_prompt, stage.session.chat.prompt_version) == (prompt.text, prompt.current)
    qtbot.waitUntil(lambda: stage.panel.picker.words == "Support desk, version 2", timeout=20_000)
    qtbot.mouseClick(button(stage.window, "Undo"), Qt.MouseButton.LeftButton)
    assert (preferences.model_prompt("starter"), preferences.model_prompt_is_changed("starter")) == (before, False)


def test_a_models_default_is_taken_from_the_library_edited_and_kept(qtbot, stage):
    preferences = stage.services.preferences
    stage.space.inspector.tabs.setCurrentIndex(1)
    prompt = stage.space.inspector.model.prompt
    take(prompt.picker, "support")
    qtbot.waitUntil(lambda: prompt.picker.words == "Support desk, version 1", timeout=20_000)
    assert preferences.model_prompt_version("starter") == stage.prompt.current
    prompt.field.setPlainText("You help customers. Be brief.")
    prompt.flush()
    assert prompt.ways.state.text() == "Edited since version 1"
    qtbot.mouseClick(prompt.ways.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: prompt.picker.words == "Support desk, version 2", timeout=20_000)
    (kept,) = stage.hub.prompts.prompts()
    assert preferences.model_prompt_version("starter") == kept.current
    prompt.field.setPlainText("Other.")
    qtbot.mouseClick(prompt.ways.revert, Qt.MouseButton.LeftButton)
    assert preferences.model_prompt("starter") == "You help customers. Be brief."


# --- the menu -------------------------------------------------------------------------------------------------------


def test_the_menu_finds_by_any_word_and_keys_choose(qtbot, stage):
    menu = PromptMenu(stage.hub.prompts, stage.window)
    chosen: list[str] = []
    menu.chosen.connect(chosen.append)
    menu.begin()
    rows = lambda: [menu.list.item(row).text() for row in range(menu.list.count())]  # noqa: E731
    bundled = stage.hub.prompts.bundled()
    assert rows() == ["Your prompts", "Support desk", "Come with Orcinus", *(one.name for one in bundled)]
    QTest.keyClick(menu.search, Qt.Key.Key_Down)
    assert menu.list.currentItem().text() == bundled[0].name, "a heading is passed over"
    QTest.keyClick(menu.search, Qt.Key.Key_Up)
    QTest.keyClick(menu.search, Qt.Key.Key_Up)
    assert menu.list.currentItem().text() == "Support desk"
    QTest.keyClicks(menu.search, "no such thing")
    assert rows() == ["Nothing was found"]
    QTest.keyClick(menu.search, Qt.Key.Key_Return)
    assert chosen == []
    menu.search.clear()
    QTest.keyClicks(menu.search, "SHOP work")
    assert rows() == ["Your prompts", "Support desk"], "found by its text and its tag"
    QTest.keyClick(menu.search, Qt.Key.Key_Return)
    assert chosen == [stage.prompt.current]

"""From the library of prompts to a chat, to columns side by side and back, in the real window."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.core.prompts import PromptOrigin, PromptVersion
from app.engine.scripted import Script
from app.services.prompt_desk import own_key
from app.ui.prompts_view import PromptsView
from tests.ui.talking import say

LOUD = "You are a helpful assistant. Answer in capital letters."
PIRATE = "You are a helpful assistant. Answer like a pirate."


@pytest.fixture
def lab(qtbot, open_window):
    """A window that shows the library, opened by its keys: `lab(script)`; None for the real starter model."""

    def make(script: Script | None = Script(replies=("Yes.",))) -> Any:  # noqa: B008
        stage = open_window(script)
        with qtbot.waitActive(stage.window):
            stage.window.activateWindow()
        qtbot.keyClick(stage.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
        page = stage.space.pages.lab
        page.tabs.setFocus()
        qtbot.keyClick(page.tabs, Qt.Key.Key_Right)
        view = page.view
        assert isinstance(view, PromptsView)
        view.enter()
        qtbot.waitUntil(lambda: bool(view.desk.key), timeout=20_000)
        stage.lab, stage.view = page, view
        return stage

    return make


def make(qtbot, stage: Any, name: str, *texts: str) -> Any:
    """A prompt with these versions, opened."""
    with qtbot.waitSignal(stage.hub.prompts.made, timeout=20_000) as made:
        stage.hub.prompts.create(name, texts[0])
    prompt = made.args[0]
    for text in texts[1:]:
        with qtbot.waitSignal(stage.hub.prompts.version_saved, timeout=20_000):
            stage.hub.prompts.save(prompt.id, text)
    view = stage.view
    qtbot.waitUntil(
        lambda: view.desk.key == own_key(prompt.id) and len(view.desk.versions) == len(texts), timeout=20_000
    )
    return stage.hub.prompts.prompt(prompt.id)


def test_a_prompt_of_the_library_begins_a_chat_that_knows_where_it_came_from(qtbot, lab):
    stage = lab()
    prompt = make(qtbot, stage, "Support desk", "You help.", "You help customers.")
    qtbot.mouseClick(stage.view.use, Qt.MouseButton.LeftButton)
    assert stage.space.pages.shows_chat
    picker = stage.space.inspector.chat.picker
    qtbot.waitUntil(lambda: picker.words == "Support desk, version 2", timeout=20_000)
    say(qtbot, stage, "Hello")
    assert stage.session.path()[-1].provenance.system_prompt == "You help customers."
    assert stage.session.chat.prompt_version == prompt.current


def test_two_versions_answer_side_by_side(qtbot, lab):
    stage = lab(None)
    make(qtbot, stage, "Tone", LOUD, PIRATE)
    qtbot.mouseClick(stage.view.versions.compare, Qt.MouseButton.LeftButton)
    compare = stage.lab.compare
    assert stage.lab.view is compare
    assert [column.name.text() for column in compare.columns] == ["Tone v1", "Tone v2"]
    assert [column.prompt.toPlainText() for column in compare.columns] == [LOUD, PIRATE]
    qtbot.keyClicks(compare.composer.field, "What is the capital of France?")
    qtbot.keyClick(compare.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not compare.comparison.busy, timeout=20_000)
    loud, pirate = (column.exchanges[-1].text for column in compare.comparison.columns())
    assert loud == loud.upper()
    assert loud.lower() != pirate.lower()


def test_what_is_typed_is_there_after_the_window_was_closed(qtbot, lab, open_window):
    stage = lab()
    prompt = make(qtbot, stage, "Desk", "One.")
    qtbot.keyClicks(stage.view.editor.field, "More. ")
    stage.view.editor.details.note.setFocus()
    qtbot.keyClicks(stage.view.editor.details.note, "for mornings")
    stage.window.close()
    services = stage.services
    services.wait(lambda: services.ask(lambda stores: stores.prompts.prompt(prompt.id)).note == "for mornings")
    drafts = services.ask(lambda stores: stores.state.get("prompt_drafts"))
    assert drafts == {f"{prompt.id}:{prompt.current}": "More. One."}


def test_a_version_saved_in_a_chat_shows_in_the_library(qtbot, lab):
    stage = lab()
    make(qtbot, stage, "Desk", "One.")
    qtbot.mouseClick(stage.view.use, Qt.MouseButton.LeftButton)
    panel = stage.space.inspector.chat
    qtbot.waitUntil(lambda: panel.picker.words == "Desk, version 1", timeout=20_000)
    panel.prompt.field.setPlainText("Two.")
    qtbot.mouseClick(panel.ways.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stage.view.editor.field.toPlainText() == "Two.", timeout=20_000)
    assert len(stage.view.desk.versions) == 2


def test_a_chats_prompt_leads_to_its_version_in_the_library(qtbot, lab):
    stage = lab()
    prompt = make(qtbot, stage, "Desk", "One.", "Two.")
    make(qtbot, stage, "Other", "Else.")
    stage.view.desk.open(own_key(prompt.id))
    qtbot.waitUntil(lambda: len(stage.view.desk.versions) == 2, timeout=20_000)
    first = next(one for one in stage.view.desk.versions if one.text == "One.")
    stage.session.use_prompt("One.", first.hash)
    stage.view.desk.open("")
    stage.space.pages.enter_chat()
    picker = stage.space.inspector.chat.picker
    qtbot.waitUntil(lambda: picker.words == "Desk, version 1", timeout=20_000)
    way = next(one for one in picker.prompts_menu.actions() if "library" in one.text())
    way.trigger()
    assert stage.lab.isVisible()
    assert stage.lab.view is stage.view
    qtbot.waitUntil(lambda: stage.view.desk.base == first, timeout=20_000)
    assert stage.view.desk.key == own_key(prompt.id)
    assert stage.view.editor.field.toPlainText() == "One."


def test_the_way_into_the_library_waits_until_it_is_read(qtbot, open_window):
    stage = open_window()
    stage.hub.prompts.create("Desk", "One.")
    found: list[Any] = []
    stage.hub.prompts.made.connect(found.append)
    qtbot.waitUntil(lambda: bool(found), timeout=20_000)
    origin = PromptOrigin(PromptVersion(found[0].current, "", "One.", "", 0), "Desk", 1, found[0].id)
    stage.hub.prompts._ready = False  # as in a window that was just opened
    stage.space.pages.show_prompts(origin)
    view = stage.space.pages.lab.view
    qtbot.waitUntil(lambda: view.desk.key == own_key(found[0].id), timeout=20_000)

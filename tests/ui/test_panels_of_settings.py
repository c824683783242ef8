"""The inspector's pages and the settings page: what they show, keep, reset and refuse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton

from app.services.token_count import Count
from app.ui.prompt_panel import PromptPanel


def button(parent, words: str) -> QPushButton:
    """The visible button that says this."""
    return next(b for b in parent.findChildren(QPushButton) if b.isVisible() and b.text().startswith(words))


@pytest.fixture
def prompt(qtbot, light):
    panel = PromptPanel("System prompt", "Used next.", light, reset="Back to the default", adopt="Make it the default")
    qtbot.addWidget(panel)
    panel.resize(300, 300)
    panel.show()
    qtbot.waitExposed(panel)
    panel.show_prompt("Be brief.", "Be brief.")
    return panel


# --- one prompt -----------------------------------------------------------------------------------------------------


def test_a_prompt_is_taken_after_a_pause_and_once(qtbot, prompt):
    edits: list[str] = []
    prompt.edited.connect(edits.append)
    qtbot.keyClicks(prompt.field, "Please. ")
    assert edits == []
    qtbot.waitUntil(lambda: edits == ["Please. Be brief."])
    prompt.flush()
    assert edits == ["Please. Be brief."]


def test_what_is_being_typed_is_not_overwritten_by_what_is_kept(qtbot, prompt):
    qtbot.keyClicks(prompt.field, "New ")
    prompt.show_prompt("Be brief.", "Be brief.")
    assert prompt.field.toPlainText() == "New Be brief."


def test_the_ways_to_the_default_are_offered_only_where_there_is_a_difference(qtbot, prompt):
    buttons = [b for b in prompt.findChildren(QPushButton) if b.text()]
    assert not any(b.isEnabled() for b in buttons)
    qtbot.keyClicks(prompt.field, "x")
    assert all(b.isEnabled() for b in buttons)
    with qtbot.waitSignals([prompt.edited, prompt.adopt_asked]):
        qtbot.mouseClick(button(prompt, "Make it"), Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (Count(0, True), "0 tokens"),
        (Count(1, True), "1 token"),
        (Count(1240, True), "1,240 tokens"),
        (Count(1240, False), "about 1,240 tokens"),
    ],
)
def test_its_length_is_told_in_tokens(prompt, count, words):
    prompt.show_count(count)
    assert words in [label.text() for label in prompt.findChildren(QLabel)]


def test_a_prompt_too_long_for_any_field_is_refused(qtbot, prompt):
    data = QMimeData()
    data.setText("x" * 300_000)
    with qtbot.waitSignal(prompt.too_long) as told:
        prompt.field.insertFromMimeData(data)
    assert told.args == [300_000]
    assert prompt.field.toPlainText() == "Be brief."


# --- the inspector --------------------------------------------------------------------------------------------------


def test_all_changes_of_a_chat_can_be_taken_back_at_once(qtbot, open_window):
    stage = open_window()
    panel = stage.space.inspector.chat
    for key, value in (("temperature", 1.5), ("top_k", None), ("seed", 7)):
        panel.form.changed.emit(key, value)
    assert len(stage.session.chat.overrides) == 3
    qtbot.mouseClick(button(panel, "Back to the model’s settings (3 changed)"), Qt.MouseButton.LeftButton)
    assert stage.session.chat.overrides == {}
    assert not any(
        b.isVisible() and b.text().startswith("Back to the model’s settings") for b in panel.findChildren(QPushButton)
    )


def test_a_value_the_service_refuses_is_explained_at_its_row(open_window):
    stage = open_window()
    form = stage.space.inspector.chat.form
    form.changed.emit("temperature", 99.0)
    assert stage.session.chat.overrides == {}
    assert "It takes a number from 0 to 5." in [label.text() for label in form.row("temperature").findChildren(QLabel)]


def test_the_models_settings_go_back_to_the_defaults_and_undo_keeps_them(qtbot, open_window):
    stage = open_window()
    stage.space.inspector.tabs.setCurrentIndex(1)
    panel = stage.space.inspector.model
    panel.loading.changed.emit("context_tokens", 1024)
    panel.sampling.changed.emit("temperature", 1.25)
    qtbot.mouseClick(button(panel, "Back to the defaults"), Qt.MouseButton.LeftButton)
    assert stage.session.sampling().temperature == 0.0
    assert stage.services.models.spec("starter").loading.context_tokens is None
    qtbot.mouseClick(button(stage.window, "Undo"), Qt.MouseButton.LeftButton)
    assert stage.session.sampling().temperature == 1.25
    assert stage.services.models.spec("starter").loading.context_tokens == 1024


def test_a_loading_setting_reloads_once_and_a_sampler_never(qtbot, open_window):
    stage = open_window()
    qtbot.waitUntil(lambda: stage.services.models.state("starter").kind == "ready")
    stage.space.inspector.tabs.setCurrentIndex(1)
    panel = stage.space.inspector.model
    before = len(stage.services.loads)
    panel.sampling.changed.emit("temperature", 1.0)
    panel.loading.changed.emit("threads", 2)
    panel.loading.changed.emit("threads", 3)
    assert len(stage.services.loads) == before, "not before it is needed"
    stage.services.say(stage.session, "hello")
    assert len(stage.services.loads) == before + 1


def test_the_default_prompt_of_a_model_is_edited_and_reset(qtbot, open_window):
    stage = open_window()
    stage.space.inspector.tabs.setCurrentIndex(1)
    panel = stage.space.inspector.model
    before = stage.services.preferences.model_prompt("starter")
    panel.prompt.field.setPlainText("Be brief.")
    panel.flush()
    assert stage.services.preferences.model_prompt("starter") == "Be brief."
    assert stage.services.library.new_chat("starter").chat.system_prompt in ("Be brief.", before)
    qtbot.mouseClick(button(panel.prompt, "Back to the model’s own"), Qt.MouseButton.LeftButton)
    assert stage.services.preferences.model_prompt("starter") == before
    assert panel.prompt.field.toPlainText() == before


def test_the_panel_follows_the_chat_on_screen(qtbot, open_window):
    stage = open_window()
    stage.services.say(stage.session, "hello")
    first = stage.session
    prompt = stage.space.inspector.chat.prompt
    prompt.field.setPlainText("For the first.")
    stage.space.new_chat()
    assert first.chat.system_prompt == "For the first.", "what was typed belongs to the chat it was typed for"
    assert prompt.field.toPlainText() == stage.session.chat.system_prompt != "For the first."
    stage.space.open_chat(first.chat.id)
    assert prompt.field.toPlainText() == "For the first."


def test_values_being_entered_belong_to_the_chat_they_were_entered_for(qtbot, open_window):
    stage = open_window()
    stage.services.say(stage.session, "hello")
    first, panel = stage.session, stage.space.inspector.chat
    field = panel.form.row("temperature").findChild(QLineEdit)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "1.2")
    step = panel.form.row("top_p").findChild(QLineEdit)
    qtbot.keyClick(step, Qt.Key.Key_Down)
    qtbot.keyClicks(panel.form.row("stop").findChild(QPlainTextEdit), "END")
    stage.space.new_chat()
    assert first.chat.overrides == {"temperature": 1.2, "top_p": 0.94, "stop": ("END",)}
    assert not any(timer.isActive() for timer in panel.form.findChildren(QTimer)), "nothing is still to come"
    assert stage.session.chat.overrides == {}
    assert field.text() != "1.20"


def test_values_being_entered_are_kept_when_the_window_closes(qtbot, open_window):
    stage = open_window()
    chat_field = stage.space.inspector.chat.form.row("temperature").findChild(QLineEdit)
    chat_field.selectAll()
    qtbot.keyClicks(chat_field, "1.2")
    stage.space.inspector.tabs.setCurrentIndex(1)
    panel = stage.space.inspector.model
    field = panel.sampling.row("top_k").findChild(QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, "17")
    stage.space.pages.toggle_settings()
    size = stage.space.pages.settings.form.row("text_size").findChild(QLineEdit)
    qtbot.keyClick(size, Qt.Key.Key_Up)
    stage.space.leave()
    assert stage.session.chat.overrides == {"temperature": 1.2}
    assert stage.session.sampling().top_k == 17
    assert stage.services.preferences.look().text_size == 12
    stage.services.preferences.set_look("text_size", 11)


def test_a_model_that_loads_leaves_the_number_being_typed_alone(qtbot, open_window):
    stage = open_window()
    qtbot.waitUntil(lambda: stage.services.models.state("starter").kind == "ready")
    stage.space.inspector.tabs.setCurrentIndex(1)
    field = stage.space.inspector.model.sampling.row("temperature").findChild(QLineEdit)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "1.")
    stage.services.models.state_changed.emit("starter")
    assert field.text() == "1."


# --- the settings page ----------------------------------------------------------------------------------------------


def test_the_settings_page_changes_and_resets_the_look(qtbot, open_window):
    stage = open_window()
    stage.space.pages.toggle_settings()
    form = stage.space.pages.settings.form
    box = form.row("theme").findChild(QComboBox)
    qtbot.keyClick(box, Qt.Key.Key_End)
    assert stage.services.preferences.look().theme == "dark"
    assert stage.space.theme.dark
    qtbot.mouseClick(button(form.row("theme"), "Reset"), Qt.MouseButton.LeftButton)
    assert stage.services.preferences.look().theme == "system"
    assert not stage.space.theme.dark
    field = form.row("text_size").findChild(QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, "14")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert stage.space.theme.font_pt == 14
    stage.services.preferences.set_look("text_size", 11)


def test_an_export_goes_where_the_person_says(qtbot, open_window, tmp_path, monkeypatch):
    stage = open_window()
    stage.services.say(stage.session, "hello")
    chat_id = stage.session.chat.id
    qtbot.waitUntil(lambda: stage.space.sidebar.list.rows.chat_ids() == [chat_id])
    path = tmp_path / "chat.md"
    monkeypatch.setattr("app.ui.file_dialogs.ask_export", lambda _parent, _title, chosen: chosen(str(path)))
    stage.space.page.header.export_asked.emit()
    qtbot.waitUntil(lambda: stage.notices() == ["The chat was exported"])
    assert "hello" in path.read_text("utf-8")

"""System prompts side by side in the window: columns are written, asked, stopped, marked and kept."""

from __future__ import annotations

import pytest
from conversations import editor
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.core.chat import MessageState
from app.core.lab import Contestant
from app.engine.scripted import Script
from app.ui.compare_view import CompareView

LONG = " ".join(f"word{n}" for n in range(300))


@pytest.fixture
def compare(qtbot, open_window):
    """The page, opened by its key: `compare(script)`; None for the real starter model."""

    def make(script: Script | None = Script(), size=(1280, 820)) -> CompareView:  # noqa: B008
        stage = open_window(script, size)
        with qtbot.waitActive(stage.window):
            stage.window.activateWindow()
        qtbot.keyClick(stage.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
        page = stage.space.pages.lab.compare
        qtbot.waitUntil(lambda: len(page.columns) == 2)
        page.stage = stage
        return page

    return make


def write(qtbot, page: CompareView, at: int, prompt: str) -> None:
    page.columns[at].prompt.setPlainText(prompt)


def ask(qtbot, page: CompareView, text: str) -> None:
    qtbot.keyClicks(page.composer.field, text)
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.comparison.busy, timeout=20_000)


def said(page: CompareView) -> list[str]:
    """The newest answers as they stand in the transcripts."""
    return [column.transcript.rows[-1].text for column in page.columns]


def test_a_copy_gets_the_models_sum_as_soon_as_it_is_known_unless_something_else_was_copied(qtbot, compare):
    page = compare(None)
    ask(qtbot, page, "Hi")
    clipboard = QGuiApplication.clipboard()
    page.copy_all()
    at_once = clipboard.text()
    assert "SHA-256" not in at_once
    qtbot.waitUntil(lambda: "- SHA-256: `" in clipboard.text(), timeout=20_000)
    assert clipboard.text() != at_once
    clipboard.setText("mine")
    page._library.origins.summed.emit()
    assert clipboard.text() == "mine"


def test_two_prompts_answer_one_message_and_differ(qtbot, compare):
    page = compare(None)
    assert page.columns[0].prompt.toPlainText() == page.stage.session.chat.system_prompt
    write(qtbot, page, 0, "You are a helpful assistant. Answer in capital letters.")
    write(qtbot, page, 1, "You are a helpful assistant. Answer like a pirate.")
    ask(qtbot, page, "What is the capital of France?")
    loud, pirate = said(page)
    assert loud == loud.upper()
    assert loud.lower() != pirate.lower()
    assert page.composer.text() == ""
    assert "read once for all" in page.bar.facts.toolTip()
    assert [column._state.text() for column in page.columns] == ["Done", "Done"]


def test_it_is_reached_and_left_by_mouse_and_keys(qtbot, compare):
    page = compare()
    space = page.stage.space
    assert page.composer.field.hasFocus()
    assert space.sidebar.lab.isChecked()
    assert page.stage.window.windowTitle().startswith("Compare system prompts")
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert space.pages.shows_chat
    assert not space.sidebar.lab.isChecked()
    qtbot.mouseClick(space.sidebar.lab, Qt.MouseButton.LeftButton)
    assert space.pages.shows_lab


def test_stop_ends_all_and_a_columns_own_button_ends_that_alone(qtbot, compare):
    page = compare(Script(replies=(LONG,), tokens_per_s=20))
    qtbot.keyClicks(page.composer.field, "Go on")
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: all(len(text) > 20 for text in said(page)))
    qtbot.mouseClick(page.columns[0].go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.columns[0]._state.text() == "Stopped")
    assert page.comparison.busy
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.comparison.busy)
    assert [column._state.text() for column in page.columns] == ["Stopped", "Stopped"]
    assert said(page) == [column.exchanges[-1].text for column in page.comparison.columns()]
    assert page.stage.space.pages.shows_lab, "it stopped the answers and did not leave"


def test_columns_are_added_doubled_named_and_removed(qtbot, compare):
    page = compare()
    qtbot.mouseClick(page.bar.add, Qt.MouseButton.LeftButton)
    assert [column.name.text() for column in page.columns] == ["A", "B", "C"]
    assert page.columns[2].prompt.hasFocus()
    qtbot.keyClicks(page.columns[2].prompt, " Be brief.")
    page.columns[2].double_asked.emit()
    assert page.columns[3].prompt.toPlainText().endswith("Be brief.")
    page.columns[0].name.setText("Baseline")
    page.columns[0].name.editingFinished.emit()
    page.columns[1].remove_asked.emit()
    assert [column.name.text() for column in page.columns] == ["Baseline", "C", "D"]
    while len(page.columns) < 8:
        qtbot.mouseClick(page.bar.add, Qt.MouseButton.LeftButton)
    assert not page.bar.add.isEnabled()
    assert "may differ" in page._cautions.text()
    page.stage.window.resize(720, 480)
    assert page._cautions.isVisible(), "in narrow windows too"


def test_differences_are_marked_against_a_chosen_column(qtbot, compare):
    page = compare(Script(replies=("The sea is blue.", "The sea is deep and blue.")))
    ask(qtbot, page, "Tell me")
    page.bar.against.setCurrentIndex(1)
    page.bar.against.activated.emit(1)
    assert page.columns[0]._said.currentWidget() is page.columns[0].transcript
    shown = page.columns[1]
    assert shown._said.currentWidget() is shown.differences
    assert {said(page)[0], said(page)[1]} == {"The sea is blue.", "The sea is deep and blue."}
    assert shown._changes.text() in ("+2 −0 words against A", "+0 −2 words against A")
    page.bar.against.activated.emit(0)
    assert shown._said.currentWidget() is shown.transcript


def test_a_column_becomes_a_chat_that_is_opened(qtbot, compare):
    page = compare(Script(replies=("Hello there.",)))
    ask(qtbot, page, "Hi")
    qtbot.mouseClick(page.columns[1].keep, Qt.MouseButton.LeftButton)
    space = page.stage.space
    qtbot.waitUntil(lambda: space.pages.shows_chat and space.page.session.ready)
    assert [message.text for message in space.page.session.path()] == ["Hi", "Hello there."]
    qtbot.mouseClick(space.sidebar.lab, Qt.MouseButton.LeftButton)
    assert said(page) == ["Hello there."] * 2, "the columns are still there"


def test_ask_again_uses_the_prompts_as_they_are_now_and_start_over_forgets(qtbot, compare):
    page = compare(None)
    ask(qtbot, page, "My name is Ada.")
    ask(qtbot, page, "What is my name?")
    write(qtbot, page, 1, "You are a helpful assistant. Answer in capital letters.")
    qtbot.mouseClick(page.bar.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.comparison.busy, timeout=20_000)
    assert said(page)[0] == "Your name is Ada."
    assert said(page)[1] == said(page)[1].upper()
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Up)
    assert page.composer.text() == "What is my name?"
    qtbot.mouseClick(page.bar.anew, Qt.MouseButton.LeftButton)
    assert [column.exchanges for column in page.comparison.columns()] == [(), ()]
    assert not page.bar.again.isEnabled()


def test_a_column_is_copied_as_markdown(qtbot, compare):
    page = compare(Script(replies=("Hello there.",)))
    ask(qtbot, page, "Hi")
    qtbot.mouseClick(page.columns[0].copy, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("## A\n")
    assert "Hello there." in text
    qtbot.mouseClick(page.bar.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text().count("Hello there.") == 2


def test_a_failure_is_told_in_its_column_and_above(qtbot, compare, caplog):
    page = compare(Script(replies=(LONG,), fail_at_token=30))
    ask(qtbot, page, "Go on")
    assert any(column.exchanges[-1].state is MessageState.FAILED for column in page.comparison.columns())
    assert "Failed" in {column._state.text() for column in page.columns}
    caplog.clear()


def test_narrow_windows_scroll_and_everything_has_a_name(qtbot, compare):
    page = compare(size=(720, 480))
    assert page.width() <= 720
    for column in page.columns:
        for widget in (column.name, column.prompt, column.more, column.copy, column.go):
            assert widget.accessibleName()
        assert column.keep.text()
        assert column.height() >= 380, "it scrolls instead of losing the answer"
    buttons = page.bar.buttons
    assert [button.text() for button in buttons] == [""] * 5, "icons alone, none of them cut off"
    assert all(button.accessibleName() and button.width() >= button.minimumSizeHint().width() for button in buttons)
    page.stage.window.resize(1280, 820)
    qtbot.waitUntil(lambda: page.bar.add.text() == "Add a column")


def test_values_are_set_for_all_columns_or_for_one(qtbot, compare):
    page = compare()
    qtbot.mouseClick(page.bar.values, Qt.MouseButton.LeftButton)
    assert page.values.isVisible()
    assert page.values.form.row("seed")._source.text() == "Changed here"
    page.values.form.changed.emit("temperature", 0.5)
    assert [page.comparison.sampling(at).temperature for at in (0, 1)] == [0.5, 0.5]
    page.values.target.activated.emit(2)
    assert page.values.form.row("temperature")._source.text() == "As in all columns"
    page.values.form.changed.emit("temperature", 1.0)
    page.values.form.changed.emit("seed", 7)
    assert [page.comparison.sampling(at).temperature for at in (0, 1)] == [0.5, 1.0]
    assert [page.comparison.sampling(at).seed for at in (0, 1)] == [42, 7]
    page.values.form.reset_asked.emit("temperature")
    page.values.form.changed.emit("temperature", 99)
    assert page.comparison.sampling(1).temperature == 0.5
    qtbot.mouseClick(page.values.close_button, Qt.MouseButton.LeftButton)
    assert page.values.isHidden()


def test_a_step_that_still_settles_belongs_to_the_column_it_was_made_for_and_counts_for_what_is_asked(qtbot, compare):
    page = compare(Script(replies=("Yes.",)))
    qtbot.mouseClick(page.bar.values, Qt.MouseButton.LeftButton)
    usual = page.comparison.sampling(0).max_tokens
    field = page.values.form.row("max_tokens")._editor._field
    qtbot.keyClick(field, Qt.Key.Key_Up)
    page.values.target.activated.emit(2)
    more = page.comparison.sampling(0).max_tokens
    assert more > usual
    assert page.comparison.columns()[1].contestant.overrides == {}
    assert page.values.target.currentText() == "Column B"
    qtbot.keyClick(field, Qt.Key.Key_Up)
    ask(qtbot, page, "Hello")
    first, second = (one.exchanges[0].provenance.sampling["max_tokens"] for one in page.comparison.columns())
    assert first == more < second


def test_a_prompt_is_saved_edited_and_saved_again_as_a_version_and_taken_in_another_column(qtbot, compare):
    page = compare()
    prompts, (first, second) = page.stage.hub.prompts, page.columns
    first.name.setText("Shop")
    write(qtbot, page, 0, "Be polite.")
    first.save()
    qtbot.waitUntil(lambda: "Shop, version 1" in first._model.text())
    write(qtbot, page, 0, "Be polite and brief.")
    first.flush()
    assert first._model.text() == "Edited since Shop, version 1"
    first.save()
    qtbot.waitUntil(lambda: "Shop, version 2" in first._model.text())
    (kept,) = prompts.prompts()
    assert (kept.name, kept.text, kept.versions) == ("Shop", "Be polite and brief.", 2)
    taken = next(action for action in second.menu.list_prompts().actions() if action.text() == "Shop")
    taken.trigger()
    assert second.prompt.toPlainText() == "Be polite and brief."
    assert page.comparison.columns()[1].contestant.version == kept.current
    assert "Translator" in " ".join(action.text() for action in second.menu.list_prompts().actions())


def test_a_column_that_moves_to_the_place_of_another_takes_nothing_over_from_it(qtbot, compare):
    page = compare()
    prompts = page.stage.hub.prompts
    page.columns[0].name.setText("Shop")
    write(qtbot, page, 0, "Be polite.")
    page.columns[0].save()
    qtbot.waitUntil(lambda: "Shop, version 1" in page.columns[0]._model.text())
    page.columns[1].name.setText("Own")
    write(qtbot, page, 1, "Be rude.")
    page.columns[1].flush()
    page.columns[0].remove_asked.emit()
    assert page.columns[0]._model.text() == ""
    page.columns[0].save()
    qtbot.waitUntil(lambda: "Own, version 1" in page.columns[0]._model.text())
    assert [(one.name, one.versions) for one in prompts.prompts()] == [("Own", 1), ("Shop", 1)]
    assert page.notices.notices()[0].title == "Saved as “Own”"
    write(qtbot, page, 0, "Be very rude.")
    page.columns[0].double_asked.emit()
    page.columns[1].save()
    qtbot.waitUntil(lambda: "Own, version 2" in page.columns[1]._model.text())
    assert page.columns[0]._model.text() == "Edited since Own, version 1"


def test_what_is_being_typed_in_a_column_that_goes_stays_out_of_the_next_one(qtbot, compare):
    page = compare()
    write(qtbot, page, 1, "Be rude.")
    page.columns[1].flush()
    page.columns[0].name.setFocus()
    qtbot.keyClicks(page.columns[0].name, " and more")
    write(qtbot, page, 0, "Half a thought")
    page.columns[0].remove_asked.emit()
    page.flush()
    assert (page.columns[0].name.text(), page.columns[0].prompt.toPlainText()) == ("B", "Be rude.")
    assert page.comparison.columns()[0].contestant.system_prompt == "Be rude."


def test_an_earlier_version_is_taken_and_named(qtbot, compare):
    page = compare()
    prompts, column = page.stage.hub.prompts, page.columns[1]
    with qtbot.waitSignal(prompts.made) as made:
        prompts.create("Shop", "Be polite.")
    with qtbot.waitSignal(prompts.version_saved):
        prompts.save(made.args[0].id, "Be brief.")
    dialog = column.menu.choose_version()
    qtbot.waitUntil(lambda: dialog.tree.topLevelItem(0).text(0) == "Shop   v2")
    dialog.search.setText("translator")
    assert [one.name for one in dialog.contestants()] == ["Translator"], "what is not shown is not taken"
    dialog.search.setText("no such prompt")
    assert not dialog.add.isEnabled()
    dialog.search.setText("shop")
    dialog.tree.expandItem(dialog.tree.topLevelItem(0))
    qtbot.waitUntil(lambda: dialog.tree.topLevelItem(0).childCount() == 1)
    dialog.tree.setCurrentItem(dialog.tree.topLevelItem(0).child(0))
    assert dialog.add.text() == "Take"
    qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
    assert (column.name.text(), column.prompt.toPlainText()) == ("Shop v1", "Be polite.")
    qtbot.waitUntil(lambda: column._model.text() == "Shop, version 1")
    ask(qtbot, page, "Hi")
    qtbot.mouseClick(column.copy, Qt.MouseButton.LeftButton)
    version = column._column.contestant.version
    assert f"Shop, version 1 ({version})" in QGuiApplication.clipboard().text()


def test_a_prompt_that_says_something_else_than_the_version_it_names_is_an_edit_of_it(qtbot, compare):
    page = compare()
    prompts = page.stage.hub.prompts
    with qtbot.waitSignal(prompts.made) as made:
        prompts.create("Greeter", "Greet {{who}}.")
    version = made.args[0].current
    filled = (Contestant("Filled", "Greet Ada.", version), Contestant("As it is", "Greet {{who}}.", version))
    page.show_contestants(filled)
    qtbot.waitUntil(lambda: page.columns[0]._model.text() == "Edited since Greeter, version 1")
    qtbot.waitUntil(lambda: page.columns[1]._model.text() == "Greeter, version 1")
    assert [column.contestant.version for column in page.comparison.columns()] == ["", version]


def test_the_columns_prompts_begin_an_experiment(qtbot, compare):
    page = compare()
    write(qtbot, page, 0, "Be polite.")
    write(qtbot, page, 1, "Be brief.")
    qtbot.mouseClick(page.bar.test, Qt.MouseButton.LeftButton)
    lab = page.stage.space.pages.lab
    assert lab.tabs.currentIndex() == 2
    qtbot.waitUntil(lambda: lab.view.editor.isVisible())
    shown = lab.view.editor.prompts.contestants()
    assert [(one.name, one.system_prompt) for one in shown] == [("A", "Be polite."), ("B", "Be brief.")]


def test_a_question_edited_while_answers_are_written_stays_open_until_it_can_be_asked(qtbot, compare):
    page = compare(Script(replies=("short", "short", LONG), tokens_per_s=20))
    ask(qtbot, page, "first")
    qtbot.keyClicks(page.composer.field, "second")
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.comparison.busy and len(page.columns[0].transcript.rows) == 4)
    transcript = page.columns[0].transcript
    transcript.edit_row(1)
    field = editor(transcript, 1)
    qtbot.keyClicks(field, " and more")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert (field.isVisible(), field.toPlainText()) == (True, "first and more")
    page.comparison.stop_all()
    qtbot.waitUntil(lambda: not page.comparison.busy)
    qtbot.keyClick(editor(transcript, 1), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [row.text for row in transcript.rows if row.kind == "user"] == ["first and more"])
    page.comparison.stop_all()
    qtbot.waitUntil(lambda: not page.comparison.busy)
    page.comparison.begin_anew()
    ask(qtbot, page, "first")
    assert editor(transcript, 1) is None, "what was sent does not come back as an edit"


def test_a_variable_without_a_value_is_marked_and_stops_the_message_until_it_has_one(qtbot, compare):
    page = compare(Script(replies=("Bonjour",)))
    write(qtbot, page, 1, "\N{WHALE} Translate into {{language}}, {{tone=neutral}} tone. Today is {{date}}.")
    qtbot.keyClicks(page.composer.field, "Hello")
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    assert not page.comparison.busy
    assert page.composer.text() == "Hello", "nothing was lost"
    assert page.notices.notices()[0].title == "{{language}} has no value"
    assert page.columns[1].prompt.marked() == (("{{language}}", True), ("{{tone=neutral}}", False), ("{{date}}", False))
    qtbot.mouseClick(page.bar.values, Qt.MouseButton.LeftButton)
    field = page.values.variables.fields["language"]
    qtbot.keyClicks(field, "French")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert not any(wavy for _, wavy in page.columns[1].prompt.marked())
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.comparison.busy)
    sent = page.comparison.columns()[1].exchanges[-1].provenance.system_prompt
    assert sent.startswith("\N{WHALE} Translate into French, neutral tone. Today is ")
    assert "{{" not in sent

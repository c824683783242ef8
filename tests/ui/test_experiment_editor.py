"""A new experiment: prompts, questions, checks and values, typed, read from files, kept and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from app.core.lab import Check, Contestant, Plan, Question
from app.services.experiments import RunState
from app.ui.question_file_dialog import QuestionFileDialog
from app.ui.run_looks import Shape
from tests.ui.experimenting import PLAN, put_together


def test_one_is_typed_started_and_filled_to_the_end(lab):
    shown = lab()
    put_together(shown)
    assert shown.view.editor._size.text() == "2 prompts × 2 questions = 4 answers"
    shown.view.editor.start.click()
    shown.wait(lambda: shown.view.page is not None)
    shown.finish()
    page = shown.view.page
    assert page.name.text() == "My first"
    model = page.run_view.model
    assert [model.headerData(at, Qt.Orientation.Horizontal) for at in (0, 1)] == ["Prompt", "Prompt 2"]
    assert model.headerData(0, Qt.Orientation.Vertical) == "What is the capital of France?"
    assert {model.look(place).shape for place in page.opened.run.cells()} == {Shape.PLAIN}
    assert page.run_view.strip._done.text() == "4 of 4 answers"
    assert page.run_view.strip.go.isHidden()
    shown.view.go_back()
    shown.wait(lambda: [row.button for row in shown.view.home.runs.rows.rows()] == ["Open"])
    kept: list[Any] = []
    shown.services.experiments.read_draft(kept.append)
    shown.wait(lambda: bool(kept))
    assert kept == [None], "what was started is no draft any more"


def test_what_is_missing_is_told_and_nothing_is_started(lab):
    shown = lab()
    editor = shown.view.editor
    shown.view.begin()
    shown.wait(lambda: editor.isVisible())
    editor.start.click()
    assert shown.titles() == ["There is no prompt yet"]
    editor.prompts.none.click()
    editor.start.click()
    assert shown.titles()[0] == "There is no question yet"
    editor.questions.paste.setPlainText("Why?")
    editor.questions.take.click()
    editor.values.field.setText("1, x")
    editor.start.click()
    assert shown.titles()[0] == "The seeds are no numbers"
    editor.values.field.setText("1-3")
    editor.model.show_model("/gone/away.gguf")
    editor.start.click()
    assert shown.titles()[0] == "A model is not on this computer"
    editor.model.show_model("starter")
    editor.checks._put(Check("regex", {"pattern": "("}))
    editor.start.click()
    assert "cannot be used" in shown.titles()[0]
    assert editor.checks.trouble()
    assert shown.services.experiments.rows() == ()


def test_a_variable_without_a_value_stops_it_and_one_with_is_filled_in(lab):
    shown = lab()
    editor = shown.view.editor
    shown.view.begin_with((Contestant("V", "You work for {{firm}}. Today is {{date}}."),), (Question("1", "Who?"),))
    shown.wait(lambda: editor.isVisible())
    editor.start.click()
    assert shown.titles() == ["{{firm}} has no value"]
    assert editor.prompts.text.marked() == (("{{firm}}", True), ("{{date}}", False))
    editor.variables.fields["firm"].setText("Acme")
    editor.variables.fields["firm"].setModified(True)
    editor.start.click()
    shown.wait(lambda: shown.view.page is not None)
    shown.finish()
    prompt = shown.view.page.opened.run.plan.contestants[0].system_prompt
    assert prompt.startswith("You work for Acme. Today is ")
    assert "{{" not in prompt


def test_what_is_put_together_is_still_there_after_a_restart(lab, build):
    shown = lab()
    put_together(shown)
    shown.view.flush()
    build.close(shown.services)
    again = lab()
    again.view.home.new.click()
    again.wait(lambda: again.view.editor.isVisible())
    plan = again.view.editor.plan()
    assert plan.name == "My first"
    assert [one.system_prompt for one in plan.contestants] == ["Answer in capital letters.", "Answer like a pirate."]
    assert len(plan.questions) == 2


def test_what_is_put_together_is_not_lost_where_something_else_takes_its_place(lab):
    shown = lab()
    run_id = shown.store(PLAN, lambda place: "one")
    put_together(shown)
    shown.view.flush()
    shown.view.repeat(run_id)
    shown.wait(lambda: shown.view.editor.name.text() == "Two prompts, 2")
    shown.wait(lambda: shown.titles()[:1] == ["“My first” is kept in the list"])
    assert [row.name for row in shown.services.experiments.rows()] == ["My first", "Two prompts"]
    shown.view.editor.clear.click()
    assert shown.view.editor.is_empty
    shown.view.notices.notices()[0].actions[0][1]()
    assert shown.view.editor.plan().questions == PLAN.questions
    shown.view.editor.clear.click()
    shown.view.editor.prompts.none.click()
    shown.view.flush()
    shown.view.repeat(run_id)
    shown.wait(lambda: shown.titles()[:1] == ["“Experiment” is kept in the list"])
    half = shown.services.experiments.rows()[0]
    assert (half.name, half.cells) == ("Experiment", 0)
    shown.view.open_run(half.id)
    shown.wait(lambda: [one.name for one in shown.view.editor.plan().contestants] == ["No prompt"])


def test_a_draft_of_the_list_is_kept_as_it_is_typed(lab):
    shown = lab()
    shown.view.begin_with((Contestant("A", "Be brief."),))
    shown.wait(lambda: shown.view.editor.isVisible())
    shown.view.editor.keep.click()
    shown.wait(lambda: len(shown.services.experiments.rows()) == 1 and shown.view.home.isVisible())
    run_id = shown.services.experiments.rows()[0].id
    shown.view.open_run(run_id)
    shown.wait(lambda: shown.view.editor.isVisible())
    shown.view.editor.prompts.text.setPlainText("Be kind.")
    shown.view.go_back()
    plans: list[Plan] = []
    shown.services.experiments.plan(run_id, plans.append)
    shown.wait(lambda: bool(plans))
    assert [one.system_prompt for one in plans[0].contestants] == ["Be kind."]


def test_a_draft_in_the_list_can_be_changed_and_started(lab):
    shown = lab()
    put_together(shown)
    shown.view.editor.keep.click()
    shown.wait(lambda: len(shown.services.experiments.rows()) == 1)
    row = shown.services.experiments.rows()[0]
    assert row.state is RunState.DRAFT
    shown.wait(lambda: [one.button for one in shown.view.home.runs.rows.rows()] == ["Start"])
    shown.view.home.pressed.emit(row.id)
    shown.wait(lambda: shown.view.editor.isVisible())
    shown.view.editor.prompts.none.click()
    shown.view.editor.start.click()
    shown.wait(lambda: shown.view.page is not None)
    shown.finish()
    assert shown.view.page.run_id == row.id
    assert len(shown.view.page.opened.run.cells()) == 6


def test_prompts_come_from_the_library_any_version_of_them(lab, qtbot):
    shown = lab()
    prompts = shown.hub.prompts
    prompts.create("Support", "First words.")
    shown.wait(lambda: bool(prompts.prompts()))
    prompts.save(prompts.prompts()[0].id, "Second words.", note="shorter")
    shown.wait(lambda: prompts.prompts()[0].versions == 2)
    shown.view.begin()
    chooser = shown.view.editor.prompts.choose()
    top = chooser.tree.topLevelItem(0)
    top.setExpanded(True)
    shown.wait(lambda: top.childCount() == 1)
    assert "comes with Orcinus" in chooser.tree.topLevelItem(1).text(0)
    top.setCheckState(0, Qt.CheckState.Checked)
    top.child(0).setCheckState(0, Qt.CheckState.Checked)
    assert chooser.add.text() == "Add 2 prompts"
    chooser.add.click()
    found = shown.view.editor.prompts.contestants()
    assert [(one.name, one.system_prompt) for one in found] == [
        ("Support v2", "Second words."),
        ("Support v1", "First words."),
    ]
    assert found[0].version == prompts.prompts()[0].current
    shown.view.editor.prompts.list.setCurrentRow(1)
    shown.wait(lambda: shown.view.editor.prompts._origin.text() == "Support, version 1")
    shown.view.editor.prompts.list.setCurrentRow(0)
    shown.view.editor.prompts.text.setPlainText("Third words.")
    assert shown.view.editor.prompts.contestants()[0].version == "", "it is no saved version any more"


def test_questions_come_from_a_file_with_openorcas_columns(lab, tmp_path: Path):
    shown = lab()
    shown.view.begin()
    path = tmp_path / "orca.jsonl"
    rows = [
        {"id": f"niv.{at}", "system_prompt": "Be exact.", "question": f"What is {at}?", "response": str(at)}
        for at in range(300)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    dialog = shown.view.editor.questions.read_file(str(path))
    shown.wait(lambda: dialog.add.isEnabled())
    assert dialog.add.text() == "Add 100 questions"
    assert dialog.columns["reference"].itemText(0) == "response (by its name)"
    dialog.limit.setText("3")
    dialog.read()
    shown.wait(lambda: dialog.add.isEnabled())
    dialog.add.click()
    found = shown.view.editor.questions.questions()
    assert [(one.key, one.text, one.reference, one.system_prompt) for one in found] == [
        (f"niv.{at}", f"What is {at}?", str(at), "Be exact.") for at in range(3)
    ]


def test_a_column_can_be_chosen_where_its_name_says_nothing(lab, tmp_path: Path):
    shown = lab()
    shown.view.begin()
    path = tmp_path / "odd.csv"
    path.write_text("a,b\nWhy?,Because\n", "utf-8")
    dialog = shown.view.editor.questions.read_file(str(path))
    shown.wait(lambda: "no column of questions" in dialog.state.text() and dialog.columns["text"].count() == 3)
    assert not dialog.add.isEnabled()
    box = dialog.columns["text"]
    box.setCurrentIndex(box.findData("a"))
    box.activated.emit(1)
    shown.wait(lambda: dialog.add.isEnabled())
    assert "Why?" in dialog.preview.toPlainText()
    dialog.reject()


def drop(widget: QWidget, path: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(widget.rect().center(), Qt.DropAction.CopyAction, data, buttons, keys)
    widget.dragEnterEvent(enter)
    if enter.isAccepted():
        widget.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    return enter.isAccepted()


def test_a_file_of_questions_can_be_dropped_and_a_model_is_left_to_the_window(lab, tmp_path: Path):
    shown = lab()
    shown.view.begin()
    path = tmp_path / "q.txt"
    path.write_text("One?\nTwo?\n", "utf-8")
    opened: list[str] = []
    shown.view.editor.questions.list.dropped.connect(opened.append)
    assert drop(shown.view.editor.questions.list, path)
    assert opened == [str(path)]
    assert not drop(shown.view.editor.questions.list, tmp_path / "model.gguf")
    (dialog,) = shown.view.findChildren(QuestionFileDialog)
    shown.wait(lambda: dialog.add.isEnabled())
    dialog.add.click()
    assert [one.text for one in shown.view.editor.questions.questions()] == ["One?", "Two?"]


def test_a_dropped_plan_is_opened_and_dropped_questions_begin_a_new_one(lab, tmp_path: Path):
    shown = lab()
    plan = tmp_path / "plan.toml"
    plan.write_text('name = "Dropped"\n[[prompt]]\nname = "A"\ntext = ""\n[[question]]\ntext = "Why?"\n', "utf-8")
    assert drop(shown.view, plan)
    shown.wait(lambda: shown.view.editor.isVisible() and shown.view.editor.name.text() == "Dropped")
    shown.view.go_back()
    questions = tmp_path / "q.txt"
    questions.write_text("One?\n", "utf-8")
    assert drop(shown.view, questions)
    shown.wait(lambda: bool(shown.view.findChildren(QuestionFileDialog)))
    shown.view.findChildren(QuestionFileDialog)[0].reject()
    assert not drop(shown.view, tmp_path / "model.gguf")


def test_a_prompt_can_have_sampler_values_of_its_own(lab):
    shown = lab()
    put_together(shown)
    editor = shown.view.editor
    editor.values.form.changed.emit("temperature", 0.5)
    editor.values.target.activated.emit(2)
    editor.values.form.changed.emit("temperature", 1.5)
    editor.values.form.changed.emit("top_k", None)
    plan = editor.plan()
    assert plan.overrides == {"temperature": 0.5}
    assert [one.overrides for one in plan.contestants] == [{}, {"temperature": 1.5, "top_k": None}]
    assert "2 values of its own" in editor.prompts._origin.text()
    assert editor.values.fold.text() == "Sampler values (3 changed)"
    editor.values.form.reset_asked.emit("temperature")
    assert editor.plan().contestants[1].overrides == {"top_k": None}
    editor.values.target.activated.emit(0)
    editor.values.form.reset_asked.emit("temperature")
    assert editor.plan().overrides == {}


def test_a_step_that_still_settles_belongs_to_the_prompt_it_was_made_for(qtbot, lab):
    shown = lab()
    put_together(shown)
    values = shown.view.editor.values
    values.fold.setChecked(True)
    field = values.form.row("max_tokens")._editor._field
    qtbot.keyClick(field, Qt.Key.Key_Up)
    values.target.activated.emit(2)
    plan = shown.view.editor.plan()
    assert list(plan.overrides) == ["max_tokens"]
    assert [one.overrides for one in plan.contestants] == [{}, {}]


def test_questions_are_kept_as_a_set_and_taken_again(lab):
    shown = lab()
    put_together(shown)
    sets = shown.services.experiments.question_sets
    sets.keep("Geography", shown.view.editor.questions.questions())
    shown.wait(lambda: bool(sets.sets()))
    shown.view.go_back()
    shown.wait(lambda: [row.title for row in shown.view.home.sets.rows.rows()] == ["Geography"])
    shown.view.home.set_pressed.emit(sets.sets()[0].id)
    shown.wait(lambda: shown.view.editor.isVisible())
    assert [one.text for one in shown.view.editor.plan().questions] == [
        "What is the capital of France?",
        "Who are you?",
    ]
    menu = shown.view.editor.questions.list_sets()
    shown.view.editor.questions.kept.menu().triggered.emit(menu.actions()[0])
    shown.wait(lambda: len(shown.view.editor.plan().questions) == 4)
    assert len({one.key for one in shown.view.editor.plan().questions}) == 4


def test_a_question_has_a_reference_instructions_tags_and_checks_of_its_own(lab):
    shown = lab()
    put_together(shown)
    form = shown.view.editor.questions.form
    shown.view.editor.questions.list.go_to(1)
    assert form.text.toPlainText() == "Who are you?"
    form.reference.setPlainText("A model.")
    form.system.setPlainText("Be honest.")
    form.tags.setText("self, short")
    form.tags.textEdited.emit("")
    form.checks.add.menu().triggered.emit(form.checks.add.menu().actions()[0])
    form.checks.rows[0].fields["texts"].setPlainText("model\nOrcinus")
    shown.view.editor.questions.list.go_to(0)
    first, second = shown.view.editor.plan().questions
    assert (first.reference, first.checks) == ("", ())
    assert second == Question(
        second.key,
        "Who are you?",
        "A model.",
        "Be honest.",
        (Check("contains", {"texts": ["model", "Orcinus"]}),),
        ("self", "short"),
    )
    shown.view.editor.questions.list.go_to(1)
    assert form.checks.rows[0].fields["texts"].toPlainText() == "model\nOrcinus"


def test_every_kind_of_check_can_be_added_and_comes_back_as_it_was(lab):
    shown = lab()
    shown.view.begin()
    editor = shown.view.editor.checks
    checks = (
        Check("contains", {"texts": ["a, b", "c"], "which": "any"}, "Named"),
        Check("lacks", {"texts": ["x"], "case": True}),
        Check("regex", {"pattern": r"\d+", "whole": True, "absent": True}),
        Check("equals", {"text": "yes", "marks": True}),
        Check("json", {"schema": '{"type": "object"}', "fenced": False}),
        Check("length", {"unit": "characters", "low": 3, "high": 90}),
        Check("language", {"codes": ["en", "de"]}),
        Check("stops", {}),
        Check("similar", {"method": "rouge-l", "low": 0.3}),
    )
    editor.show_checks(checks)
    assert editor.trouble() == ""
    assert editor.checks() == checks
    editor.rows[-1].fields["low"].setText("much")
    assert '"low"' in editor.trouble()
    editor.rows[-1].fields["low"].setText("0,4")
    assert editor.checks()[-1].values["low"] == 0.4
    editor.rows[0].remove.click()
    editor.rows[-1].kind.setCurrentIndex(0)
    editor.rows[-1].kind.activated.emit(0)
    assert editor.checks()[-1].kind == "contains"
    assert '"texts"' in editor.trouble()


@pytest.mark.parametrize("typed", ["1", "3, 7", "1-4", "1 to 3; 9", "5 5 5"])
def test_seeds_are_read_as_people_write_them(typed: str):
    from app.ui.editor_values import seeds_in

    wanted = {"1": (1,), "3, 7": (3, 7), "1-4": (1, 2, 3, 4), "1 to 3; 9": (1, 2, 3, 9), "5 5 5": (5,)}
    assert seeds_in(typed) == wanted[typed]
    for wrong in ("", "x", "1.5", "-3", "4-1", "99999999999999999999", "1-100000"):
        assert seeds_in(wrong) is None

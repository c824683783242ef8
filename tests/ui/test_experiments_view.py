"""Experiments in the window: put together, started, watched, filtered, paused, repeated, compared and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Check, Contestant, Judge, Place, Plan, Question, Threshold
from app.engine.scripted import Script
from app.services.experiments import RunState
from app.ui import theme as looks
from app.ui.dressing import dress
from app.ui.experiment_page import facts_of
from app.ui.experiments_view import ExperimentsView
from app.ui.question_file_dialog import QuestionFileDialog
from app.ui.run_looks import Change, Shape, Which

FAST = Script(replies=("one two", "three four"))
SLOW = Script(replies=("word " * 400,), tokens_per_s=20)
PLAN = Plan(
    "Two prompts",
    "starter",
    (Contestant("Terse", "Be brief."), Contestant("Kind", "Be kind.")),
    tuple(Question(str(at), f"Question {at}", reference="one two") for at in range(1, 6)),
    overrides={"max_tokens": 40},
    checks=(Check("contains", {"texts": ["one"]}, "Says one"),),
)


class Lab:
    """The view on its own, over real services."""

    def __init__(self, view: ExperimentsView, services: Any, hub: Any, wait: Callable[..., None]) -> None:
        self.view, self.services, self.hub, self.wait = view, services, hub, wait

    def titles(self) -> list[str]:
        return [notice.title for notice in self.view.notices.notices()]

    def store(self, plan: Plan, answers: Callable[[Place], str] | None = None) -> int:
        """A run in the store; with answers it is done."""
        row = self.services.ask(lambda stores: stores.runs.create(plan))
        if answers is not None:
            places = [Place(one, at, 0) for one in range(len(plan.contestants)) for at in range(len(plan.questions))]
            cells = [Cell(place, CellState.DONE, answers(place)) for place in places]
            self.services.ask(lambda stores: stores.runs.save(row.id, cells))
            self.services.ask(lambda stores: stores.runs.set_state(row.id, RunState.DONE))
        self.services.experiments.refresh()
        self.wait(lambda: self.services.experiments.row(row.id) is not None)
        return row.id

    def show(self, run_id: int):
        """Open a run and give its page."""
        self.view.open_run(run_id)
        self.wait(lambda: self.view.page is not None and self.view.page.run_id == run_id)
        return self.view.page

    def finish(self) -> None:
        run = self.view.page.opened
        self.wait(lambda: not run.run.busy and not run.findings.busy)


@pytest.fixture
def lab(qtbot, build, hub_of, light):
    """`lab(script)`: the view in a window of its own; None for the real starter model."""
    made: list[ExperimentsView] = []

    def make(script: Script | None = FAST, size: tuple[int, int] = (1100, 780), services: Any = None) -> Lab:
        services = services or build(script)
        hub = hub_of(services)
        view = ExperimentsView(services.library, hub, light)
        services.experiments.notice.connect(view.notices.show_notice)  # in the window: on the page that is shown
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        view.enter()
        made.append(view)
        return Lab(view, services, hub, lambda condition: qtbot.waitUntil(condition, timeout=20_000))

    yield make
    for view in made:
        view.close()
        view.deleteLater()


def put_together(lab: Lab) -> None:
    """Two prompts and two questions, as a person types them."""
    editor = lab.view.editor
    lab.view.home.new.click()
    lab.wait(lambda: editor.isVisible())
    editor.name.setText("My first")
    editor.name.textEdited.emit("My first")
    for text in ("Answer in capital letters.", "Answer like a pirate."):
        editor.prompts.add.click()
        editor.prompts.text.setPlainText(text)
    editor.questions.paste.setPlainText("What is the capital of France?\n\nWho are you?")
    editor.questions.take.click()


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


def test_a_run_that_ends_while_nobody_looks_says_so(lab):
    shown = lab()
    run_id = shown.store(PLAN)
    shown.services.experiments.open(run_id, lambda opened: opened.run.start())
    shown.wait(lambda: "“Two prompts” is done" in shown.titles())
    page = shown.show(run_id)
    shown.view.notices.close_newest()
    page.opened.run.retry([Place(0, 0, 0)])
    page.opened.run.start()
    shown.finish()
    assert "“Two prompts” is done" not in shown.titles()


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
    editor.values.target.setCurrentIndex(2)
    editor.values.form.changed.emit("temperature", 1.5)
    editor.values.form.changed.emit("top_k", None)
    plan = editor.plan()
    assert plan.overrides == {"temperature": 0.5}
    assert [one.overrides for one in plan.contestants] == [{}, {"temperature": 1.5, "top_k": None}]
    assert "2 values of its own" in editor.prompts._origin.text()
    assert editor.values.fold.text() == "Sampler values (3 changed)"
    editor.values.form.reset_asked.emit("temperature")
    assert editor.plan().contestants[1].overrides == {"top_k": None}
    editor.values.target.setCurrentIndex(0)
    editor.values.form.reset_asked.emit("temperature")
    assert editor.plan().overrides == {}


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


def test_answers_are_read_beside_the_grid_with_what_was_found_in_them(lab, qtbot):
    shown = lab()
    shown.store(PLAN, lambda place: "one two" if place.contestant == 0 else "*three* four")
    page = shown.show(shown.services.experiments.rows()[0].id)
    shown.finish()
    view, model = page.run_view, page.run_view.model
    shown.wait(lambda: model.look(Place(1, 0, 0)).shape is Shape.FAILED)
    assert model.look(Place(0, 0, 0)).shape is Shape.PASSED
    view.enter()
    view.grid.choose(Place(1, 0, 0))
    qtbot.keyClick(view.grid, Qt.Key.Key_Return)
    panel = view.panel
    assert panel.isVisible()
    assert (panel.question.text, panel.answer.text, panel.reference.text) == ("Question 1", "three four", "one two")
    assert panel.checks._count.text() == "0 of 1 passed"
    assert [found.passed for _, found in panel.checks._rows] == [False]
    panel.down.click()
    assert panel.place == Place(1, 1, 0)
    assert view.grid.place() == Place(1, 1, 0)
    qtbot.keyClick(view.grid, Qt.Key.Key_Left)
    assert panel.place == Place(0, 1, 0)
    assert shown.view.escape()
    assert not panel.isVisible()
    assert shown.view.escape()
    assert shown.view.home.isVisible()
    assert not shown.view.escape()


def test_who_answers_and_how_is_said_below_the_grid(lab):
    models = lab().hub.models
    plan = replace(PLAN, seeds=(1, 2), judge=Judge("", "Judge."))
    name = models.entry("starter").name
    assert facts_of(PLAN, models) == f"{name} · seed 1 · longest reply 40"
    assert facts_of(plan, models) == f"{name} · 2 seeds · longest reply 40 · judged by {name}"
    other = replace(PLAN, contestants=(*PLAN.contestants, Contestant("C", "", model_id="/models/big.gguf")))
    assert facts_of(other, models).startswith(f"{name} and 1 more")


def test_the_grid_is_filtered_by_state_and_words(lab):
    shown = lab()
    run_id = shown.store(PLAN, lambda place: "one two" if place.question < 3 else "three")
    view = shown.show(run_id).run_view
    shown.finish()
    shown.wait(lambda: view.model.counts[Which.FAILED] == 4)
    assert view.chips[Which.ALL].text() == "All 10"
    view.chips[Which.FAILED].click()
    assert [view.model.question_at(line)[0] for line in range(view.model.rowCount())] == [3, 4]
    view.search.setText("question 5")
    assert [view.model.question_at(line)[0] for line in range(view.model.rowCount())] == [4]
    view.search.setText("nothing of the kind")
    assert view.grid.isHidden()
    assert shown.view.escape()
    assert view.model.rowCount() == 5
    assert view.chips[Which.ALL].isChecked()


def test_a_run_is_paused_stopped_and_goes_on_from_the_list(lab):
    shown = lab(SLOW)
    run_id = shown.store(PLAN)
    shown.services.experiments.open(run_id, lambda opened: opened.run.start())
    shown.wait(lambda: shown.services.experiments.row(run_id).state is RunState.RUNNING)
    page = shown.show(run_id)
    model, strip = page.run_view.model, page.run_view.strip
    shown.wait(lambda: any(model.look(place).shape is Shape.RUNNING for place in page.opened.run.cells()))
    assert strip.pause.isVisible()
    assert not strip.go.isVisible()
    strip.stop.click()
    shown.finish()
    assert strip.go.isVisible()
    shown.view.go_back()
    shown.wait(lambda: [row.button for row in shown.view.home.runs.rows.rows()] == ["Go on"])
    shown.view.home.pressed.emit(run_id)
    shown.wait(lambda: page.opened.run.busy and shown.view.page.isVisible())
    strip.stop.click()
    shown.finish()


def test_an_answer_can_be_asked_for_again(lab):
    shown = lab()
    run_id = shown.store(PLAN, lambda place: "old")
    page = shown.show(run_id)
    shown.finish()
    page.run_view.grid.choose(Place(0, 2, 0))
    page.run_view.grid.opened.emit(Place(0, 2, 0))
    page.run_view.panel.again.click()
    shown.finish()
    assert page.opened.run.cell(Place(0, 2, 0)).text in FAST.replies
    assert page.opened.run.cell(Place(0, 1, 0)).text == "old"
    shown.wait(lambda: page.run_view.panel.answer.text in FAST.replies)


def test_a_repeat_with_one_changed_prompt_is_compared_with_the_run_before(lab):
    shown = lab(Script(replies=("one and more",)))
    run_id = shown.store(PLAN, lambda place: "one and more" if place.contestant == 0 else "three")
    shown.show(run_id)
    shown.finish()
    shown.view.repeat(run_id)
    editor = shown.view.editor
    shown.wait(lambda: editor.isVisible())
    assert editor.plan().name == "Two prompts, 2"
    assert editor.plan().questions == PLAN.questions
    editor.prompts.list.setCurrentRow(1)
    editor.prompts.text.setPlainText("Be very kind.")
    editor.start.click()
    shown.wait(lambda: shown.view.page is not None and shown.view.page.run_id != run_id)
    shown.finish()
    page = shown.view.page
    assert [action.text() for action in page.list_earlier().actions() if action.text()] == ["Nothing", "Two prompts"]
    page.earlier_asked.emit(run_id)
    model = page.run_view.model
    shown.wait(lambda: model.earlier is not None)
    assert model.change(Place(0, 0, 0)) is Change.SAME
    assert model.change(Place(1, 0, 0)) is Change.BETTER
    assert page.run_view.chips[Which.CHANGED].text() == "Changed 5"
    assert model.earlier_share(1) == (0, 5)
    page.run_view.grid.opened.emit(Place(1, 0, 0))
    assert page.run_view.panel.differences.isVisible()
    page.earlier_asked.emit(0)
    assert model.change(Place(1, 0, 0)) is Change.NONE
    assert not page.run_view.panel.differences.isVisible()


def test_thresholds_of_a_plan_that_were_missed_are_told_when_all_is_done(lab):
    shown = lab()
    low = replace(PLAN, thresholds=(Threshold("Says one", 0.9), Threshold("answered", 1.0)))
    page = shown.show(shown.store(low, lambda place: "one" if place.contestant == 0 else "three"))
    strip = page.run_view.strip
    shown.wait(lambda: strip.missed.text() == "A threshold was missed")
    assert "Kind: Says one must be at least 0.9, but 0.000" in strip.missed.toolTip()
    page.opened.run.retry([Place(1, 0, 0)])
    assert strip.missed.isHidden()


def test_runs_with_nothing_in_common_say_so(lab):
    shown = lab()
    first = shown.store(PLAN, lambda place: "one")
    other = Plan("Other", "starter", (Contestant("Z", ""),), (Question("9", "Else?"),))
    second = shown.store(other, lambda place: "two")
    page = shown.show(second)
    page.earlier_asked.emit(first)
    shown.wait(lambda: shown.titles() == ["There is nothing to compare"])
    assert page.run_view.model.earlier is None


def test_the_judges_words_stand_beside_the_answer(lab):
    plan = Plan(
        "Judged", "starter", PLAN.contestants, PLAN.questions[:1], judge=Judge("starter", "Judge."),
        overrides={"max_tokens": 40},
    )  # fmt: skip
    shown = lab(Script(replies=("one", "two", "It is shorter.\nA", "It is longer.\nB")))
    run_id = shown.store(plan)
    shown.view._open_and(run_id, start=True)
    shown.wait(lambda: shown.view.page is not None)
    page = shown.view.page
    shown.finish()
    assert page.opened.run.progress().judged == 2
    scores = {page.run_view.model.look(Place(at, 0, 0)).words for at in (0, 1)}
    assert scores == {"1–0", "0–1"}
    page.run_view.grid.opened.emit(Place(0, 0, 0))
    words = page.run_view.panel.duels._words.text()
    assert "It is shorter." in words
    assert "It is longer." in words
    assert page.run_view.panel.duels.isVisible()


def test_what_is_asked_for_again_loses_its_votes_in_the_grid_at_once(lab):
    plan = replace(PLAN, questions=PLAN.questions[:1], judge=Judge("starter", "Judge."))
    shown = lab(Script(replies=("one", "two", "Because.\nA", "Because.\nB")))
    run_id = shown.store(plan)
    shown.view._open_and(run_id, start=True)
    shown.wait(lambda: shown.view.page is not None)
    shown.finish()
    page = shown.view.page
    page.opened.run.retry([Place(0, 0, 0)])
    assert page.run_view.model.duels.places() == frozenset()
    assert page.run_view.model.look(Place(1, 0, 0)).words == ""


def test_thousands_of_votes_are_taken_in_bit_by_bit(lab, monkeypatch):
    monkeypatch.setattr("app.ui.run_model._VOTES_AT_ONCE", 3)
    plan = replace(PLAN, judge=Judge("starter", "Judge."))
    shown = lab(Script(replies=("one", "two", *("Because.\nA", "Because.\nB") * 5)))
    run_id = shown.store(plan, lambda place: str(place.contestant))
    duels = [Duel(at, 0, one, 1 - one) for at in range(5) for one in (0, 1)]
    said = [Judgement(duel, 1.0 if duel.first == 0 else 0.0, "Because.") for duel in duels]
    shown.services.ask(lambda stores: stores.runs.save(run_id, [], said))
    model = shown.show(run_id).run_view.model
    shown.wait(lambda: len(model.duels.places()) == 10)
    assert {model.look(Place(0, at, 0)).words for at in range(5)} == {"1–0"}
    assert not model._fill_timer.isActive()


def test_rating_and_ranking_are_a_tab_away_and_lead_back_to_the_grid(lab):
    shown = lab()
    page = shown.show(shown.store(PLAN, lambda place: f"Answer {place.contestant} to {place.question}"))
    shown.finish()
    page.tabs.setCurrentIndex(2)
    page.ranking_view.rate_asked.emit(2)
    assert page.tabs.currentIndex() == 1
    shown.wait(lambda: page.rate_view.round is not None and page.rate_view.round.current is not None)
    page.rate_view.pair.decided.emit(1.0)
    shown.wait(lambda: page.run_view.model.counts[Which.RATED] == 2)
    assert shown.view.escape(), "the round is paused"
    assert page.isVisible()
    page.tabs.setCurrentIndex(2)
    page.run_view.chips[Which.FAILED].click()
    page.ranking_view.question_asked.emit(4)
    assert page.tabs.currentIndex() == 0
    assert page.run_view.grid.place() == Place(0, 4, 0)
    page.tabs.setCurrentIndex(2)
    assert shown.view.escape()
    assert shown.view.home.isVisible()


def test_it_is_renamed_deleted_and_brought_back(lab):
    shown = lab()
    run_id = shown.store(PLAN, lambda place: "one")
    page = shown.show(run_id)
    page.name.setText("Better name")
    page.name.setModified(True)
    page.name.editingFinished.emit()
    shown.wait(lambda: shown.services.experiments.row(run_id).name == "Better name")
    page.delete_asked.emit()
    assert shown.services.experiments.rows() == ()
    assert shown.titles() == ["“Better name” was deleted"]
    assert shown.view.home.isVisible()
    shown.view.home.fold.setChecked(True)
    shown.wait(lambda: [row.title for row in shown.view.home.trash.rows.rows()] == ["Better name"])
    shown.view.home.trash.pressed.emit(str(run_id))
    shown.wait(lambda: bool(shown.services.experiments.rows()))
    shown.wait(lambda: not shown.view.home.trash.rows.rows())


def test_all_prompts_of_an_answer_go_into_columns(lab):
    shown = lab()
    page = shown.show(shown.store(PLAN, lambda place: "one"))
    asked: list[tuple[Contestant, ...]] = []
    shown.view.compare_asked.connect(asked.append)
    page.run_view.grid.opened.emit(Place(1, 0, 0))
    page.run_view.panel.compare.click()
    assert [one.name for one in asked[0]] == ["Kind", "Terse"]
    assert asked[0][0].overrides == {"max_tokens": 40}
    assert asked[0][0].model_id == "starter"


def test_a_plan_file_becomes_an_experiment_and_the_other_way_round(lab, tmp_path: Path):
    shown = lab()
    path = tmp_path / "plan.toml"
    path.write_text(
        'name = "From a file"\nseeds = [1, 2]\n[[prompt]]\nname = "A"\ntext = "Be {{tone}}."\n'
        '[variables]\ntone = "brief"\n[[question]]\ntext = "Why?"\n[judge]\nprompt = "Judge well."\n'
        '[[check]]\nkind = "stops"\n',
        "utf-8",
    )
    shown.view.open_plan_file(str(path))
    editor = shown.view.editor
    shown.wait(lambda: editor.isVisible() and editor.name.text() == "From a file")
    assert editor.values.field.text() == "1, 2"
    assert editor.judge.is_on
    assert editor.judge.prompt.toPlainText() == "Judge well."
    assert [row.check() for row in editor.checks.rows] == [Check("stops")]
    plan = editor._whole_plan()
    assert plan.variables == {"tone": "brief"}
    assert editor._filled(plan).contestants[0].system_prompt == "Be brief."
    shown.services.experiments.write_plan_file(plan, str(tmp_path / "again.toml"))
    shown.wait(lambda: "The file was written" in shown.titles())
    shown.view.open_plan_file(str(tmp_path / "again.toml"))
    shown.wait(lambda: editor._whole_plan() == plan)
    path.write_text("name = [", "utf-8")
    shown.view.open_plan_file(str(path))
    shown.wait(lambda: shown.titles()[0] == "The plan is not valid TOML")


@pytest.mark.parametrize("typed", ["1", "3, 7", "1-4", "1 to 3; 9", "5 5 5"])
def test_seeds_are_read_as_people_write_them(typed: str):
    from app.ui.editor_values import seeds_in

    wanted = {"1": (1,), "3, 7": (3, 7), "1-4": (1, 2, 3, 4), "1 to 3; 9": (1, 2, 3, 9), "5 5 5": (5,)}
    assert seeds_in(typed) == wanted[typed]
    for wrong in ("", "x", "1.5", "-3", "4-1", "99999999999999999999", "1-100000"):
        assert seeds_in(wrong) is None


def test_everything_that_takes_the_keyboard_has_a_name(lab):
    shown = lab()
    run_id = shown.store(PLAN, lambda place: "one")
    shown.show(run_id).run_view.grid.opened.emit(Place(0, 0, 0))
    put_together(shown)
    nameless = [
        widget
        for widget in shown.view.findChildren(QWidget)
        if widget.window() is shown.view.window()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not widget.accessibleName()
        and not (getattr(widget, "text", None) and callable(widget.text) and widget.text())
        and not widget.objectName().startswith("qt_")
    ]
    assert not nameless


def test_pirates_and_capitals_differ_on_the_real_model(lab):
    shown = lab(None)
    put_together(shown)
    shown.view.editor.start.click()
    shown.wait(lambda: shown.view.page is not None)
    shown.finish()
    cells = shown.view.page.opened.run.cells()
    loud, pirate = cells[Place(0, 0, 0)].text, cells[Place(1, 0, 0)].text
    assert loud == loud.upper()
    assert loud.lower() != pirate.lower()
    assert cells[Place(0, 0, 0)].provenance.model_name


def test_the_menu_of_a_row_exports_repeats_and_deletes(lab):
    shown = lab()
    run_id = shown.store(PLAN, lambda place: "one")
    menu = shown.view.menus.menu_for(run_id)
    words = [action.text() for action in menu.actions() if action.text()]
    assert words == ["Open", "Rename…", "Repeat with changes…", "Export", "Delete"]
    menu.actions()[2].trigger()
    shown.wait(lambda: shown.view.editor.isVisible())
    shown.view.go_back()
    menu.actions()[-1].trigger()
    assert shown.services.experiments.rows() == ()


@pytest.mark.parametrize("width", [400, 620, 900])
def test_it_fits_into_narrow_windows(lab, width: int):
    shown = lab(size=(width, 640))
    run_id = shown.store(PLAN, lambda place: "one")
    page = shown.show(run_id)
    shown.finish()
    assert shown.view.width() == width
    page.run_view.grid.opened.emit(Place(0, 0, 0))
    panel, grid = page.run_view.panel, page.run_view.grid
    assert panel.isVisible()
    assert grid.isVisible() is (width >= 800)
    panel.close_button.click()
    assert grid.isVisible()
    put_together(shown)
    assert shown.view.width() == width
    editor = shown.view.editor
    for part in (editor.start, editor.prompts.library, editor.questions.file, editor.model):
        right = part.mapTo(shown.view, part.rect().topRight()).x()
        assert right <= width, part.accessibleName()


def test_another_theme_is_put_on_everything(lab, qapp):
    shown = lab()
    page = shown.show(shown.store(PLAN, lambda place: "one *two*"))
    shown.finish()
    page.run_view.grid.opened.emit(Place(0, 0, 0))
    put_together(shown)
    shown.view.editor.checks._put(Check("stops"))
    dress(shown.view, looks.DARK)
    assert page.run_view.panel.answer.text == "one two"
    assert page.run_view.grid._prompts._theme is looks.DARK
    dress(shown.view, looks.LIGHT)


def test_the_whole_window_leads_to_an_experiment_and_from_it_into_columns(qtbot, open_window):
    stage = open_window(FAST)
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.keyClick(stage.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    lab = stage.space.pages.lab
    lab.tabs.setCurrentIndex(2)
    view = lab.view
    assert isinstance(view, ExperimentsView)
    view.begin_with(PLAN.contestants, PLAN.questions[:2])
    qtbot.waitUntil(view.editor.isVisible)
    view.editor.start.click()
    qtbot.waitUntil(lambda: view.page is not None and not view.page.opened.run.busy, timeout=20_000)
    view.page.run_view.grid.opened.emit(Place(1, 0, 0))
    view.page.run_view.panel.compare.click()
    assert lab.tabs.currentIndex() == 0
    assert [column.name.text() for column in lab.compare.columns] == ["Kind", "Terse"]
    lab.tabs.setCurrentIndex(2)
    qtbot.keyClick(lab, Qt.Key.Key_Escape)
    qtbot.keyClick(lab, Qt.Key.Key_Escape)
    assert view.home.isVisible()
    qtbot.keyClick(lab, Qt.Key.Key_Escape)
    assert stage.space.pages.shows_chat

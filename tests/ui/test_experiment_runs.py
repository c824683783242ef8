"""The run of an experiment in the window: watched, filtered, paused, asked again, compared and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt

from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Contestant, Judge, Place, Plan, Question, Threshold
from app.engine.scripted import Script
from app.services.comparison import Comparison
from app.services.experiments import RunState
from app.ui.experiment_page import facts_of
from app.ui.run_looks import Change, Shape, Which
from tests.ui.experimenting import FAST, PLAN, SLOW, put_together


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
    assert strip.missed.toolTip() == "Kind: check “Says one” passed 0.0%, at least 90.0% wanted"
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
    words = page.run_view.panel.duels.words.words
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
    shown.wait(lambda: not model._fill_timer.isActive())


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


def test_every_run_can_be_compared_with_however_many_there_are(lab):
    shown = lab()
    small = replace(PLAN, contestants=PLAN.contestants[:1], questions=PLAN.questions[:1])

    def fill(stores: Any) -> None:
        for at in range(35):
            row = stores.runs.create(replace(small, name=f"R{at}"))
            stores.runs.save(row.id, [Cell(Place(0, 0, 0), CellState.DONE, "one")])
            stores.runs.set_state(row.id, RunState.DONE)

    shown.services.ask(fill)
    page = shown.show(shown.store(PLAN, lambda place: "one"))
    names = {action.text() for action in page.list_earlier().actions()}
    assert {f"R{at}" for at in range(35)} <= names


def test_all_prompts_of_an_answer_go_into_columns(lab):
    shown = lab()
    page = shown.show(shown.store(PLAN, lambda place: "one"))
    asked: list[tuple[Any, ...]] = []
    shown.view.compare_asked.connect(lambda *told: asked.append(told))
    page.run_view.grid.opened.emit(Place(1, 0, 0))
    page.run_view.panel.compare.click()
    columns, question, values = asked[0]
    assert [one.name for one in columns] == ["Kind", "Terse"]
    assert values == {"max_tokens": 40, "seed": 1}
    assert columns[0].model_id == "starter"
    assert question == "Question 1"


def test_columns_of_an_answer_say_what_the_answers_say(lab):
    shown = lab(None)
    contestants = tuple(
        Contestant(name, f"{name} {{{{who}}}}.", overrides={"top_k": 400}) for name in ("Teach", "Greet")
    )
    wild = {"max_tokens": 24, "temperature": 2.0, "top_k": None, "top_p": None, "min_p": None}
    asked = Question("1", "Tell me a story.", system_prompt="You are {{nobody}}.")
    run_id = shown.store(Plan("Wild", "starter", contestants, (asked,), (5, 11), wild))
    shown.services.experiments.open(run_id, lambda opened: opened.run.start())
    shown.wait(lambda: shown.services.experiments.row(run_id).state is RunState.DONE)
    page = shown.show(run_id)
    shown.finish()
    told: list[tuple[Any, ...]] = []
    shown.view.compare_asked.connect(lambda *all_of_it: told.append(all_of_it))
    page.run_view.grid.opened.emit(Place(1, 0, 1))
    page.run_view.panel.compare.click()
    columns, question, values = told[0]
    comparison = Comparison(shown.services.models, shown.services.preferences, "another")
    comparison.set_overrides({"temperature": 0.1, "repeat_penalty": 1.5})
    comparison.set_variable("who", "Ada")
    assert comparison.replace(columns, values)
    assert comparison.ask(question)
    shown.wait(lambda: not comparison.busy)
    cells = page.opened.run.cells()
    answers = [column.exchanges[-1].text for column in comparison.columns()]
    assert answers == [cells[Place(1, 0, 1)].text, cells[Place(0, 0, 1)].text]
    assert answers[0] != cells[Place(1, 0, 0)].text, "the other seed says something else"


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

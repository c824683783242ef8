"""What prompts have to reach: put together in the form, kept true to names, told where it is missed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QComboBox

from app.core.judging import Duel
from app.core.lab import Check, Threshold
from tests.ui.experimenting import PLAN, put_together


def choose(box: QComboBox, words: str) -> None:
    """As a person does, who sees the words."""
    box.setCurrentText(words)
    box.activated.emit(box.currentIndex())


def test_thresholds_are_put_together_and_come_back_as_they_were(lab):
    shown = lab()
    put_together(shown)
    editor = shown.view.editor
    editor.checks.show_checks((Check("contains", {"texts": ["Arr"]}, "Says Arr"),))
    editor.checks.changed.emit()
    editor.thresholds.add.click()
    (row,) = editor.thresholds.rows
    assert editor.plan().thresholds == (Threshold("checks", 0.9),), "what most people want, to begin with"
    choose(row.measure, "Check: Says Arr")
    choose(row.prompt, "Prompt 2")
    row.low.setValue(66.5)
    assert editor.plan().thresholds == (Threshold("Says Arr", 0.665, "Prompt 2"),)
    plan = replace(editor.plan(), thresholds=(Threshold("answered", 1 / 3), Threshold("Says Arr", 1.0, "Prompt")))
    editor.show_plan(plan)
    assert editor.plan().thresholds == plan.thresholds, "digits that are not shown are kept"
    editor.thresholds.rows[0].remove.click()
    assert editor.plan().thresholds == plan.thresholds[1:]


def test_a_threshold_follows_a_new_name_and_says_so_where_what_it_is_on_is_gone(lab):
    shown = lab()
    editor = shown.view.editor
    shown.view.home.new.click()
    editor.show_plan(replace(PLAN, thresholds=(Threshold("Says one", 0.5, "Kind"),)))
    (row,) = editor.thresholds.rows
    editor.prompts.choose_row(1)
    for typed in ("Kinder", "Kindest"):
        editor.prompts.name.setText(typed)
        editor.prompts.name.textEdited.emit(typed)
    editor.checks.rows[0].label.setText("Says one thing")
    assert row.threshold == Threshold("Says one thing", 0.5, "Kindest")
    assert row.prompt.currentText() == "Kindest"
    assert not row.trouble()
    editor.prompts.remove.click()
    assert row.trouble() == "There is no prompt called “Kindest” any more."
    editor.start.click()
    assert shown.titles() == ["threshold 1 names no prompt: 'Kindest'"]
    choose(row.prompt, "Every prompt")
    assert not row.trouble()
    editor.checks.rows[0].remove.click()
    assert row.trouble() == "There is no check called “Says one thing” any more."


def type_name(editor: Any, at: int, *steps: str) -> None:
    editor.prompts.choose_row(at)
    for typed in steps:
        editor.prompts.name.setText(typed)
        editor.prompts.name.textEdited.emit(typed)


def test_a_name_that_is_another_one_on_its_way_takes_no_threshold_with_it(lab):
    shown = lab()
    put_together(shown)
    editor = shown.view.editor
    plan = replace(editor.plan(), thresholds=(Threshold("answered", 0.5, "Prompt"), Threshold("answered", 0.8125)))
    editor.show_plan(plan)
    type_name(editor, 1, "Prompt ", "Prompt", "Prompt B", "Prompt Be")
    assert editor.plan().thresholds == plan.thresholds
    type_name(editor, 0, "Prompt Be", "Prompt Bes", "Best")
    assert editor.plan().thresholds[0].contestant == "Best"
    editor.checks.show_checks((Check("stops", {}, "x"),))
    editor.checks.changed.emit()
    for typed in ("answere", "answered", "answered i", "answered in English"):
        editor.checks.rows[0].label.setText(typed)
    assert [one.measure for one in editor.plan().thresholds] == ["answered", "answered"]
    choose(editor.thresholds.rows[1].prompt, "Best")
    assert editor.plan().thresholds[1] == Threshold("answered", 0.8125, "Best"), "no digit was lost"


def test_tab_goes_through_the_thresholds_and_on_to_what_follows(lab):
    shown = lab()
    put_together(shown)
    editor = shown.view.editor
    editor.thresholds.add.click()
    editor.thresholds.add.click()
    first, second = editor.thresholds.rows
    assert first.remove.nextInFocusChain() is second.prompt
    assert second.remove.nextInFocusChain() is editor.thresholds.add


def test_who_rates_alone_may_ask_for_comparisons_won(lab):
    shown = lab()
    run_id = shown.store(replace(PLAN, thresholds=(Threshold("wins", 0.5, "Kind"),)), lambda place: "one")
    page = shown.show(run_id)
    shown.finish()
    assert page.opened.findings.missed() == [], "nobody has compared anything yet"
    shown.wait(lambda: page.opened.run.ballots.ready)
    assert page.opened.run.ballots.add(Duel(0, 0, 0, 1), 1.0)
    shown.wait(lambda: page.run_view.strip.missed.text() == "A threshold was missed")
    page.run_view.strip.missed.click()
    assert shown.titles() == ["A threshold was missed"]
    assert "Kind: comparisons won 0.0%, at least 50.0% wanted" in shown.view.notices.notices()[0].detail

"""What prompts have to reach: put together in the form, kept true to names, told where it is missed."""

from __future__ import annotations

from dataclasses import replace

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


def test_who_rates_alone_may_ask_for_comparisons_won(lab):
    shown = lab()
    run_id = shown.store(replace(PLAN, thresholds=(Threshold("wins", 0.5, "Kind"),)), lambda place: "one")
    page = shown.show(run_id)
    shown.finish()
    assert page.opened.findings.missed() == [], "nobody has compared anything yet"
    page.opened.run.ballots.add(Duel(0, 0, 0, 1), 1.0)
    shown.wait(lambda: page.run_view.strip.missed.text() == "A threshold was missed")
    page.run_view.strip.missed.click()
    assert shown.titles() == ["A threshold was missed"]
    assert "Kind: comparisons won 0.0%, at least 50.0% wanted" in shown.view.notices.notices()[0].detail

"""Where a model promises less than others, Compare, the form of an experiment and its page say so."""

from __future__ import annotations

from app.engine.scripted import Script
from app.ui.experiment_page import facts_of
from tests.ui.experimenting import put_together

BESIDE = "what it writes beside other answers may differ from what it writes alone"


def test_compare_says_it_as_soon_as_the_model_answers_more_than_one_column(qtbot, open_window):
    stage = open_window(Script(inexact="experts"))
    stage.space.pages.show_lab()
    page = stage.space.pages.lab.compare
    qtbot.waitUntil(lambda: len(page.columns) == 2)
    page.comparison.remove(1)
    assert page.comparison.ask("Hello")
    qtbot.waitUntil(lambda: not page.comparison.busy)
    assert page.comparison.columns()[0].exchanges[0].provenance.running["inexact"] == "experts"
    assert page._cautions.isHidden()
    page.bar.add.click()
    assert page._cautions.isVisible()
    assert f"is made of experts: {BESIDE}" in page._cautions.text()


def test_the_form_and_the_page_of_an_experiment_say_it(lab):
    shown = lab(Script(replies=("Yes.",), inexact="recurrent"))
    put_together(shown)
    editor, models = shown.view.editor, shown.services.models
    assert "The same seed gives the same text again on the CPU." in editor.values._note.text()
    models.prepare("starter")
    shown.wait(lambda: models.state("starter").facts is not None)
    editor.prompts.changed.emit()
    assert f"is recurrent: {BESIDE}" in editor.values._note.text()
    assert "The same seed gives" not in editor.values._note.text()
    assert f"is recurrent: {BESIDE}" in facts_of(editor.plan(), models)

"""The list of experiments, their names and files, and how the whole of it looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.core.lab import Check, Place
from app.ui import theme as looks
from app.ui.dressing import dress
from app.ui.experiments_view import ExperimentsView
from tests.ui.experimenting import FAST, PLAN, put_together


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

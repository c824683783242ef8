"""LoRA adapters in the model's panel: added, weighed, taken off, and an error where one does not fit."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from app.services.engine_room import Kind
from app.ui.adapters_panel import AdaptersPanel
from tests.engine.gguf_writer import lora_adapter


@pytest.fixture
def panel(qtbot, light):
    """A panel with someone who keeps its lines."""
    made = AdaptersPanel(light)
    made.changed.connect(made.show_lines)
    made.resize(320, 300)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_a_file_is_added_with_weight_1_and_only_once(panel):
    panel.add_file("/a b/pirate.gguf")
    panel.add_file("/a b/pirate.gguf")
    panel.add_file("/other.gguf")
    assert panel.lines() == ("1 /a b/pirate.gguf", "1 /other.gguf")


def test_a_weight_is_typed_within_0_and_2(qtbot, panel):
    panel.show_lines(("1 /pirate.gguf", "0.5 /other.gguf"))
    field = panel.rows[0].findChild(QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, "0.25")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.lines() == ("0.25 /pirate.gguf", "0.5 /other.gguf")
    field.selectAll()
    qtbot.keyClicks(field, "7")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.lines()[0] == "0.25 /pirate.gguf"
    assert panel.rows[0].findChild(QLineEdit) is field, "the field being typed in stays"


def test_an_adapter_is_taken_off(qtbot, panel):
    panel.show_lines(("1 /pirate.gguf", "0.5 /other.gguf"))
    assert panel.rows[0].remove.accessibleName() == "Take pirate.gguf off"
    qtbot.mouseClick(panel.rows[0].remove, Qt.MouseButton.LeftButton)
    assert panel.lines() == ("0.5 /other.gguf",)


def test_adapters_are_kept_for_the_model_and_one_that_does_not_fit_is_told(qtbot, open_window, starter, tmp_path):
    good = lora_adapter(tmp_path / "good.gguf", starter)
    wrong = lora_adapter(tmp_path / "wrong.gguf", starter, wider_by=32)
    stage = open_window(script=None)
    models, model_id = stage.services.models, stage.session.chat.model_id
    stage.space.inspector.tabs.setCurrentIndex(1)
    panel = stage.space.inspector.model
    panel.adapters.add_file(str(good))
    assert models.spec(model_id).loading.adapters == (f"1 {good}",)
    models.prepare(model_id)
    qtbot.waitUntil(lambda: bool((facts := models.state(model_id).facts) and facts.placement.adapters), timeout=20_000)
    panel.adapters.add_file(str(wrong))
    models.prepare(model_id)
    qtbot.waitUntil(lambda: "wrong.gguf" in panel._trouble.text(), timeout=20_000)
    assert models.state(model_id).kind is Kind.FAILED
    assert "incorrect shape" in panel._trouble.text()
    qtbot.mouseClick(panel.adapters.rows[1].remove, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.adapters.rows[0].remove, Qt.MouseButton.LeftButton)
    assert models.spec(model_id).loading.adapters == ()

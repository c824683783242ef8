"""Choosing a context to judge quants for."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy

from app.ui.context_chooser import ContextChooser


@pytest.fixture
def chooser(qtbot, light):
    made = ContextChooser()
    qtbot.addWidget(made)
    made.set_most(32_768)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_the_slider_goes_in_doublings_up_to_what_the_model_was_trained_for(qtbot, chooser):
    seen = []
    chooser.changed.connect(seen.append)
    qtbot.keyClick(chooser.slider, Qt.Key.Key_Home)
    for _ in range(10):
        qtbot.keyClick(chooser.slider, Qt.Key.Key_Right)
    assert seen == [1024, 2048, 4096, 8192, 16_384, 32_768]
    assert chooser.field.text() == "32,768"


def test_any_number_can_be_typed_and_too_large_ones_are_cut(qtbot, chooser):
    changed = QSignalSpy(chooser.changed)
    chooser.field.selectAll()
    qtbot.keyClicks(chooser.field, "5,000")
    qtbot.keyClick(chooser.field, Qt.Key.Key_Return)
    assert (chooser.value(), changed.count()) == (5000, 1)
    chooser.field.selectAll()
    qtbot.keyClicks(chooser.field, "99999999")
    qtbot.keyClick(chooser.field, Qt.Key.Key_Return)
    assert chooser.value() == 32_768
    chooser.field.selectAll()
    qtbot.keyClicks(chooser.field, "lots")
    qtbot.keyClick(chooser.field, Qt.Key.Key_Return)
    assert (chooser.value(), chooser.field.text()) == (32_768, "32,768")


@pytest.mark.parametrize("train", [512, 1024, 2000, 131_072, None])
def test_odd_trainings_have_a_whole_scale(chooser, train):
    chooser.set_most(train)
    assert chooser.value() <= (train or 131_072)
    chooser.slider.setValue(chooser.slider.maximum())
    assert chooser.value() == (train or 131_072)

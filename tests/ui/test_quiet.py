"""Editors under the wheel of somebody who scrolls by."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from app.ui.quiet import QuietComboBox, QuietDoubleSpinBox, QuietSlider
from app.ui.theme import DARK, LIGHT, apply


@pytest.mark.parametrize(
    ("kind", "value"), [(QuietSlider, "value"), (QuietComboBox, "currentIndex"), (QuietDoubleSpinBox, "value")]
)
def test_an_editor_leaves_the_wheel_to_its_page(qtbot, kind, value):
    editor = kind()
    qtbot.addWidget(editor)
    if kind is QuietComboBox:
        editor.addItems(["one", "two", "three"])
        editor.setCurrentIndex(1)
    else:
        editor.setValue(50)
    editor.show()
    qtbot.waitActive(editor)
    editor.setFocus()
    before = getattr(editor, value)()
    at = QPointF(editor.rect().center())
    turn = QWheelEvent(
        at,
        editor.mapToGlobal(at),
        QPoint(),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(editor, turn)
    # Qt does not hand made-up events on to parents: that this one was left is what can be seen
    assert not turn.isAccepted()
    assert getattr(editor, value)() == before


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_number_is_seen_whole(qtbot, theme):
    apply(QApplication.instance(), theme)
    editor = QuietDoubleSpinBox()
    qtbot.addWidget(editor)
    editor.setSuffix(" %")
    editor.setRange(0, 100)
    editor.setValue(100)
    editor.show()
    qtbot.waitExposed(editor)
    field, margins = editor.lineEdit(), editor.lineEdit().textMargins()
    room = field.width() - margins.left() - margins.right()
    assert field.fontMetrics().horizontalAdvance(editor.text()) < room <= editor.width()

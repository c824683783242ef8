"""Model files that are dropped on the window."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QTextBrowser, QWidget

from tests.ui.talking import say


def drop(window: QWidget, path: str) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path)])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(40, 40), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(40, 40), Qt.DropAction.CopyAction, data, buttons, keys))


def test_a_dropped_model_file_is_opened_and_chosen_for_the_chat(qtbot, open_window, tmp_path):
    stage = open_window()
    path = tmp_path / "some model.Q4_K_M.gguf"
    path.write_bytes(b"GGUF")
    drop(stage.window, str(path))
    qtbot.waitUntil(lambda: stage.session.chat.model_id == str(path))
    assert stage.space.page.header.picker.accessibleName().startswith("Model: some model.Q4_K_M")
    stage.space.inspector.tabs.setCurrentIndex(1)
    assert dict(stage.space.inspector.model.facts.facts())["Quant"] == "Q4_K_M"


def test_a_file_can_be_dropped_on_any_part_of_the_window(qtbot, open_window, tmp_path):
    stage = open_window()
    say(qtbot, stage, "hello")
    space = stage.space
    places = [
        space.page.composer.field.viewport(),
        space.page.header.title,
        space.page.transcript.viewport(),
        space.sidebar.search,
        space.sidebar.list.viewport(),
        space.inspector.chat.prompt.field.viewport(),
        *space.inspector.chat.form.findChildren(QLineEdit)[:1],
        *space.page.transcript.findChildren(QTextBrowser)[:1],
    ]
    for number, place in enumerate(places):
        path = tmp_path / f"model {number}.gguf"
        path.write_bytes(b"GGUF")
        drop(place, str(path))
        qtbot.waitUntil(lambda path=path: stage.session.chat.model_id == str(path))


def test_a_file_that_cannot_be_opened_is_told_with_a_way_out(qtbot, open_window, tmp_path):
    stage = open_window()
    drop(stage.window, str(tmp_path / "missing.gguf"))
    qtbot.waitUntil(lambda: stage.notices() == ["There is no such file"])
    assert [words for words, _ in stage.space.page.notices.notices()[0].actions] == ["Choose another file"]
    assert stage.session.chat.model_id == "starter"

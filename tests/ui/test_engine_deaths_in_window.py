"""The engine's process dies under the window: what the person sees, and what one click does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from app.engine.llama import load
from app.engine.loader import Loader
from app.engine.records import Records
from app.ui.local_card import LocalCard
from app.ui.model_panel import ModelPanel
from app.ui.notices import NoticeBar
from tests.engine.test_host import HOST

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the deaths here are signals")
DIES = {"at": 30, "how": "SIGABRT"}


@pytest.fixture
def opened(qtbot, build, open_window, tmp_path) -> Callable[..., Any]:
    """The window over a scripted engine in a process of its own, with a model that follows these orders."""

    def made(**orders: Any):
        path = tmp_path / "whales.gguf"
        path.write_text(json.dumps(orders))
        stage = open_window(services=build(loader=Loader(load, HOST, Records(tmp_path / "trials.json", "this one"))))
        stage.path = str(path)
        stage.services.models.open_file(stage.path)
        qtbot.waitUntil(lambda: stage.session.chat.model_id == stage.path, timeout=20_000)
        qtbot.waitUntil(lambda: stage.services.models.state(stage.path).kind in ("ready", "failed"), timeout=20_000)
        return stage

    return made


def ask(qtbot, stage) -> None:
    stage.session.send("Count.")
    qtbot.waitUntil(lambda: not stage.session.busy, timeout=20_000)


def press(qtbot, parent, words: str) -> QPushButton:
    button = next(b for b in parent.findChildren(QPushButton) if b.isVisible() and b.text() == words)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    return button


def bar(stage) -> NoticeBar:
    newest = stage.window.page.notices.notices()[0]
    return next(one for one in stage.window.findChildren(NoticeBar) if one.notice is newest)


def is_ready(stage) -> bool:
    return stage.services.models.state(stage.path).kind == "ready"


def test_one_click_copies_the_report_and_another_loads_the_model_again(qtbot, opened, caplog):
    stage = opened(**DIES)
    ask(qtbot, stage)
    report = bar(stage).notice.report
    assert report in caplog.text
    caplog.clear()
    button = press(qtbot, bar(stage), "Copy report")
    assert QGuiApplication.clipboard().text() == report
    assert button.text() == "Report copied"
    assert bar(stage).notice.report == report, "it stays, there is another button"
    assert stage.session.path()[-1].text.startswith("one two three")
    press(qtbot, bar(stage), "Load it again")
    qtbot.waitUntil(lambda: is_ready(stage), timeout=20_000)
    qtbot.waitUntil(lambda: stage.notices() == ["whales is loaded again"])


def test_the_models_page_tells_what_happened_and_loads_it_again(qtbot, opened, caplog):
    stage = opened(**DIES)
    ask(qtbot, stage)
    caplog.clear()
    stage.space.inspector.tabs.setCurrentIndex(1)
    panel = stage.window.findChild(ModelPanel)
    words = [label.text() for label in panel.findChildren(QLabel)]
    assert any("The engine stopped unexpectedly" in text for text in words)
    buttons = {button.text(): button for button in panel.findChildren(QPushButton)}
    assert not buttons["Copy report"].isHidden()
    buttons["Copy report"].click()
    assert "GGML_ASSERT" in QGuiApplication.clipboard().text()
    buttons["Load it again"].click()
    qtbot.waitUntil(lambda: is_ready(stage), timeout=20_000)
    qtbot.waitUntil(lambda: buttons["Load it again"].text() == "Unload")
    assert buttons["Copy report"].isHidden()


def test_a_file_that_was_put_aside_says_so_among_the_models_and_can_be_tried_once_more(qtbot, opened, caplog):
    stage = opened(trial={"at": 3, "how": "SIGABRT"})
    qtbot.waitUntil(lambda: stage.notices() == ["whales.gguf was put aside"])
    caplog.clear()
    stage.space.pages.show_models()
    page = stage.space.pages.models
    page.open_local(stage.path)
    card = page.findChild(LocalCard)
    assert any("put aside" in label.text() for label in card.findChildren(QLabel))
    (tmp := stage.services.database.parent / "whales.gguf").write_text(json.dumps({"fine": True}))
    assert str(tmp) == stage.path
    press(qtbot, card, "Try it once more")
    qtbot.waitUntil(lambda: is_ready(stage), timeout=20_000)
    qtbot.waitUntil(lambda: not any("put aside" in label.text() for label in card.findChildren(QLabel)))

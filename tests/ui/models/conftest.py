"""The model pages as the tests beside this want them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.engine.scripted import Script
from tests.ui.models.stage import ORCA, quant_files, rows


@pytest.fixture
def stage(qtbot, standin, build, open_window):
    """The window, with a Hub that has the catalogue's first model and some others."""
    standin.add(ORCA, quant_files("mistral-7b-openorca", b"GGUF" + bytes(60_000)))
    for number in range(3):
        standin.add(f"them/Some-Model-{number}-GGUF", {f"some-{number}.Q4_K_M.gguf": b"GGUF" + bytes([number])})
    services = build(Script())
    services.preferences.set_fetching("endpoint", standin.url)
    services.downloads.start()
    made = open_window(services=services, size=(1440, 900))
    qtbot.waitUntil(lambda: made.hub.fitting.machine is not None)
    return made


@pytest.fixture
def page(qtbot, stage):
    """The model pages, on screen."""
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert stage.space.pages.shows_models
    return stage.space.pages.models


@pytest.fixture
def downloaded(qtbot, stage, page):
    """The catalogue's first model, on this computer."""
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(rows(page.home.local)) == 2, timeout=15_000)
    return stage.services.model_library.models()[0]

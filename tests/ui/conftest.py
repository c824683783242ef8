"""The window over real services, with a scripted engine for speed; and themes for widgets on their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.engine.scripted import Script
from app.ui import theme as looks
from app.ui.fonts import load_fonts
from app.ui.main_window import MainWindow
from tests.services.conftest import Services, build

__all__ = ["build"]


@pytest.fixture
def light(qapp: QApplication) -> looks.Theme:
    """The light theme, put on."""
    load_fonts()
    looks.apply(qapp, looks.LIGHT)
    return looks.LIGHT


class Stage:
    """A window and what is below it."""

    def __init__(self, window: MainWindow, services: Services) -> None:
        self.window = window
        self.space = window.workspace
        self.services = services

    @property
    def session(self):
        return self.space.page.session

    def notices(self) -> list[str]:
        """The titles of the bars that are open, the newest first."""
        return [notice.title for notice in self.window.page.notices.notices()]


@pytest.fixture
def open_window(qtbot, build: Callable[..., Services], tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Open the window: `open_window()` with a scripted engine, `open_window(script=None)` with the starter model."""
    stages: list[Stage] = []

    def make(script: Script | None = Script(), size: tuple[int, int] = (1280, 820), services=None) -> Stage:  # noqa: B008
        services = services or build(script)
        window = MainWindow(
            services.library, services.models, services.preferences, settings_file=str(tmp_path / "window.ini")
        )
        window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        window.fill()
        qtbot.waitUntil(lambda: window.page.session is not None)
        stages.append(Stage(window, services))
        return stages[-1]

    yield make
    for stage in stages:
        stage.window.close()
        stage.window.deleteLater()

"""The library of prompts as the tests beside this want it."""

from __future__ import annotations

import pytest

from app.engine.scripted import Script
from app.ui.prompts_view import PromptsView
from tests.ui.prompts.stage import Desk


@pytest.fixture
def services(build):
    return build(Script(replies=("Yes.",)))


@pytest.fixture
def open_view(qtbot, light, services, hub_of):
    """Show the library; once more, as after a restart, with the same services."""
    hub = hub_of(services)

    def make(size: tuple[int, int] = (1180, 780)) -> Desk:
        view = PromptsView(services.library, hub, light)
        qtbot.addWidget(view)
        view.resize(*size)
        view.show()
        with qtbot.waitActive(view):
            view.activateWindow()
        view.enter()
        desk = Desk(qtbot, view, services, hub)
        desk.wait(lambda: hub.prompts.ready and bool(view.desk.key))
        return desk

    return make


@pytest.fixture
def desk(open_view) -> Desk:
    return open_view()

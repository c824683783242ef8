"""The window over real services, with a scripted engine for speed; and themes for widgets on their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.core.bundled_prompts import read_bundled_prompts
from app.core.devices import Device, DeviceKind
from app.core.fit import Machine, Needs
from app.core.hardware import Backend, BackendState, Findings, Hardware
from app.core.prompts import BundledPrompt
from app.core.verdicts import estimate
from app.engine.forecast import forecast
from app.engine.scripted import Script
from app.paths import find_paths
from app.services.fitting import Fitting
from app.services.hardware import HardwareWatch
from app.services.judging import Judging
from app.services.prompt_library import PromptLibrary
from app.ui import theme as looks
from app.ui.fonts import load_fonts
from app.ui.main_window import MainWindow
from app.ui.model_services import ModelServices
from tests.services.conftest import Services, build, known_models, standin
from tests.ui.experimenting import Lab, labs

__all__ = ["build", "standin"]

GIB = 1 << 30
HARDWARE = Hardware(
    "Ryzen 7 7700",
    8,
    16,
    ("SSE3", "AVX2", "AVX512"),
    16 << 30,
    24 << 30,
    (Device("CPU", "Ryzen 7 7700", DeviceKind.CPU, "CPU", 16 << 30, 24 << 30),),
    (
        Backend("CPU", BackendState.READY, "Built for SSE3, AVX2, AVX512."),
        Backend("CUDA", BackendState.ABSENT, "It is not part of this build of llama.cpp."),
        Backend("Vulkan", BackendState.REFUSED, "Only a slow software renderer answered (llvmpipe)."),
    ),
    "CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 1 |",
    1_700_000_000.0,
)
MACHINE = Machine(16 * GIB, 8, total_bytes=24 * GIB)
"""A computer with 16 GiB free and no GPU, so that verdicts are the same wherever the suite runs."""


@cache
def bundled_prompts() -> tuple[BundledPrompt, ...]:
    """The prompts that come with the app, read once: nothing changes them."""
    return read_bundled_prompts(find_paths().resources_dir, known_models().entries)


@pytest.fixture
def hub_of() -> Iterator[Callable[..., ModelServices]]:
    """What the model pages are built on, over services: `hub_of(services)`; `machine` is the computer."""
    made: list[Fitting | HardwareWatch | Judging] = []

    def watch(services: Services, machine: Machine) -> HardwareWatch:
        found = Findings(HARDWARE, machine.free_bytes, {})
        made.append(HardwareWatch(lambda _again: found, lambda: machine, forecast))
        return made[-1]

    def needs_of(path: str) -> Needs:
        return estimate(Path(path).stat().st_size)

    def make(services: Services, machine: Machine = MACHINE) -> ModelServices:
        fitting = Fitting(lambda: machine, needs_of)
        judging = Judging()
        made.extend((fitting, judging))
        return ModelServices(
            known_models().entries,
            services.model_library,
            services.downloads,
            services.discover,
            fitting,
            services.models,
            services.preferences,
            lambda: services.access.endpoint,
            watch(services, machine),
            PromptLibrary(services.archive, bundled_prompts()),
            services.experiments,
            judging,
            services.library.origins,
        )

    yield make
    for fitting in made:
        assert fitting.close()


@pytest.fixture
def light(qapp: QApplication) -> looks.Theme:
    """The light theme, put on."""
    load_fonts()
    looks.apply(qapp, looks.LIGHT)
    return looks.LIGHT


class Stage:
    """A window and what is below it."""

    def __init__(self, window: MainWindow, services: Services, hub: ModelServices) -> None:
        self.window = window
        self.hub = hub
        self.space = window.workspace
        self.services = services

    @property
    def session(self):
        return self.space.page.session

    def notices(self) -> list[str]:
        """The titles of the bars that are open, the newest first."""
        return [notice.title for notice in self.window.page.notices.notices()]


@pytest.fixture
def open_window(qtbot, build: Callable[..., Services], hub_of, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Open the window: `open_window()` with a scripted engine, `open_window(script=None)` with the starter model."""
    stages: list[Stage] = []

    def make(
        script: Script | None = Script(),  # noqa: B008
        size: tuple[int, int] = (1280, 820),
        services: Services | None = None,
        machine: Machine = MACHINE,
    ) -> Stage:
        services = services or build(script)
        hub = hub_of(services, machine)
        window = MainWindow(
            services.library, services.models, services.preferences, hub, settings_file=str(tmp_path / "window.ini")
        )
        window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        window.fill()
        qtbot.waitUntil(lambda: window.page.session is not None)
        stages.append(Stage(window, services, hub))
        return stages[-1]

    yield make
    for stage in stages:
        stage.window.close()
        stage.window.deleteLater()


@pytest.fixture
def lab(qtbot, build: Callable[..., Services], hub_of, light) -> Iterator[Callable[..., Lab]]:
    """`lab(script)`: the view of experiments in a window of its own; None for the real starter model."""
    yield from labs(qtbot, build, hub_of, light)

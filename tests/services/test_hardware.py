"""The hardware in the window: looked at on a worker, remembered, and asked what Auto would come to."""

from __future__ import annotations

import threading

import pytest

from app.core.fit import Machine
from app.core.hardware import Findings, Hardware
from app.core.options import Loading
from app.engine.forecast import forecast
from app.services.hardware import HardwareWatch

GB = 10**9
MACHINE = Machine(9 * GB, 8)


@pytest.fixture
def made(qtbot):
    open_ones = []

    def make(look=lambda _again: Findings(Hardware("Ryzen", 8, 16), 9 * GB, {}), machine=MACHINE, find=forecast):
        open_ones.append(HardwareWatch(look, lambda: machine, find))
        return open_ones[-1]

    yield make
    assert all(watch.close() for watch in open_ones)


def test_a_slow_driver_never_holds_up_the_window(made, qtbot):
    may_go_on = threading.Event()
    asked: list[bool] = []

    def look(again: bool) -> Findings:
        asked.append(again)
        may_go_on.wait(300)
        return Findings(Hardware("Ryzen", 8, 16), 9 * GB, {})

    watch = made(look)
    watch.refresh(again=True)
    watch.refresh()
    assert watch.is_looking
    assert watch.look is None
    may_go_on.set()
    qtbot.waitUntil(lambda: not watch.is_looking)
    assert watch.look.hardware.cpu == "Ryzen"
    assert watch.machine == MACHINE
    assert asked == [True], "one look at a time"


def test_what_auto_comes_to_is_worked_out_from_the_file(made, qtbot, starter):
    watch = made()
    with qtbot.waitSignal(watch.forecast_made) as told:
        assert watch.forecast(str(starter), Loading()) is None
    assert told.args == [str(starter)]
    found = watch.forecast(str(starter), Loading())
    assert (found.n_ctx, found.gpu_layers, found.threads, found.kv_type) == (2048, 0, 1, "f16")
    assert found.mmap
    assert found.needs.n_layers == found.n_layers == 5


def test_what_is_set_differs_from_what_is_automatic(made, qtbot, starter):
    watch = made()
    for loading in (Loading(), Loading(context_tokens=512)):
        with qtbot.waitSignal(watch.forecast_made):
            watch.forecast(str(starter), loading)
    assert watch.forecast(str(starter), Loading()).n_ctx == 2048
    assert watch.forecast(str(starter), Loading(context_tokens=512)).n_ctx == 512


def test_a_file_that_cannot_be_loaded_tells_why(made, qtbot, starter, tmp_path):
    watch = made(machine=Machine(10_000_000, 2))
    for path in (str(tmp_path / "gone.gguf"), str(starter)):
        with qtbot.waitSignal(watch.forecast_made):
            watch.forecast(path, Loading())
    assert "is not there" in watch.forecast(str(tmp_path / "gone.gguf"), Loading()).trouble
    assert "does not fit in memory" in watch.forecast(str(starter), Loading()).trouble


def test_a_new_look_makes_new_forecasts(made, qtbot, starter):
    watch = made()
    with qtbot.waitSignal(watch.forecast_made):
        watch.forecast(str(starter), Loading())
    watch.refresh()
    qtbot.waitUntil(lambda: not watch.is_looking)
    with qtbot.waitSignal(watch.forecast_made):
        assert watch.forecast(str(starter), Loading()) is None

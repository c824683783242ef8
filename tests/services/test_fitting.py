"""Verdicts in the window: at once, then better, never in the window's way."""

from __future__ import annotations

import threading

import pytest

from app.core.errors import ModelFileError
from app.core.fit import Machine
from app.core.library import Quant, RemoteFile
from app.core.options import Loading
from app.core.verdicts import Fit
from app.engine.llama import this_machine
from app.engine.model_file import inspect
from app.engine.plan import needs_of
from app.services.fitting import Fitting

GB = 10**9
GPU = Machine(9 * GB, 8, True, 7 * GB, 16 * GB, 8 * GB, "RTX 4060")


def header(path: str):
    return needs_of(inspect(path), Loading())


@pytest.fixture
def made(qtbot):
    open_ones = []

    def make(look=lambda: GPU, needs=header) -> Fitting:
        open_ones.append(Fitting(look, needs))
        return open_ones[-1]

    yield make
    assert all(fitting.close() for fitting in open_ones)


@pytest.fixture
def fitting(made, qtbot):
    fitting = made()
    with qtbot.waitSignal(fitting.changed):
        fitting.refresh()
    return fitting


def test_before_the_machine_was_looked_at_nothing_is_promised(made, qtbot):
    fitting = made()
    with qtbot.waitSignal(fitting.changed):
        assert fitting.verdict(4 * GB).fit is Fit.UNKNOWN
    assert fitting.verdict(4 * GB).fit is Fit.GPU


def test_a_slow_look_never_holds_up_the_window(made, qtbot):
    may_go_on = threading.Event()

    def look() -> Machine:
        may_go_on.wait(300)
        return GPU

    fitting = made(look)
    fitting.refresh()
    fitting.refresh()
    assert fitting.verdict(4 * GB).fit is Fit.UNKNOWN
    assert "Looking" in fitting.machine_words()
    with qtbot.waitSignal(fitting.changed):
        may_go_on.set()


def test_memory_that_was_taken_meanwhile_changes_the_verdict(made, qtbot):
    found = [Machine(9 * GB, 8), Machine(3 * GB, 8)]
    fitting = made(lambda: found.pop(0))
    for expected in (Fit.MEMORY, Fit.TOO_BIG):
        with qtbot.waitSignal(fitting.changed):
            fitting.refresh()
        qtbot.waitUntil(lambda: not fitting._looking)
        assert fitting.verdict(4 * GB).fit is expected


def test_a_file_on_disk_is_judged_by_its_own_header(fitting, starter, qtbot):
    size = starter.stat().st_size
    with qtbot.waitSignal(fitting.changed):
        assert fitting.verdict(size, path=str(starter)).estimated
    found = fitting.verdict(size, path=str(starter))
    assert not found.estimated
    assert found.n_layers == inspect(str(starter)).n_layers
    assert found.needed_bytes < 200_000_000


def test_an_unreadable_file_is_judged_by_its_size(fitting, tmp_path, qtbot):
    with pytest.raises(ModelFileError):
        header(str(tmp_path / "gone.gguf"))
    assert fitting.verdict(4 * GB, path=str(tmp_path / "gone.gguf")).estimated
    qtbot.waitUntil(lambda: fitting._lane.is_idle)
    assert fitting.verdict(4 * GB, path=str(tmp_path / "gone.gguf")).estimated


def test_a_model_trained_for_less_is_judged_with_less(fitting):
    short = fitting.verdict(4 * GB, n_params=7_240_000_000, n_ctx_train=2048)
    assert short.needed_bytes < fitting.verdict(4 * GB, n_params=7_240_000_000).needed_bytes


def test_the_computer_in_a_line(fitting, made, qtbot):
    assert fitting.machine_words() == "RTX 4060, 7.5 GiB, 6.5 GiB free · memory 14.9 GiB, 8.4 GiB free"
    plain = made(lambda: Machine(9 * GB, 8))
    with qtbot.waitSignal(plain.changed):
        plain.refresh()
    assert plain.machine_words() == "memory 8.4 GiB free · no GPU that llama.cpp can use"


def test_one_quant_is_recommended(fitting):
    quants = [Quant(label, (RemoteFile(f"{label}.gguf", int(size * GB), "0" * 64),), bits)
              for label, size, bits in (("Q2_K", 3.08, 2.6), ("Q4_K_M", 4.37, 4.85), ("Q8_0", 7.7, 8.5))]  # fmt: skip
    assert fitting.recommended(quants, n_params=7_240_000_000).label == "Q4_K_M"
    assert fitting.recommended([]) is None


def test_this_very_computer_is_told_in_a_line(made, qtbot):
    fitting = made(this_machine)
    with qtbot.waitSignal(fitting.changed, timeout=20_000):
        fitting.refresh()
    assert "memory" in fitting.machine_words()
    assert (fitting.machine.total_bytes or 0) >= (fitting.machine.free_bytes or 0) > 0

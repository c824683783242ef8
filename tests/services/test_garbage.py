"""The cycle collector never runs in a worker: it would destroy Qt objects outside their thread."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

from app.core.stopping import StopFlag
from app.services.garbage import GarbageCollector, collect_if_due, put_aside
from app.services.lane import Lane


class Cycle:
    """Can only go by the collector, and tells in which thread it went."""

    went_in: list[int] = []

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        self.went_in.append(threading.get_ident())


def test_cycles_made_in_a_worker_go_in_the_gui_thread(qtbot):
    Cycle.went_in.clear()
    collector = GarbageCollector()
    lane = Lane("test")

    def job(stop: StopFlag) -> Iterator[object]:
        for _ in range(20_000):
            Cycle()
        yield None

    done: list[object] = []
    lane.submit(job).ended.connect(done.append)
    qtbot.waitUntil(lambda: bool(done))
    assert not Cycle.went_in, "nothing was collected in the worker"
    collect_if_due()
    gc.collect()
    assert set(Cycle.went_in) == {threading.get_ident()}
    assert len(Cycle.went_in) == 20_000
    lane.close()
    collector.deleteLater()


def test_later_collections_pass_over_what_was_put_aside():
    standing, Cycle.went_in[:] = Cycle(), []
    put_aside()
    try:
        tracked = len(gc.get_objects())
        Cycle()
        assert gc.get_freeze_count() > 50_000
        assert tracked < 10_000
        gc.collect()
        assert len(Cycle.went_in) == 1, "what came later still goes"
        del standing
        gc.collect()
        assert len(Cycle.went_in) == 1, "what was put aside is not looked at"
    finally:
        gc.unfreeze()
    gc.collect()
    assert len(Cycle.went_in) == 2


def test_the_collector_puts_the_program_aside_once_it_stands(qtbot, monkeypatch):
    monkeypatch.setattr("app.services.garbage._SETTLED_MS", 1)
    gc.unfreeze()
    collector = GarbageCollector()
    try:
        qtbot.waitUntil(lambda: gc.get_freeze_count() > 50_000)
    finally:
        gc.unfreeze()
        collector.deleteLater()

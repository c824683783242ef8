"""Lanes: order, ends, back-pressure, stopping, and that only the GUI thread hears of anything."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from app.core.errors import AppError, EngineError
from app.core.stopping import StopFlag
from app.services.lane import End, Lane, Outcome, Ticket


@pytest.fixture
def lane(qtbot) -> Iterator[Lane]:
    made = Lane("test")
    yield made
    made.close()
    made.deleteLater()


class Heard:
    """What a ticket told, and on which threads."""

    def __init__(self, ticket: Ticket) -> None:
        self.items: list[object] = []
        self.outcome: Outcome | None = None
        self.threads: set[int] = set()
        ticket.items.connect(self._items)
        ticket.ended.connect(self._ended)

    def _items(self, batch: tuple[object, ...]) -> None:
        assert self.outcome is None, "nothing comes after the end"
        self.threads.add(threading.get_ident())
        self.items.extend(batch)

    def _ended(self, outcome: Outcome) -> None:
        assert self.outcome is None, "a job ends once"
        self.threads.add(threading.get_ident())
        self.outcome = outcome


def counting(count: int):
    def job(stop: StopFlag) -> Iterator[object]:
        yield from range(count)

    return job


def test_a_job_hands_over_everything_in_order_and_finishes(lane, qtbot):
    heard = Heard(lane.submit(counting(10_000)))
    qtbot.waitUntil(lambda: heard.outcome is not None)
    assert heard.items == list(range(10_000))
    assert heard.outcome == Outcome(End.FINISHED)


def test_everything_is_heard_in_the_gui_thread_though_the_work_runs_in_another(lane, qtbot):
    def job(stop: StopFlag) -> Iterator[object]:
        yield threading.get_ident()

    heard = Heard(lane.submit(job))
    qtbot.waitUntil(lambda: heard.outcome is not None)
    assert heard.threads == {threading.get_ident()}
    assert heard.items[0] != threading.get_ident()


def test_jobs_run_one_after_the_other(lane, qtbot):
    order: list[str] = []

    def job(name: str):
        def work(stop: StopFlag) -> Iterator[object]:
            order.append(f"{name} begins")
            yield name
            order.append(f"{name} ends")

        return work

    heard = [Heard(lane.submit(job(name))) for name in "abc"]
    qtbot.waitUntil(lambda: heard[-1].outcome is not None)
    assert order == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


def test_a_stopped_job_ends_as_stopped_and_keeps_what_came(lane, qtbot):
    def endless(stop: StopFlag) -> Iterator[object]:
        while not stop.is_set():
            yield "x"

    ticket = lane.submit(endless)
    heard = Heard(ticket)
    qtbot.waitUntil(lambda: bool(heard.items))
    ticket.cancel()
    qtbot.waitUntil(lambda: heard.outcome is not None)
    assert heard.outcome == Outcome(End.STOPPED)


def test_a_job_that_is_stopped_before_its_turn_never_begins(lane, qtbot):
    gate = threading.Event()
    began = []

    def waits(stop: StopFlag) -> Iterator[object]:
        gate.wait(300)
        yield None

    def never(stop: StopFlag) -> Iterator[object]:
        began.append(True)
        yield None

    lane.submit(waits)
    ticket = lane.submit(never)
    heard = Heard(ticket)
    ticket.cancel()
    gate.set()
    qtbot.waitUntil(lambda: heard.outcome is not None)
    assert heard.outcome == Outcome(End.STOPPED)
    assert not began


def test_a_foreseen_error_arrives_as_it_is_after_what_came_before(lane, qtbot):
    error = EngineError("It failed", "somewhere", "Try again")

    def job(stop: StopFlag) -> Iterator[object]:
        yield "before"
        raise error

    heard = Heard(lane.submit(job))
    qtbot.waitUntil(lambda: heard.outcome is not None)
    assert heard.items == ["before"]
    assert heard.outcome == Outcome(End.FAILED, error)


def test_an_unforeseen_error_becomes_a_sentence_and_the_lane_goes_on(lane, qtbot, caplog):
    def job(stop: StopFlag) -> Iterator[object]:
        yield 1 / 0

    heard = Heard(lane.submit(job))
    after = Heard(lane.submit(counting(1)))
    qtbot.waitUntil(lambda: after.outcome is not None)
    assert heard.outcome is not None
    assert heard.outcome.end is End.FAILED
    assert isinstance(heard.outcome.error, AppError)
    assert heard.outcome.error.hint
    assert after.outcome == Outcome(End.FINISHED)
    caplog.clear()


def test_a_late_window_slows_the_worker_down_instead_of_filling_memory(lane, qtbot):
    produced = []

    def job(stop: StopFlag) -> Iterator[object]:
        for number in range(20_000):
            produced.append(number)
            yield number

    heard = Heard(lane.submit(job))
    for _ in range(200):  # the event loop does not run: nothing is taken away
        if len(produced) >= 4096:
            break
        threading.Event().wait(0.01)
    threading.Event().wait(0.05)
    assert len(produced) <= 4096 + 2
    qtbot.waitUntil(lambda: heard.outcome is not None)
    assert heard.items == list(range(20_000))


def test_closing_stops_what_runs_even_when_nobody_takes_its_items(qtbot):
    lane = Lane("test")
    begun = threading.Event()

    def flood(stop: StopFlag) -> Iterator[object]:
        while not stop.is_set():
            begun.set()
            yield "x"

    lane.submit(flood)
    assert begun.wait(300)
    assert lane.close(300)


def test_draining_finishes_what_was_asked_and_tells(qtbot):
    lane = Lane("test")
    heard = [Heard(lane.submit(counting(3))) for _ in range(5)]
    assert lane.drain(300)
    assert [one.outcome for one in heard] == [Outcome(End.FINISHED)] * 5


def test_what_a_job_holds_on_to_goes_in_the_gui_thread(lane, qtbot):
    went_in: list[int] = []

    class Held:
        def __del__(self) -> None:
            went_in.append(threading.get_ident())

    def submit_one() -> Ticket:
        held = Held()

        def job(stop: StopFlag) -> Iterator[object]:
            yield id(held)

        return lane.submit(job)

    for _ in range(50):
        heard = Heard(submit_one())
        qtbot.waitUntil(lambda heard=heard: heard.outcome is not None)
        del heard
    qtbot.waitUntil(lambda: lane.is_idle)
    qtbot.waitUntil(lambda: gc.collect() >= 0 and len(went_in) == 50)
    assert set(went_in) == {threading.get_ident()}


def test_a_ticket_goes_with_all_that_its_job_was_about_though_who_listens_knows_it(lane, qtbot):
    class Conversation:
        """Something large."""

    heard: list[bool] = []

    def ask() -> tuple[weakref.ref[Conversation], weakref.ref[Ticket]]:
        about = Conversation()

        def job(stop: StopFlag) -> Iterator[object]:
            yield id(about)

        ticket = lane.submit(job)
        ticket.items.connect(lambda _items: ticket.is_over)
        ticket.ended.connect(lambda _outcome: heard.append(ticket.is_over))
        return weakref.ref(about), weakref.ref(ticket)

    about, ticket = ask()
    qtbot.waitUntil(lambda: heard == [True])
    qtbot.waitUntil(lambda: not lane._tickets)
    gc.collect()
    assert about() is None
    assert ticket() is None

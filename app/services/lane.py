"""Lanes: the only place where threads start, and the only border between them and the window.

A lane is one plain thread that runs jobs in order. A job is a function that gets a StopFlag and returns a generator;
what it yields waits in a bounded queue, and a timer in the GUI thread empties the queue some thirty times a second and
emits it. Nothing in a worker ever touches Qt, so no signal ever crosses a thread.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import AppError
from app.core.secrets import without_secrets
from app.core.stopping import StopFlag

log = logging.getLogger(__name__)

Job = Callable[[StopFlag], Iterator[object]]

FLUSH_MS = 33
"""Faster gives the eye nothing and costs CPU: 33 ms takes 12 % where 16 ms takes 17 %, with fewer late frames."""

_QUEUE_ITEMS = 4096
"""Enough for two seconds of the fastest model; when the window is later than that, the worker waits."""


class End(StrEnum):
    """How a job ended; every job ends in exactly one of these."""

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a job; `error` is set exactly when it failed."""

    end: End
    error: AppError | None = None


class Ticket(QObject):
    """One job's handle in the GUI thread.

    Signals:
        items(tuple): what the job yielded since the last time, in order.
        ended(Outcome): once, after the last items.
    """

    items = Signal(tuple)
    ended = Signal(object)

    def __init__(self, job: Job) -> None:
        # No parent: what the job holds on to may be all that keeps the lane, which would delete its child once more
        super().__init__()
        # so that there is always something to let go of: asking whether there is would leak a reference each time
        self.items.connect(_hear_nothing)
        self.ended.connect(_hear_nothing)
        self._job = job
        self._stop = StopFlag()
        self._queue: queue.Queue[object] = queue.Queue(_QUEUE_ITEMS)
        self._outcome: Outcome | None = None
        self._delivered = False

    @property
    def is_over(self) -> bool:
        """Whether `ended` was emitted."""
        return self._delivered

    def cancel(self) -> None:
        """Ask the job to end; it ends as STOPPED, unless it was done already."""
        self._stop.set()

    def run_in_worker(self) -> None:
        """Run the job to its end. Called by the lane's thread; touches nothing of Qt."""
        try:
            if not self._stop.is_set():
                for item in self._job(self._stop):
                    self._put(item)
            end = Outcome(End.STOPPED if self._stop.is_set() else End.FINISHED)
        except AppError as error:
            end = Outcome(End.FAILED, error)
        except Exception as error:  # the border: whatever a job throws must not take the lane down
            log.exception("A job failed in a way nobody foresaw")
            end = Outcome(End.FAILED, unforeseen(error))
        self._outcome = end

    def deliver(self) -> bool:
        """Emit what has come; GUI thread. Returns whether this job is over."""
        if self._delivered:
            return True
        outcome = self._outcome  # read before draining, so that nothing comes after the end
        batch = []
        while True:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        if batch:
            self.items.emit(tuple(batch))
        if outcome is not None and not self._delivered:
            self._delivered = True
            self.ended.emit(outcome)
        return self._delivered

    def release(self) -> None:
        """Let go of the job, and of who listened; GUI thread, once it is over.

        Qt keeps whatever a signal is connected to as long as the sender lives. Most listeners know their ticket, so
        that neither would ever go, with all that the job was about.
        """
        self._job = _nothing
        for signal in (self.items, self.ended):
            signal.disconnect()

    def _put(self, item: object) -> None:
        while True:
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                # A closed window never empties the queue: without this the thread would wait for ever
                if self._stop.is_set():
                    return
            else:
                return


def _hear_nothing(_told: object) -> None:
    pass


def _nothing(stop: StopFlag) -> Iterator[object]:
    del stop
    return iter(())


def unforeseen(error: BaseException) -> AppError:
    """Our own mistake, in words for the person; the log has the rest."""
    return AppError(
        "Something went wrong inside Orcinus",
        without_secrets(f"{type(error).__name__}: {error}")[:300],
        "Nothing that was saved is lost. Please try again; the log file has the details.",
    )


class Lane(QObject):
    """One worker thread and its jobs, in order. Lives in the GUI thread."""

    def __init__(self, name: str, parent: QObject | None = None, *, flush_ms: int = FLUSH_MS) -> None:
        super().__init__(parent)
        self._name = name
        self._jobs: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._tickets: list[Ticket] = []
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(flush_ms)
        self._timer.timeout.connect(self._flush)
        self._closed = False
        self._let_go = threading.Semaphore(0)

    def submit(self, job: Job) -> Ticket:
        """Queue a job. Connect to the ticket at once: it emits nothing before the event loop runs again."""
        ticket = Ticket(job)
        self._tickets.append(ticket)
        if self._closed:
            ticket.cancel()
            ticket.run_in_worker()
            self._let_go.release()
        else:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._jobs.put(ticket)
        if not self._timer.isActive():
            self._timer.start()
        return ticket

    @property
    def is_idle(self) -> bool:
        """Whether no job waits or runs and everything was emitted."""
        return all(ticket.is_over for ticket in self._tickets)

    def drain(self, timeout_s: float) -> bool:
        """Wait for all jobs without stopping them and emit their results; for the end of the program only."""
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)
        ended = self._thread is None or not self._thread.is_alive()
        self._closed = True
        self._thread = None if ended else self._thread
        self._flush()
        return ended

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop what runs, drop what waits, and wait for the thread to end. Returns whether it did."""
        for ticket in self._tickets:
            ticket.cancel()
        ended = self.drain(timeout_s)
        self._timer.stop()
        return ended

    def _work(self) -> None:
        while (ticket := self._jobs.get()) is not None:
            ticket.run_in_worker()
            del ticket  # see _forget
            self._let_go.release()

    def _flush(self) -> None:
        for ticket in tuple(self._tickets):
            if not ticket.deliver():
                break  # jobs run in order: nothing after the first that is not over can have anything
        self._forget()

    def _forget(self) -> None:
        """Drop the tickets that are over and that the worker has let go of.

        Whoever drops the last reference to a job destroys what it holds on to, Qt objects among it: that must be this
        thread.
        """
        while self._tickets and self._tickets[0].is_over and self._let_go.acquire(blocking=False):
            self._tickets.pop(0).release()
        if not self._tickets:
            self._timer.stop()

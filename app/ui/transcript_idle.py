"""Work for the moments in between: colouring long code and laying out long texts, a few milliseconds at a time."""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUDGET_S = 0.004


class IdleWork(QObject):
    """Runs iterators step by step in the GUI thread whenever the event loop has nothing else to do."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: deque[tuple[object, Iterator[None]]] = deque()
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._work)

    def add(self, owner: object, steps: Iterator[None]) -> None:
        """Queue `steps`; `owner` can call them off."""
        self._jobs.append((owner, steps))
        self._timer.start()

    def cancel(self, owner: object) -> None:
        """Drop all that `owner` queued; must be called before what the steps write to goes away."""
        self._jobs = deque(job for job in self._jobs if job[0] is not owner)

    def waits_for(self, owner: object) -> bool:
        """Whether something of `owner` is still to be done."""
        return any(job[0] is owner for job in self._jobs)

    @Slot()
    def _work(self) -> None:
        until = perf_counter() + _BUDGET_S
        while self._jobs and perf_counter() < until:
            owner, steps = self._jobs.popleft()
            for _ in steps:
                if perf_counter() >= until:
                    self._jobs.appendleft((owner, steps))
                    return
        if not self._jobs:
            self._timer.stop()

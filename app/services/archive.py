"""All reading and writing of what lasts happens on one lane, in order: the window never waits for the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.stopping import StopFlag
from app.services.lane import Lane, Outcome

Stores = TypeVar("Stores")
Result = TypeVar("Result")

_FLUSH_MS = 5
"""A saved message shows at once; the timer only runs while something is being saved or read."""


class Archive(QObject, Generic[Stores]):
    """The stores, reachable from the GUI thread by asking for work to be done with them.

    Signals:
        failed(AppError): something could not be read or saved, and whoever asked does not handle it.
    """

    failed = Signal(object)

    def __init__(self, open_stores: Callable[[], Stores], parent: QObject | None = None) -> None:
        """`open_stores` is called on the lane, before the first piece of work."""
        super().__init__(parent)
        self._open_stores = open_stores
        self._stores: Stores | None = None
        self._lane = Lane("storage", self, flush_ms=_FLUSH_MS)

    def ask(
        self,
        work: Callable[[Stores], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[AppError], None] | None = None,
    ) -> None:
        """Do `work` on the lane; then call `then` with its result in the GUI thread, or `failed` with its error."""

        def job(stop: StopFlag) -> Iterator[object]:
            del stop  # what was asked of the disk is always carried out
            yield work(self._opened())

        def items(batch: tuple[Any, ...]) -> None:
            if then is not None:
                then(batch[0])

        def ended(outcome: Outcome) -> None:
            if outcome.error is not None:
                (failed or self.failed.emit)(outcome.error)

        ticket = self._lane.submit(job)
        ticket.items.connect(items)
        ticket.ended.connect(ended)

    def close(self, close_stores: Callable[[Stores], None], timeout_s: float = 10.0) -> bool:
        """Finish all that was asked, then close the stores; for the end of the program. Whether it was in time."""
        self.ask(close_stores)
        return self._lane.drain(timeout_s)

    def _opened(self) -> Stores:
        if self._stores is None:
            self._stores = self._open_stores()
        return self._stores

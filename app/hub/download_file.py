"""One file's download: several connections that fetch spans of it, and what happens when they fail."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from app.core.errors import AppError, HubUnreachableError
from app.hub.download_source import Address, Passing, Source
from app.hub.part_file import Part
from app.hub.ranges import MIB, Span, next_span, span_bytes

_REACH = 256 * MIB
"""So far ahead of the part a span may begin: what lies ahead is on disk twice while it is moved."""
_PROGRESS = 64 * 1024
"""A try that brought so much was none in vain: the next one comes at once."""
_FAST = 64 * MIB
"""Bytes a second that one connection carries when more of them would bring nothing but work."""
_WATCH_S = 0.25
_TRICKLE = 1024
"""Bytes a second under which a connection counts as dead."""
_LAGGARD = 16
"""A connection so many times slower than is usual is given up for a new one."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: before a new try the first time and at most, and for a connection that brings nothing."""

    first_s: float = 1.0
    longest_s: float = 30.0
    stall_s: float = 20.0

    def delay_s(self, failures: int) -> float:
        """Before the next try, after so many failures in a row (>= 1)."""
        return float(min(self.longest_s, self.first_s * 2 ** min(failures - 1, 20)) * random.uniform(0.75, 1.0))


@dataclass(eq=False, slots=True)
class _Worker:
    """One connection's state."""

    address: Address | None = None
    worn: Address | None = None
    span: Span | None = None
    failures: int = 0
    rate: float = 0.0
    """Bytes a second of the last span; 0 before there was one."""
    waits_until: float = 0.0
    """By the monotonic clock; 0 while it does not wait."""
    trouble: AppError | None = None
    limit: asyncio.Timeout | None = None
    """Of the request that runs."""
    watched_from: float = 0.0
    watched_bytes: int = 0


class FileDownload:
    """Fetches what a part lacks. `nudge` ends every wait; the properties tell how it goes."""

    def __init__(self, source: Source, part: Part, connections: int, patience: Patience) -> None:
        self._source = source
        self._part = part
        self._size = part.size
        self._most = max(1, connections)
        self._patience = patience
        self._workers: list[_Worker] = []
        self._changed = asyncio.Event()
        self._nudged = asyncio.Event()
        self._kept = asyncio.Event()
        self._whole_file = False
        self._grow_after = 0.0
        self._failed_growths = 0
        self._came = 0
        self._usual_rate = 0.0
        """Bytes a second of a connection, over the last spans."""

    @property
    def trouble(self) -> AppError | None:
        """Why everything waits; None while anything moves."""
        waiting = [worker for worker in self._workers if worker.waits_until]
        return waiting[0].trouble if waiting and len(waiting) == len(self._workers) else None

    @property
    def retry_in_s(self) -> float:
        """When the next try comes, while everything waits."""
        if self.trouble is None:
            return 0.0
        soonest = min(worker.waits_until for worker in self._workers)
        return max(0.0, soonest - time.monotonic())

    def nudge(self) -> None:
        """Try again now."""
        self._nudged.set()
        self._nudged = asyncio.Event()

    async def fetch(self) -> None:
        """Run until the part is whole and hashed. Raises AppErrors that no new try will change."""
        try:
            async with asyncio.TaskGroup() as group:
                watcher = group.create_task(self._watch(group))
                self._grow(group, 1)
                await self._keep()
                watcher.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors

    async def _keep(self) -> None:
        """Move and hash what came, a little at a time, until there is nothing more to come."""
        while not (self._part.is_whole and self._part.hashed == self._size):
            if self._part.step():
                self._wake()
                await asyncio.sleep(0)
            else:
                self._kept.clear()
                await self._kept.wait()

    async def _work(self, worker: _Worker) -> None:
        try:
            while (span := await self._next(worker)) is not None:
                start = span.at
                try:
                    await self._fetch(worker, span)
                    worker.failures = 0
                except Passing as passing:
                    if span.at - start >= _PROGRESS:
                        worker.failures = 0
                    if not await self._goes_on(worker, passing, progress=span.at - start >= _PROGRESS):
                        return
                finally:
                    worker.span = None
                    self._wake()
        finally:
            self._workers.remove(worker)
            self._wake()

    async def _next(self, worker: _Worker) -> Span | None:
        """What to fetch next; waits while all that is missing is on its way to others."""
        while self._part.held_bytes < self._size:
            if self._whole_file and any(other.span for other in self._workers):
                return None
            span = self._free_span(worker.rate)
            if span is not None:
                worker.span = span
                return span
            await self._changed.wait()
        return None

    def _wake(self) -> None:
        """Let those who wait for something to fetch look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _free_span(self, rate: float) -> Span | None:
        running = [worker.span for worker in self._workers if worker.span is not None]
        left = self._size - self._part.held_bytes - sum(span.end - span.at for span in running)
        # others may join at any moment: what one takes now is no longer theirs
        sharing = len(self._workers) if rate >= _FAST else max(len(self._workers), self._most)
        at_most = span_bytes(rate, left, sharing)
        return next_span(self._size, self._part.held(), running, at_most, self._part.length + _REACH)

    async def _fetch(self, worker: _Worker, span: Span) -> None:
        loop = asyncio.get_running_loop()
        worker.address = await self._source.address(worker.worn)
        worker.worn = None
        start, began = span.at, loop.time()
        worker.watched_from, worker.watched_bytes = began, 0

        def take(data: bytes, arrived: int) -> None:
            worker.watched_bytes += arrived
            if not data:
                return
            self._part.write(span.at, data)
            span.at += len(data)
            self._came += len(data)
            if worker.rate == 0 and loop.time() - began > _WATCH_S:
                worker.rate = (span.at - start) / (loop.time() - began)
            if self._part.has_steps or self._part.is_whole:
                self._kept.set()

        try:
            async with asyncio.timeout(None) as worker.limit:
                await self._source.read(worker.address, span, take, lambda: self._take_all(worker, span))
        except TimeoutError as error:
            raise Passing(_too_slow(), at_once=True) from error
        finally:
            worker.limit = None
            worker.rate = (span.at - start) / max(1e-6, loop.time() - began)
            self._usual_rate += (worker.rate - self._usual_rate) * (0.3 if self._usual_rate else 1.0)

    def _take_all(self, worker: _Worker, span: Span) -> bool:
        """The other side sends the whole file whatever is asked: one connection takes it to its end."""
        self._whole_file = True
        if span.at != self._part.length:
            return False
        for other in self._workers:
            if other is not worker and other.limit is not None:
                other.limit.reschedule(asyncio.get_running_loop().time())
        self._part.drop_ahead()
        span.end = self._size
        return True

    async def _goes_on(self, worker: _Worker, passing: Passing, *, progress: bool) -> bool:
        """Wait as long as this failure asks for. False if others carry on and this connection is better left."""
        if passing.renew or not progress:
            worker.worn = worker.address
        if progress and not passing.crowded:
            return True
        worker.failures += 1
        if passing.at_once and worker.failures <= 2:
            return True
        if any(other is not worker and not other.waits_until for other in self._workers):
            if passing.crowded:
                self._most = max(1, len(self._workers) - 1)
            self._failed_growths += 1
            self._grow_after = asyncio.get_running_loop().time() + self._patience.delay_s(self._failed_growths)
            return False
        await self._wait(worker, passing)
        return True

    async def _wait(self, worker: _Worker, passing: Passing) -> None:
        delay_s = self._patience.delay_s(worker.failures) if passing.after_s is None else passing.after_s
        worker.trouble = passing.error
        worker.waits_until = time.monotonic() + delay_s
        try:
            async with asyncio.timeout(delay_s):
                await self._nudged.wait()
        except TimeoutError:
            pass
        finally:
            worker.waits_until = 0.0
            worker.trouble = None

    def _grow(self, group: asyncio.TaskGroup, connections: int) -> None:
        while len(self._workers) < connections:
            worker = _Worker()
            self._workers.append(worker)
            group.create_task(self._work(worker))

    async def _watch(self, group: asyncio.TaskGroup) -> None:
        """Open more connections where one alone is not fast, and give up those that only trickle."""
        loop = asyncio.get_running_loop()
        last, last_came = loop.time(), self._came
        while True:
            await asyncio.sleep(_WATCH_S)
            now, came = loop.time(), self._came
            rate, last, last_came = (came - last_came) / (now - last), now, came
            if 0 < rate < _FAST and now >= self._grow_after and not self._whole_file:
                self._grow(group, self._most)
            self._give_up_laggards(now)

    def _give_up_laggards(self, now: float) -> None:
        for worker in self._workers:
            if worker.limit is None or now - worker.watched_from < self._patience.stall_s:
                continue
            floor = max(_TRICKLE, 0.0 if self._whole_file else self._usual_rate / _LAGGARD)
            if worker.watched_bytes / (now - worker.watched_from) < floor:
                worker.limit.reschedule(now)
            worker.watched_from, worker.watched_bytes = now, 0


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that counts of several: one for people, where there is one."""
    leaves = [_first(error) if isinstance(error, BaseExceptionGroup) else error for error in errors.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, AppError)), leaves[0])


def _too_slow() -> HubUnreachableError:
    return HubUnreachableError(
        "Almost nothing comes any more",
        "The connection is open, but next to no bytes arrive on it.",
        "A new one is tried by itself; what came is kept.",
    )

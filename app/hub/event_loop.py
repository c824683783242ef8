"""The end of an event loop that ran for one piece of work: nothing that was begun in it is left."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

# the one that asyncio.new_event_loop() gives
if TYPE_CHECKING or sys.platform != "win32":
    _Base = asyncio.SelectorEventLoop
else:
    _Base = asyncio.ProactorEventLoop

_AGAIN_S = 0.1


class WorkLoop(_Base):
    """An event loop for one piece of work, that knows the connections made in it.

    A task that is called off in the moment in which its connection stands never hears of it: anyio and httpcore then
    leave it open, and nobody but the loop has it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: list[asyncio.Transport] = []

    async def create_connection(self, *args: Any, **more: Any) -> tuple[Any, Any]:
        """As asyncio's."""
        transport, protocol = await super().create_connection(*args, **more)
        self._made = [*(made for made in self._made if not made.is_closing()), transport]
        return transport, protocol

    def cut_connections(self) -> None:
        """Close what was left open, sending nothing more; done once the loop has run once more."""
        for transport in self._made:
            transport.abort()


def wind_up(loop: WorkLoop, work: asyncio.Task[Any]) -> None:
    """Call off everything that still runs, wait until all of it heard so, and close the loop. Takes a millisecond.

    Ctrl+C may strike inside a task, which then ends with it, or right here: it goes on from here once all is closed.
    """
    struck: BaseException | None = None

    def run(last: Coroutine[Any, Any, None]) -> None:
        nonlocal struck
        task = loop.create_task(last)
        task.add_done_callback(lambda _: loop.stop())
        while not task.done():  # run_until_complete would stop at what was to stop the run that Ctrl+C ended
            try:
                loop.run_forever()
            except KeyboardInterrupt as error:
                struck = error

    for task in asyncio.all_tasks(loop):
        task.cancel()
    run(_ended({*asyncio.all_tasks(loop), work}))  # the work may have ended with an error that nobody has looked at
    while left := asyncio.all_tasks(loop):
        run(_ended(left))
    loop.cut_connections()
    run(loop.shutdown_asyncgens())
    loop.close()
    if struck is not None:
        raise struck


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Wait for tasks, whatever they end with: whoever called them off no longer wants to know.

    What does not end is called off again. A connection that stands in the very moment swallows it, and its task would
    go on with the whole file.
    """
    tasks = left = set(tasks)
    while left:
        _, left = await asyncio.wait(left, timeout=_AGAIN_S)
        for task in left:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""The end of an event loop that ran for one piece of work: nothing that was begun in it is left."""

from __future__ import annotations

import asyncio
from typing import Any


def wind_up(loop: asyncio.AbstractEventLoop, work: asyncio.Task[Any]) -> None:
    """Call off everything that still runs, wait until all of it heard so, and close the loop. Takes a millisecond.

    Ctrl+C may strike inside a task, which then ends with it, or right here: it goes on from here once all is closed.
    """
    struck: BaseException | None = None
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    left.add(work)  # it may have ended already, with an error that nobody has looked at
    while left:
        try:
            loop.run_until_complete(_ended(left))
        except KeyboardInterrupt as error:
            struck = error
        left = asyncio.all_tasks(loop)
    try:
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    if struck is not None:
        raise struck


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    """Wait for tasks, whatever they end with: whoever called them off no longer wants to know."""
    await asyncio.gather(*tasks, return_exceptions=True)

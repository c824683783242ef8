"""Downloads one quant: resumable, verified, and stoppable at any moment.

    for step in download(hub, wanted, models_dir, stop):
        ...

A plain generator for a worker: no thread, an event loop of its own that runs only while the generator does. Whatever
was downloaded before, by this or an earlier run, is continued; how a file is held meanwhile, part_file.py tells.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import AppError
from app.core.library import DownloadState, Trouble, Wanted
from app.core.stopping import StopFlag
from app.hub import part_file
from app.hub.download_file import Patience
from app.hub.download_folder import PARTIAL
from app.hub.download_job import Job
from app.hub.event_loop import WorkLoop, wind_up
from app.hub.session import Hub
from app.hub.trouble import told, trouble_of

_POLL_S = 0.01
_STEP_S = 0.1
_STILL_S = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """How far a download is. have_bytes: of all files together; while VERIFYING, so many are hashed."""

    state: DownloadState
    have_bytes: int
    retry_in_s: float = 0.0
    trouble: Trouble | None = None


class Nudge:
    """Says "try again now" to a download that waits; from any thread, any number of times."""

    def __init__(self) -> None:
        self._given = 0
        self._taken = 0

    def give(self) -> None:
        """End the wait."""
        self._given += 1

    def take(self) -> bool:
        """Whether it was given since the last time; the download asks."""
        given, self._taken = self._given != self._taken, self._given
        return given


def download(
    hub: Hub,
    wanted: Wanted,
    models_dir: Path,
    stop: StopFlag,
    *,
    connections: int = 4,
    retry_now: Nudge | None = None,
    places: tuple[Path, ...] | None = None,
    patience: Patience | None = None,
) -> Generator[Step, None, str]:
    """Fetch all files of `wanted`, or go on fetching them; at most ten steps a second.

    Returns the final path of the first file, "" if `stop` was set. What waits for the network or the Hub goes on by
    itself; what will not is raised as an AppError, and what came so far is kept. `stop` is obeyed within 50 ms.

    connections: at most so many at once. places: where else to look for the files; None means the folders of other
    programs on this computer.
    """
    job = Job(hub, wanted, models_dir, connections=connections, places=places, patience=patience or Patience())
    loop = WorkLoop()
    task = loop.create_task(job.run())
    last, told_at = None, float("-inf")
    try:
        while True:
            loop.run_until_complete(asyncio.wait({task}, timeout=_POLL_S))
            if task.done():
                return _result(task)
            if stop.is_set():
                return ""
            if retry_now is not None and retry_now.take():
                job.nudge()
            now = time.monotonic()
            if now - told_at >= _STEP_S:
                step = _step(job)
                if step != last or now - told_at >= _STILL_S:
                    last, told_at = step, now
                    yield step
    finally:
        wind_up(loop, task)


def held_bytes(wanted: Wanted, models_dir: Path) -> int:
    """How much of an unfinished download is on disk; cheap, and touches nothing."""
    return sum(part_file.held_bytes(models_dir / PARTIAL, file.sha256, file.size_bytes) for file in wanted.files)


def discard(wanted: Wanted, models_dir: Path) -> None:
    """Remove what is held of an unfinished download. Raises DownloadBusyError while it runs."""
    for file in wanted.files:
        part_file.discard(models_dir / PARTIAL, file.sha256)


def _step(job: Job) -> Step:
    trouble = job.trouble
    return Step(job.state, job.have_bytes, round(job.retry_in_s, 1), trouble_of(trouble) if trouble else None)


def _result(task: asyncio.Task[str]) -> str:
    try:
        return task.result()
    except AppError:
        raise
    except Exception as error:  # the border: told() lets through what is our own mistake
        raise told(error) from error

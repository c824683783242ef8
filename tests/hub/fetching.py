"""How the tests of downloads run one: short waits, no other program's folders, and what came of it."""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.library import DownloadState, RemoteFile, Wanted
from app.core.stopping import StopFlag
from app.hub.download import Nudge, Step, download
from app.hub.download_file import Patience
from app.hub.session import Hub
from tests.standin_hub.repos import HostedRepo
from tests.standin_hub.server import StandInHub

QUICK = Patience(first_s=0.01, longest_s=0.05, stall_s=60)
"""Tries again at once. Only what is about a connection that brings nothing gives one up: others are merely slow."""
HASTY = Patience(first_s=0.01, longest_s=0.05, stall_s=0.4)
NAME = "model.Q4_K_M.gguf"


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def wanted_of(repo: HostedRepo, *paths: str, standin: StandInHub | None = None) -> Wanted:
    files = tuple(RemoteFile(path, repo.files[path].size, repo.files[path].sha256) for path in paths or (NAME,))
    endpoint = standin.url if standin else "http://127.0.0.1:1"
    return Wanted(repo.repo_id, repo.commit, "Q4_K_M", files, repo.repo_id, endpoint)


@dataclass
class Fetched:
    """What a download yielded, and where its first file is."""

    path: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def states(self) -> set[DownloadState]:
        return {step.state for step in self.steps}

    @property
    def content(self) -> bytes:
        return Path(self.path).read_bytes()

    @property
    def troubles(self) -> set[str]:
        return {step.trouble.title for step in self.steps if step.trouble}


def hub_of(standin: StandInHub, token: str | None = None, **limits: float) -> Hub:
    return Hub(standin.url, token, token_elsewhere=True, **{"connect_s": 60, "read_s": 60, **limits})


def start(standin: StandInHub, wanted: Wanted, models: Path, stop: StopFlag, **more: Any) -> Generator[Step, None, str]:
    hub = more.pop("hub", None) or hub_of(standin)
    return download(hub, wanted, models, stop, **{"places": (), "patience": QUICK, **more})


def fetch(standin: StandInHub, wanted: Wanted, models: Path, **more: Any) -> Fetched:
    """Run to the end; raises what the download raises."""
    fetched = Fetched()
    steps = start(standin, wanted, models, StopFlag(), **more)
    while True:
        try:
            fetched.steps.append(next(steps))
        except StopIteration as end:
            fetched.path = end.value
            return fetched


def fetch_on_request(standin: StandInHub, wanted: Wanted, models: Path) -> Fetched:
    """As `fetch`, but whenever it waits it goes on only because somebody asks it to."""
    fetched, nudge = Fetched(), Nudge()
    steps = start(standin, wanted, models, StopFlag(), patience=Patience(300, 300), retry_now=nudge)
    while True:
        try:
            fetched.steps.append(next(steps))
        except StopIteration as end:
            fetched.path = end.value
            return fetched
        if fetched.steps[-1].state is DownloadState.WAITING:
            nudge.give()


def leave_when(steps: Generator[Step, None, str], stop: StopFlag, state: DownloadState, have: int = 0) -> Step:
    """Stop a download once it is in a state and so far; returns the step that it was stopped at."""
    for step in steps:
        if step.state is state and step.have_bytes >= have:
            stop.set()
            assert list(steps) == []
            return step
    raise AssertionError(f"the download never was {state} with {have} bytes")


def left_in(models: Path) -> list[str]:
    """Every file under the models folder, by its path there."""
    return sorted(str(path.relative_to(models)) for path in models.rglob("*") if path.is_file())

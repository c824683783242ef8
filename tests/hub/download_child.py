"""Downloads in a process of its own, to be killed: ENDPOINT MODELS_DIR REPO COMMIT PATH SIZE SHA256.

Prints "bytes come" once they do, how many it then has with every step, and the path at the end.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Generator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.core.errors import AppError
from app.core.library import RemoteFile, Wanted
from app.core.stopping import StopFlag
from app.hub.download import Step, download
from app.hub.session import Hub


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    # a suite that runs in the background of a script hands down that Ctrl+C is to be ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    endpoint, models, repo_id, commit, path, size, sha256 = sys.argv[1:]
    wanted = Wanted(repo_id, commit, "Q", (RemoteFile(path, int(size), sha256),), repo_id, endpoint)
    steps = download(Hub(endpoint), wanted, Path(models), StopFlag(), places=())
    try:
        with contextlib.closing(steps):
            say(follow(steps))
        return 0
    except AppError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1


def follow(steps: Generator[Step, None, str]) -> str:
    """Say it once bytes come, and how many are there; the path at the end."""
    first, come = 0, False
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return str(end.value)
        if not first:
            first = step.have_bytes + 1
        if step.have_bytes >= first:
            if not come:
                say("bytes come")
            come = True
            say(f"{step.have_bytes}")


if __name__ == "__main__":
    raise SystemExit(main())

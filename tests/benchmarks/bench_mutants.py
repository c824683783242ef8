"""Damaged model files through everything a file goes through before it answers: does any take the app along?

    python tests/benchmarks/bench_mutants.py [-n 2000] [--from 0] [--workers 2] [--share 1] [MODEL.gguf]

Each mutant is judged by the header check; one that passes is tried as the app does it, which loads it and has it write
some tokens, in a process of its own; every tenth goes on and is loaded and asked for a reply. The app is stood for by a
worker process, whose end is the failure looked for; so is a mutant that hangs, or keeps a core busy for more than five
seconds. Writes one line a minute, and at the end what became of how many. Ctrl+C ends it with what was done so far.
Before a release it is 30,000: hours on two cores, most of which go into starting processes. With --share N up to N
files are tried in one process, as long as it lives; what an earlier file broke in there would then be blamed on a
later one, so it finds no fewer deaths.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.errors import AppError, EngineDiedError, PutAsideError  # noqa: E402
from app.core.options import Loading, Sampling  # noqa: E402
from app.core.role import Role  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine.base import Turn  # noqa: E402
from app.engine.child import state_of  # noqa: E402
from app.engine.engine_process import HostProcess  # noqa: E402
from app.engine.llama import load  # noqa: E402
from app.engine.loader import Loader  # noqa: E402
from app.engine.model_file import inspect  # noqa: E402
from app.engine.turn import play  # noqa: E402
from tests.engine.mutants import mutant  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"
SLOW_S = 5.0
PATIENCE_S = 30.0
_WHOLE_EVERY = 10
ASK = [Turn(Role.SYSTEM, "Be brief."), Turn(Role.USER, "Hello, who are you?")]


class SharedTrial:
    """Tries one file after another in one process, and in a new one after a death or `share` files."""

    def __init__(self, share: int) -> None:
        self._share = share
        self._tried = 0
        self._process: HostProcess | None = None

    def __call__(self, path: str, loading: Loading, stop: StopFlag) -> None:
        """Try a file, as `Loader` does it."""
        if self._process is None or not self._process.is_alive or self._tried >= self._share:
            self.end()
            self._process, self._tried = HostProcess(), 0
        self._tried += 1
        try:
            self._process.try_file(path, loading, stop, lambda _fraction: None, PATIENCE_S)
        except EngineDiedError as error:
            raise PutAsideError("", error.detail, "", error.report) from error

    @property
    def worked_s(self) -> float:
        """CPU seconds of the process, as long as it was not waited for; see the function of this name."""
        return state_of(self._process.pid)[1] if self._process is not None and self._process.is_alive else 0.0

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None


def judge(path: Path, loader: Loader | SharedTrial) -> str:
    """What becomes of a file. `loader` gives None for one that it only tries."""
    try:
        inspect(str(path))
    except AppError:
        return "refused by the header check"
    try:
        engine = loader(str(path), Loading(threads=1, context_tokens=512), StopFlag())
        if engine is None:
            return "passes its trial"
    except PutAsideError as error:
        return "hung in its trial" if "did not answer" in error.detail else "died in its trial"
    except EngineDiedError:
        return "died while it loaded"
    except AppError as error:
        return f"refused by llama.cpp ({type(error).__name__})"
    try:
        for _event in play(engine, ASK, Sampling(seed=1, max_tokens=16), StopFlag()):
            pass
    except EngineDiedError:
        return "died in a reply"
    except AppError as error:
        return f"refused in a reply ({type(error).__name__})"
    finally:
        engine.close()
    return "answers"


def worked_s(trial: Loader | SharedTrial) -> float:
    """CPU seconds of this process and of those it started, so that other programs do not count; else the clock."""
    if os.name != "posix":
        return os.times().elapsed
    still = trial.worked_s if isinstance(trial, SharedTrial) else 0.0
    return sum(os.times()[:4]) + still


def worker(model: str, share: int) -> None:
    """Reads seeds, writes what became of each."""
    logging.disable(logging.CRITICAL)
    good = Path(model).read_bytes()
    whole = Loader(load)
    trial = SharedTrial(share) if share > 1 else Loader(lambda *_: None, apart=lambda: False)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            path = Path(folder) / f"{int(line)}.gguf"
            what, data = mutant(good, int(line))
            path.write_bytes(data)
            began = worked_s(trial)
            became = judge(path, trial if int(line) % _WHOLE_EVERY else whole)
            print(json.dumps([became, worked_s(trial) - began, what]), flush=True)
            path.unlink()
    if isinstance(trial, SharedTrial):
        trial.end()


class Worker:
    """A process that stands for the app."""

    def __init__(self, model: Path, share: int) -> None:
        self._model, self._share = model, share
        self.seed = -1
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", str(self._model), "--share", str(self._share)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def give(self, seed: int) -> None:
        """Let it judge this mutant."""
        assert self._process.stdin is not None
        self.seed = seed
        print(seed, file=self._process.stdin, flush=True)

    def take(self) -> tuple[str, float, str]:
        """What became of the mutant; waits."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._start()
            return f"TOOK THE APP ALONG (exit code {code})", 0.0, ""
        became, seconds, what = json.loads(line)
        return became, seconds, what

    def end(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> int:
    """Returns 1 if a mutant took the app along or was slow twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    parser.add_argument("-n", type=int, default=2000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--share", type=int, default=1, help="files that are tried in one process")
    parser.add_argument("--worker", metavar="MODEL", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        worker(asked.worker, asked.share)
        return 0
    workers = [Worker(asked.model, asked.share) for _ in range(asked.workers)]
    became: Counter[str] = Counter()
    changes: dict[str, Counter[str]] = {}
    slow, dead, longest = [], [], 0.0
    began = told = time.monotonic()
    done = 0

    def note(one: Worker) -> None:
        nonlocal longest
        outcome, seconds, what = one.take()
        if seconds > SLOW_S or outcome.startswith("hung"):
            slow.append((one.seed, round(seconds, 1), outcome))
        if outcome.startswith("TOOK"):
            dead.append(one.seed)
        longest = max(longest, seconds)
        became[outcome] += 1
        if outcome.startswith(("died", "hung", "TOOK")):
            changes.setdefault(outcome, Counter())[what] += 1

    with contextlib.suppress(KeyboardInterrupt):
        for first in range(asked.first, asked.first + asked.n, len(workers)):
            busy = list(zip(workers, range(first, min(first + len(workers), asked.first + asked.n)), strict=False))
            for one, seed in busy:
                one.give(seed)
            for one, _ in busy:
                note(one)
                done += 1
            if time.monotonic() - told > 60:
                told = time.monotonic()
                print(f"{done:,} in {told - began:.0f} s: {dict(became)}", flush=True)
    for one in workers:
        one.end()
    print(f"{done:,} mutants of {asked.model.name} in {time.monotonic() - began:.0f} s, longest {longest:.1f} s")
    for outcome, count in became.most_common():
        print(f"  {count:6,} {outcome}")
    for outcome, kinds in changes.items():
        print(f"  {outcome}: {dict(kinds.most_common(12))}")
    print(f"took the app along: {dead or 'none'}; longer than {SLOW_S:.0f} s: {slow or 'none'}")
    return int(bool(slow or dead))


if __name__ == "__main__":
    raise SystemExit(main())

"""What an engine in a process of its own costs over one in this process; run it on a quiet machine.

    python tests/benchmarks/bench_host.py [MODEL.gguf] [-n 128] [-r 8] [-t THREADS] [--deaths 200]

Both generate the same tokens through the same contract, in turn. Printed: the time of a token there over here (1.10 is
the ceiling to hold), what the process takes in memory beyond the model and its context, how long a question takes that
needs no model, what the trial of a new file adds to its first load, how soon all memory is free again after closing
(3 s is the ceiling), and, with --deaths, what is left of as many replies whose process is killed at a random moment.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.errors import EngineDiedError  # noqa: E402
from app.core.options import Loading, Sampling  # noqa: E402
from app.core.role import Role  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import host, llama  # noqa: E402
from app.engine.base import Delta, Done, Engine, Request, Turn  # noqa: E402
from app.engine.devices import library  # noqa: E402
from app.engine.loader import Loader  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"
STORY = [Turn(Role.USER, "Tell me a story.")]


def resident(pid: int | str = "self") -> int:
    """Private bytes of a process: what others share, such as a mapped model, does not count."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Private_"))


def seconds_a_token(engine: Engine, sampling: Sampling) -> float:
    began, count = 0.0, 0
    for event in engine.stream(Request(engine.render(STORY).tokens, sampling), StopFlag()):
        if isinstance(event, Delta):
            began = began or time.perf_counter()
            count += 1
    return (time.perf_counter() - began) / max(1, count - 1)


def deaths(path: str, loading: Loading, count: int) -> None:
    chance, kept, told, seconds = random.Random(1), 0, 0, []
    for _ in range(count):
        engine = host.load(path, loading, StopFlag())
        assert engine is not None
        die_at, said, over = chance.randrange(1, 60), 0, False
        try:
            for event in engine.stream(Request(engine.render(STORY).tokens, Sampling(temperature=0)), StopFlag()):
                over = isinstance(event, Done)
                said += isinstance(event, Delta)
                if said == die_at:
                    os.kill(engine.process.pid, chance.choice((signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)))
                    began = time.perf_counter()
        except EngineDiedError:
            told += 1
            seconds.append(time.perf_counter() - began)
        kept += said >= die_at or over
        engine.close()
    print(
        f"{count} kills in the middle of a reply: {told} told in a sentence, the text kept {kept} times,",
        f"told after {median(seconds) * 1000:.0f} ms, at most {max(seconds) * 1000:.0f} ms",
    )


def trial(path: str, loading: Loading) -> None:
    loader, times = Loader(llama.load), dict[str, list[float]](new=[], known=[])
    for _ in range(5):
        loader.forgive(path)
        for seconds in times.values():
            began = time.perf_counter()
            engine = loader(path, loading, StopFlag())
            seconds.append(time.perf_counter() - began)
            assert engine is not None
            engine.close()
    new, known = median(times["new"]), median(times["known"])
    print(f"first load of a file {new:.2f} s, later ones {known:.2f} s: the trial takes {new - known:.2f} s, once")


def closing(path: str, loading: Loading) -> None:
    """In the middle of a reply that nobody reads on, as when the window is closed."""
    seconds = []
    for _ in range(5):
        engine = host.load(path, loading, StopFlag())
        assert engine is not None
        stream = engine.stream(Request(engine.render(STORY).tokens, Sampling()), StopFlag())
        next(stream)
        began = time.perf_counter()
        engine.process.end()
        assert not Path(f"/proc/{engine.process.pid}").exists()
        seconds.append(time.perf_counter() - began)
    print(f"all memory is free again {median(seconds):.2f} s after closing, at most {max(seconds):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    for name, default in (("-n", 128), ("-r", 8), ("-t", 0), ("--deaths", 0)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    path, loading = str(asked.model), Loading(context_tokens=1024, threads=asked.t or None)
    library()  # the libraries themselves are not the model's
    before = resident()
    here = llama.load(path, loading, StopFlag())
    assert here is not None
    taken_here = resident() - before
    began = time.perf_counter()
    there = host.load(path, loading, StopFlag())
    assert there is not None
    print(f"start and load {time.perf_counter() - began:.2f} s")
    sampling = Sampling(temperature=0.7, seed=3, max_tokens=asked.n)
    times: dict[str, list[float]] = {"here": [], "there": []}
    for run in range(asked.r + 1):
        for name, engine in (("here", here), ("there", there))[:: 1 if run % 2 else -1]:
            seconds = seconds_a_token(engine, sampling)
            if run:
                times[name].append(seconds)
    ratio = median(b / a for a, b in zip(times["here"], times["there"], strict=True))
    print(f"a token: here {median(times['here']) * 1e3:.3f} ms, there {median(times['there']) * 1e3:.3f} ms, ", end="")
    print(f"by pairs {ratio:.3f}")
    beyond = resident(there.process.pid) - taken_here
    print(f"memory of the process beyond the model and its context: {beyond / 2**20:.0f} MiB")
    asked_at = time.perf_counter()
    for _ in range(200):
        there.count("a")
    print(f"a question: {(time.perf_counter() - asked_at) / 200 * 1e6:.0f} us")
    here.close()
    there.close()
    trial(path, loading)
    closing(path, loading)
    if asked.deaths:
        deaths(path, loading, asked.deaths)


if __name__ == "__main__":
    main()

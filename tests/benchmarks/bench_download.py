"""What downloads cost and lose, against the stand-in Hub on loopback, which runs in a process of its own.

    python tests/benchmarks/bench_download.py [throughput|connections|pause|cuts|kills ...] [--mb 400] [--rounds 3]

throughput: with hashing and writing to disk safely, against huggingface_hub's own hf_hub_download, which does neither;
the two take turns. The ratio of the medians shall be 0.8 or more.
connections: N of them against one where the server limits each; shall be close to N times as fast.
pause: from asking to stop until the download is gone, in every state; shall be 50 ms or less.
cuts: 200 connections cut at random bytes; kills: 50 times kill -9 at random moments. The file shall be right every
time, and the server shall have sent at most 3 % more bytes than it has.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from app.core.library import DownloadState, RemoteFile, Wanted  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.hub.download import download  # noqa: E402
from app.hub.download_file import Patience  # noqa: E402
from app.hub.session import Hub  # noqa: E402
from tests.hub.fetching import NAME, fetch, noise, start, wanted_of  # noqa: E402
from tests.hub.test_download_cuts import kill_and_finish  # noqa: E402
from tests.standin_hub.faults import Fault, Kind  # noqa: E402
from tests.standin_hub.server import StandInHub  # noqa: E402

MIB = 2**20
REPO = "alice/Big-GGUF"


def serve(megabytes: int, speed: int) -> None:
    """Be the stand-in Hub until standard input ends; one line of JSON tells where and what."""
    content = noise(MIB) * megabytes
    with StandInHub() as standin:
        standin.speed = speed or None
        repo = standin.add(REPO, {NAME: content})
        facts = {"url": standin.url, "commit": repo.commit, "sha256": repo.files[NAME].sha256, "size": len(content)}
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def served(megabytes: int, speed: int = 0) -> Iterator[dict[str, Any]]:
    command = [sys.executable, __file__, "serve", "--mb", str(megabytes), "--speed", str(speed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())
        child.stdin.close()


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's CPU."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def ours(facts: dict[str, Any], folder: Path, connections: int = 4) -> tuple[float, float]:
    file = RemoteFile(NAME, facts["size"], facts["sha256"])
    wanted = Wanted(REPO, facts["commit"], "Q", (file,), "x", facts["url"])
    steps = download(Hub(facts["url"]), wanted, folder, StopFlag(), connections=connections, places=())
    spent = timed(lambda: list(steps))
    assert hashlib.sha256((folder / REPO / NAME).read_bytes()).hexdigest() == facts["sha256"]
    return spent


def theirs(facts: dict[str, Any], folder: Path) -> tuple[float, float]:
    from huggingface_hub import hf_hub_download

    return timed(
        lambda: hf_hub_download(
            REPO, NAME, endpoint=facts["url"], cache_dir=folder, revision=facts["commit"], token=False
        )
    )


@contextmanager
def fresh_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="orcinus-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def throughput(megabytes: int, rounds: int) -> bool:
    Hub("http://127.0.0.1:1")  # sets what huggingface_hub reads when it is imported
    spent: dict[str, list[tuple[float, float]]] = {"ours": [], "hf_hub_download": []}
    with served(megabytes) as facts:
        for one in (ours, theirs):  # the first run imports
            with fresh_folder() as folder:
                one(facts, folder)
        for number in range(rounds):
            ways = [("ours", ours), ("hf_hub_download", theirs)]
            for way, one in ways if number % 2 else reversed(ways):
                with fresh_folder() as folder:
                    spent[way].append(one(facts, folder))
    medians = {way: (median(clock for clock, _ in runs), median(cpu for _, cpu in runs)) for way, runs in spent.items()}
    for way, (clock, cpu) in medians.items():
        print(f"{way:16} {megabytes / clock:7.0f} MiB/s  {cpu / megabytes * 1024:5.2f} CPU-s/GiB")
    ratio = medians["hf_hub_download"][0] / medians["ours"][0]
    print(f"ratio {ratio:.2f} (0.8 or more)")
    return ratio >= 0.8


def connections(megabytes: int, rounds: int) -> bool:
    speed, good = 4 * MIB, True
    with served(min(megabytes, 160), speed) as facts:
        alone = 0.0
        for count in (1, 2, 4, 8):
            runs = []
            for _ in range(1 if count == 1 else rounds):
                with fresh_folder() as folder:
                    runs.append(facts["size"] / MIB / ours(facts, folder, count)[0])
            alone = alone or median(runs)
            times = median(runs) / alone
            good = good and times >= 0.85 * count
            print(f"{count} connections: {median(runs):6.1f} MiB/s, {times:.2f} times one")
    return good


def pause(megabytes: int, rounds: int) -> bool:
    wait = {"Retry-After": "60"}
    states: dict[str, tuple[list[Fault], DownloadState]] = {
        "streaming, 4 connections": ([], DownloadState.RUNNING),
        "stalled body": ([Fault(Kind.STALL, times=None, after=9999)], DownloadState.RUNNING),
        "no answer of the Hub": ([Fault(Kind.SILENT, "resolve", None)], DownloadState.RUNNING),
        "no answer of the CDN": ([Fault(Kind.SILENT, times=None)], DownloadState.RUNNING),
        "60 s Retry-After": ([Fault(Kind.STATUS, "resolve", None, status=429, headers=wait)], DownloadState.WAITING),
        "waiting for the network": ([Fault(Kind.RESET, times=None)], DownloadState.WAITING),
        "verifying": ([], DownloadState.VERIFYING),
    }
    worst = 0.0
    for name, (faults, state) in states.items():
        with StandInHub() as standin, fresh_folder() as folder:
            standin.faults += faults
            standin.speed = 8 * MIB
            content = noise(MIB) * 600
            repo = standin.add(REPO, {NAME: content})
            if state is DownloadState.VERIFYING:
                part = folder / ".partial" / f"{repo.files[NAME].sha256}.part"
                part.parent.mkdir()
                part.write_bytes(content)
                os.sync()
            took = [_one_pause(standin, repo, folder, state) for _ in range(max(5, rounds))]
            standin.hang_up()
        worst = max(worst, *took)
        print(f"{name:26} median {median(took) * 1000:5.1f} ms, most {max(took) * 1000:5.1f} ms")
    return worst <= 0.05


def _one_pause(standin: StandInHub, repo: Any, folder: Path, state: DownloadState) -> float:
    stop, asked_at = StopFlag(), [0.0]

    def ask() -> None:
        asked_at[0] = time.perf_counter()
        stop.set()

    slow = Patience(first_s=60, longest_s=60, stall_s=60)
    steps = start(standin, wanted_of(repo), folder, stop, patience=slow, hub=Hub(standin.url, read_s=60))
    next(step for step in steps if step.state is state)
    asker = threading.Timer(random.uniform(0.0, 0.3), ask)
    asker.start()
    list(steps)
    took = time.perf_counter() - asked_at[0] if stop.is_set() else 0.0
    asker.join()
    return took


def cuts(megabytes: int, rounds: int) -> bool:
    chance, good, made, sent, size = random.Random(1), True, 0, 0, 0
    for number in range(10):
        with StandInHub() as standin, fresh_folder() as folder:
            repo = standin.add(REPO, {NAME: noise(32 * MIB, number)})
            standin.speed = 24 * MIB if number % 2 else None
            kinds = (Kind.DROP, Kind.RESET, Kind.SHORT)
            standin.faults += [Fault(chance.choice(kinds), after=chance.randrange(1, 800_000)) for _ in range(20)]
            good = fetch(standin, wanted_of(repo), folder).content == repo.files[NAME].content and good
            made += sum(not fault.times for fault in standin.faults)
            sent, size = sent + standin.sent_bytes, size + 32 * MIB
    print(
        f"200 cuts: {'all files right' if good else 'WRONG'}, {(sent / size - 1) * 100:.2f} % sent more (at most 3 %)"
    )
    return good and sent <= 1.03 * size


def kills(megabytes: int, rounds: int) -> bool:
    chance, times = random.Random(2), 50
    with StandInHub() as standin, fresh_folder() as folder:
        standin.speed = 6 * MIB
        standin.send_buffer = 64 * 1024
        repo = standin.add(REPO, {NAME: noise(MIB) * 800})
        sent = kill_and_finish(standin, repo, folder, [chance.uniform(0.0, 1.0) for _ in range(times)])
    print(f"{times} kills: file right, {(sent - 1) * 100:.2f} % sent more (at most 3 %)")
    return sent <= 1.03


PARTS: dict[str, Callable[[int, int], bool]] = {
    "throughput": throughput,
    "connections": connections,
    "pause": pause,
    "cuts": cuts,
    "kills": kills,
}


def main() -> int:
    """Measure what was asked for, or everything; returns 1 if a figure is not met."""
    parser = argparse.ArgumentParser(description="Measure downloads against a stand-in Hub.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "serve", []])
    parser.add_argument("--mb", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--speed", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if "serve" in asked.parts:
        serve(asked.mb, asked.speed)
        return 0
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    met = [PARTS[name](asked.mb, asked.rounds) for name in asked.parts or PARTS]
    return int(not all(met))


if __name__ == "__main__":
    raise SystemExit(main())

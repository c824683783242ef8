"""Whether anything grows: memory and open files over many loads, and over a long chat; run it alone.

    python tests/benchmarks/bench_leaks.py [MODEL.gguf] [--loads 400] [--minutes 10] [-t THREADS]

Loads and closes an engine in its process over and over, each with a short reply, then one in this process, then chats
in one engine for so many minutes, with several replies at once in between. Printed are the slopes of private memory, by
least squares over the second half, in kilobytes per load and per reply, and what files were left open.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.options import Loading, Sampling  # noqa: E402
from app.core.role import Role  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import host, llama  # noqa: E402
from app.engine.base import Engine, Request, Turn  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"


def private(pid: int | str = "self") -> int:
    """Bytes of a process that no other shares."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Private_"))


def slope(values: list[float]) -> float:
    """Of the second half, in bytes per step."""
    half = values[len(values) // 2 :]
    mean_x, mean_y = (len(half) - 1) / 2, sum(half) / len(half)
    spread = sum((x - mean_x) ** 2 for x in range(len(half)))
    return sum((x - mean_x) * (y - mean_y) for x, y in enumerate(half)) / spread


def files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def reply(engine: Engine, number: int, tokens: int = 8, conversation: int = 0) -> None:
    prompt = engine.render([Turn(Role.USER, f"Question number {number}, and some words around it.")]).tokens
    sampling = Sampling(seed=number, max_tokens=tokens)
    for _ in engine.stream(Request(prompt, sampling, conversation), StopFlag()):
        pass


def loads(name: str, load, path: str, loading: Loading, count: int) -> None:
    memory: list[float] = []
    before = 0
    for number in range(count):
        engine = load(path, loading, StopFlag())
        reply(engine, number)
        engine.close()
        del engine
        if number == 5:
            before = files()
        memory.append(private())
    left = files() - before
    print(f"{count} loads {name}: {slope(memory) / 1000:+.1f} kB per load here, {left} files left open")


def chat(path: str, loading: Loading, minutes: float) -> None:
    engine = host.load(path, loading, StopFlag())
    here: list[float] = []
    there: list[float] = []
    until, number = time.monotonic() + minutes * 60, 0
    while time.monotonic() < until:
        number += 1
        reply(engine, number, 24, 1 + number % 7)
        if number % 10 == 0:
            prompts = [engine.render([Turn(Role.USER, f"Cell {cell} of run {number}")]).tokens for cell in range(6)]
            wishes = ((Request(prompt, Sampling(max_tokens=12)), StopFlag()) for prompt in prompts)
            for _ in engine.stream_many(wishes, StopFlag(), 4):
                pass
            here.append(private())
            there.append(private(engine.process.pid))
    engine.close()
    print(f"{minutes:g} minutes of chat, {number} replies: ", end="")
    print(f"{slope(here) / 10000:+.2f} kB per reply here, {slope(there) / 10000:+.2f} kB in the engine's process")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    parser.add_argument("--loads", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("-t", type=int, default=0)
    asked = parser.parse_args()
    path, loading = str(asked.model), Loading(context_tokens=1024, threads=asked.t or None)
    loads("in processes", host.load, path, loading, asked.loads)
    loads("in this process", llama.load, path, loading, asked.loads)
    chat(path, loading, asked.minutes)


if __name__ == "__main__":
    main()

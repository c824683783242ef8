"""Several replies at once against one: tokens per second through `stream_many`; run it on a quiet machine.

    python tests/benchmarks/bench_many.py [MODEL.gguf] [-n 32] [-r 3] [-t THREADS] [--widths 1,2,4,8,16] [--cells 0]

Every reply is `-n` tokens behind a system prompt that all share and a question of its own. By turns each width writes
as many replies as it is wide; printed are the medians of the tokens per second of writing, from when all prompts are
read, and how often they are those of one. On two cores 4 make at least 1.6 and 16 at least 2.9 times one's on a 7B
model. With --cells N as many requests go through 16 places, refilled as they end, against one at a time. Where a model
computes on one thread of its own accord, those are shared with a second process; `-t 1` leaves them to one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.options import Loading, Sampling  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import host, llama  # noqa: E402
from app.engine.base import Delta, Done, Engine, Request, Wish  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"
_SYSTEM, _QUESTION = 48, 12


def wishes(engine: Engine, count: int, lengths: list[int]) -> Iterator[Wish]:
    chance = random.Random(1)
    top = engine.facts.n_vocab
    system = tuple(chance.randrange(300, top) for _ in range(_SYSTEM))
    for number in range(count):
        question = tuple(chance.randrange(300, top) for _ in range(_QUESTION))
        sampling = Sampling(seed=number, max_tokens=lengths[number % len(lengths)])
        yield Request(system + question, sampling, endless=True), StopFlag()


def writing(engine: Engine, width: int, n_gen: int) -> tuple[float, int]:
    """Tokens per second of writing, and how many prompt ids were read for it."""
    began: dict[int, float] = {}
    tokens, read, last = 0, 0, 0.0
    for told in engine.stream_many(wishes(engine, width, [n_gen]), StopFlag(), width, from_scratch=True):
        if isinstance(told.event, Delta):
            last = time.perf_counter()
            began.setdefault(told.index, last)
            tokens += len(began) == width  # all are at it
            first = max(began.values())
        elif isinstance(told.event, Done):
            read += told.event.prompt_tokens - told.event.cached_tokens
    return tokens / (last - first), read


def cells(engine: Engine, count: int, n_gen: int, width: int) -> float:
    """Seconds for so many requests of differing length through so many places."""
    lengths = [max(2, n_gen * part // 4) for part in (1, 4, 2, 3)]
    began = time.perf_counter()
    ended = sum(
        isinstance(told.event, Done)
        for told in engine.stream_many(wishes(engine, count, lengths), StopFlag(), width, from_scratch=True)
    )
    assert ended == count
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    for name, default in (("-n", 32), ("-r", 3), ("-t", 0), ("--cells", 0)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--widths", default="1,2,4,8,16")
    parser.add_argument("--in-thread", action="store_true")
    asked = parser.parse_args()
    loading = Loading(context_tokens=2048, threads=asked.t or None)
    engine = (llama if asked.in_thread else host).load(str(asked.model), loading, StopFlag())
    assert engine is not None
    widths = [int(width) for width in asked.widths.split(",")]
    speeds: dict[int, list[float]] = {width: [] for width in widths}
    plain: list[float] = []
    for run in range(asked.r + 1):
        for width in widths:
            speed, read = writing(engine, width, asked.n)
            if run:
                speeds[width].append(speed)
            elif width > 1:
                alone = (_SYSTEM + _QUESTION) * width
                print(f"{width:3} at once: {read} prompt tokens read of {alone}; {_SYSTEM} are shared")
        if run:
            plain.append(alone_speed(engine, asked.n))
    print(f"    stream alone: {median(plain):8.1f} tokens/s")
    for width, found in speeds.items():
        ratio = median(speed / one for speed, one in zip(found, plain, strict=True))
        print(f"{width:3} at once: {median(found):8.1f} tokens/s, {ratio:.2f} times one alone")
    if asked.cells:
        one, many = cells(engine, asked.cells, asked.n, 1), cells(engine, asked.cells, asked.n, 16)
        print(f"{asked.cells} cells: {one:.1f} s one at a time, {many:.1f} s in 16 places: {one / many:.2f} times")
    engine.close()


def alone_speed(engine: Engine, n_gen: int) -> float:
    """Tokens per second of one reply as a chat has it."""
    request, _ = next(wishes(engine, 1, [n_gen]))
    first = last = 0.0
    for event in engine.stream(request, StopFlag()):
        if isinstance(event, Delta):
            last = time.perf_counter()
            first = first or last
    return (n_gen - 1) / (last - first)


if __name__ == "__main__":
    main()

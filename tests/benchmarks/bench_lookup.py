"""Whether guesses from the prompt pay: tokens per second with and without, by how much of a reply repeats it.

    python tests/benchmarks/bench_lookup.py [MODEL.gguf] [-p 256] [-n 96] [-r 3] [-t THREADS] [--stretch 24]

The model's sampler does its work, but what is taken is told beforehand: stretches of `--stretch` tokens of the prompt
between stretches of new ones, so that a share of the reply repeats the prompt. The two ways take turns in one process;
printed are the medians of the ratios by pairs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.options import Loading, Sampling  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import llama  # noqa: E402
from app.engine.base import Delta, Engine, Request  # noqa: E402
from app.engine.sampling import Sampler  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"


def reply(prompt: tuple[int, ...], n_gen: int, share: float, top: int, stretch: int) -> list[int]:
    chance, ids = random.Random(2), []
    while len(ids) < n_gen:
        start = chance.randrange(len(prompt) - stretch)
        ids += prompt[start : start + stretch]
        new = round(stretch * (1 - share) / share) if share else n_gen
        ids += [chance.randrange(300, top) for _ in range(new)]
    return ids[stretch:][:n_gen] if not share else ids[:n_gen]


def speed(engine: Engine, prompt: tuple[int, ...], told: list[int]) -> float:
    script = iter(told)
    choose = Sampler.choose

    def choosing(self: Sampler, context: object, at: int = -1) -> int:
        choose(self, context, at)
        return next(script)

    Sampler.choose = choosing
    try:
        first = last = 0.0
        for event in engine.stream(Request(prompt, Sampling(seed=1, max_tokens=len(told)), endless=True), StopFlag()):
            if isinstance(event, Delta):
                last = time.perf_counter()
                first = first or last
    finally:
        Sampler.choose = choose
    return (len(told) - 1) / (last - first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    for name, default in (("-p", 256), ("-n", 96), ("-r", 3), ("-t", 0), ("--stretch", 24)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    ways = []
    for lookup in (False, True):
        loading = Loading(context_tokens=1024, threads=asked.t or None, lookup=lookup)
        ways.append(llama.load(str(asked.model), loading, StopFlag()))
    chance, top = random.Random(1), ways[0].facts.n_vocab
    prompt = tuple(chance.randrange(300, top) for _ in range(asked.p))
    for share in (0.9, 0.5, 0.1, 0.0):
        told, ratios, plain = reply(prompt, asked.n, share, top, asked.stretch), [], []
        for run in range(asked.r + 1):
            order = ways if run % 2 else ways[::-1]
            found = {id(way): speed(way, prompt, told) for way in order}
            if run:
                plain.append(found[id(ways[0])])
                ratios.append(found[id(ways[1])] / found[id(ways[0])])
        print(
            f"{share:4.0%} repeats the prompt: {median(plain):8.1f} tokens/s without, {median(ratios):.2f} times with"
        )
    for way in ways:
        way.close()


if __name__ == "__main__":
    main()

"""The speed of a chat's path against llama-bench from the same llama.cpp; run it on a quiet machine.

    python tests/benchmarks/bench_speed.py [MODEL.gguf] [-p 512] [-n 128] [-d 0] [-r 5] [-t THREADS] [--in-thread]

The engine runs in its own process, loaded once, and is asked as a chat asks; llama-bench is started anew for each run.
They take turns, with the same threads, depth, batch, flash attention and KV type, and by turns either goes first.
Printed are the medians and the median of the ratios by pairs: 0.98 is the floor on a 7B model, 0.95 on one of two
layers.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.options import Loading  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import host, llama  # noqa: E402
from app.engine.bench import measure_generating, measure_reading  # noqa: E402
from app.engine.model_file import inspect  # noqa: E402
from app.engine.plan import plan  # noqa: E402
from tests.benchmarks.llama_bench import speeds  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    for name, default in (("-p", 512), ("-n", 128), ("-d", 0), ("-r", 5), ("-t", 0)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--in-thread", action="store_true")
    parser.add_argument("--kv", default="f16")
    asked = parser.parse_args()
    n_ctx = -(-(asked.d + max(asked.p, asked.n) + 2) // 256) * 256
    loading = Loading(context_tokens=n_ctx, threads=asked.t or None, gpu_layers=0, kv_type=asked.kv)
    how = plan(inspect(str(asked.model)), loading, llama.this_machine())
    engine = (llama if asked.in_thread else host).load(str(asked.model), loading, StopFlag())
    assert engine is not None
    ratios: dict[str, list[float]] = {"reading": [], "generating": []}
    ours: dict[str, list[float]] = {"reading": [], "generating": []}
    for run in range(asked.r + 1):

        def measure() -> tuple[float, float]:
            once()  # llama-bench, too, has a run that warms up in each turn
            return once()

        def once() -> tuple[float, float]:
            reading = asked.p / measure_reading(engine, asked.p, asked.d) if asked.p else 0.0
            return reading, asked.n / measure_generating(engine, asked.n, asked.d) if asked.n else 0.0

        def compare() -> tuple[float, float]:
            return speeds(
                asked.model, asked.p, asked.n, asked.d, how.threads, how.batch_tokens, asked.kv, how.flash_attention
            )

        mine, other = (measure(), compare()) if run % 2 else (compare(), measure())[::-1]
        if not run:  # warms up
            continue
        for name, one, another in zip(ratios, mine, other, strict=True):
            if another:
                ours[name].append(one)
                ratios[name].append(one / another)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{asked.model.name}: {how.threads} threads, depth {asked.d}, batch {how.batch_tokens}, ", end="")
    print(f"flash attention {how.flash_attention}; load {load:.1f}")
    for name, found in ratios.items():
        if found:
            speed, by_pairs = median(ours[name]), ", ".join(f"{ratio:.3f}" for ratio in sorted(found))
            print(f"{name:10} {speed:9,.1f} tokens/s   {median(found):.3f} of llama-bench   ({by_pairs})")
    engine.close()


if __name__ == "__main__":
    main()

"""Columns that answer together against one alone: time until all have ended; run it on a quiet machine.

    python tests/benchmarks/bench_compare.py [MODEL.gguf] [-n 48] [-r 3] [-t THREADS] [--columns 4]

The job that the page runs, in the engine's own process: system prompts that begin alike and end each in its own way,
one message, so many tokens each. By turns one column is asked, and all. On two cores four columns of a 7B model shall
take at most 2.6 times the time of one (one after another is 4), and what they share shall be read once.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.options import Loading, Sampling  # noqa: E402
from app.core.role import Role  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import host  # noqa: E402
from app.engine.base import Done, Tagged, Turn  # noqa: E402
from app.services.compare_job import Asked, SharedStart, compare_job  # noqa: E402
from app.services.engine_room import EngineRoom, ModelSpec  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"
_SHARED = "You help the customers of a small shop. Be polite, brief and exact, and never promise what you cannot see. "
_OWN = ("Apologise once.", "Ask one question first.", "Name a date for every step.", "Answer in a table.")


def ask(room: EngineRoom, spec: ModelSpec, columns: int, n_gen: int) -> tuple[float, int, int, int]:
    """Seconds, tokens written, prompt tokens read, and tokens that all prompts begin with."""
    asked = [
        Asked(
            at,
            (Turn(Role.SYSTEM, _SHARED * 2 + _OWN[at % len(_OWN)] + " " * (at // len(_OWN))), Turn(Role.USER, "Help!")),
            Sampling(seed=42, max_tokens=n_gen),
            StopFlag(),
        )
        for at in range(columns)
    ]
    began = time.perf_counter()
    written = read = shared = 0
    for item in compare_job(room, spec, asked)(StopFlag()):
        if isinstance(item, SharedStart):
            shared = item.tokens
        elif isinstance(item, Tagged) and isinstance(item.event, Done):
            written += item.event.completion_tokens
            read += item.event.prompt_tokens - item.event.cached_tokens
    return time.perf_counter() - began, written, read, shared


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    for name, default in (("-n", 48), ("-r", 3), ("-t", 0), ("--columns", 4)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    room = EngineRoom(host.load)
    spec = ModelSpec("measured", str(asked.model), Loading(context_tokens=2048, threads=asked.t or None))
    ratios = []
    try:
        for run in range(asked.r + 1):
            one_s, one_written, one_read, _ = ask(room, spec, 1, asked.n)
            all_s, written, read, shared = ask(room, spec, asked.columns, asked.n)
            if run:  # the first loads the model
                ratios.append(all_s / one_s)
                print(
                    f"one {one_s:6.2f} s, {one_written} tokens; {asked.columns} together {all_s:6.2f} s,"
                    f" {written} tokens: {ratios[-1]:.2f}; read {one_read} alone, {read} together,"
                    f" {shared} are shared by all"
                )
    finally:
        room.empty()
    print(f"{asked.columns} columns take {median(ratios):.2f} times the time of one")


if __name__ == "__main__":
    main()

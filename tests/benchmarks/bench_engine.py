"""The engine's token loop against the barest ctypes loop on the same file; run it on a quiet machine.

    python tests/benchmarks/bench_engine.py [MODEL.gguf] [-p 512] [-n 128] [-d 0] [-r 5] [-t THREADS] [--cpu]

Both load the file in one process with the same context, batch and threads, and take turns, ours and bare by run, so
that other work on the machine falls on both alike; half of the runs load ours first, half the bare one. Printed are the
medians and their ratio; 0.95 is the floor to hold. On a busy machine, `-t 1 --cpu` counts the thread's own time
instead of the clock's.
"""

from __future__ import annotations

import argparse
import ctypes
import random
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.options import Loading  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine.bench import measure_generating, measure_reading  # noqa: E402
from app.engine.devices import library  # noqa: E402
from app.engine.llama import load, this_machine  # noqa: E402
from app.engine.model_file import inspect  # noqa: E402
from app.engine.plan import plan  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"


class Bare:
    """llama_decode and llama_sampler_sample in a loop, and nothing else."""

    def __init__(self, path: Path, n_ctx: int, batch: int, threads: int) -> None:
        self.c = c = library().llama
        self.model = c.llama_model_load_from_file(str(path).encode(), c.llama_model_default_params())
        params = c.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = n_ctx, batch, min(batch, 512)
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self.context = c.llama_init_from_model(self.model, params)
        self.memory = c.llama_get_memory(self.context)
        self.n_vocab = c.llama_vocab_n_tokens(c.llama_model_get_vocab(self.model))
        self.batch = batch
        self.chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
        for sampler in (
            c.llama_sampler_init_top_k(40),
            c.llama_sampler_init_top_p(0.95, 1),
            c.llama_sampler_init_temp(0.7),
            c.llama_sampler_init_dist(1),
        ):
            c.llama_sampler_chain_add(self.chain, sampler)

    def close(self) -> None:
        self.c.llama_sampler_free(self.chain)
        self.c.llama_free(self.context)
        self.c.llama_model_free(self.model)

    def ids(self, count: int, seed: int):
        chance = random.Random(seed)
        return (self.c.llama_token * count)(*(chance.randrange(self.n_vocab) for _ in range(count)))

    def feed(self, ids) -> None:
        for start in range(0, len(ids), self.batch):
            size = min(self.batch, len(ids) - start)
            part = ctypes.cast(ctypes.byref(ids, start * 4), self.c.llama_token_p)
            if self.c.llama_decode(self.context, self.c.llama_batch_get_one(part, size)):
                raise SystemExit("llama_decode failed")

    def reading(self, n_prompt: int, depth: int, clock) -> float:
        self.c.llama_memory_clear(self.memory, False)
        self.feed(self.ids(depth, 0))
        prompt = self.ids(n_prompt, depth)
        started = clock()
        self.feed(prompt)
        self.c.llama_synchronize(self.context)
        return clock() - started

    def generating(self, n_gen: int, depth: int, clock) -> float:
        self.c.llama_memory_clear(self.memory, False)
        self.feed(self.ids(depth, 0))
        token = self.ids(1, depth)
        decode, sample, one = self.c.llama_decode, self.c.llama_sampler_sample, self.c.llama_batch_get_one
        context, chain = self.context, self.chain
        started = clock()
        for _ in range(n_gen):
            decode(context, one(token, 1))
            token[0] = sample(chain, context, -1)
        return clock() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    for name, default in (("-p", 512), ("-n", 128), ("-d", 0), ("-r", 5), ("-t", 0)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--cpu", action="store_true")
    asked = parser.parse_args()
    clock = thread_time if asked.cpu else perf_counter
    n_ctx = -(-(asked.d + max(asked.p, asked.n) + 1) // 256) * 256
    times: dict[tuple[str, str], list[float]] = {}
    for ours_first in (True, False):
        # whichever is loaded second runs up to 4 % slower, for where its buffers come to lie
        facts = compare(asked, n_ctx, clock, times, ours_first=ours_first)
    n_params, threads = facts
    print(f"{asked.model.name}: {n_params / 1e6:,.0f} M parameters, {threads} threads, depth {asked.d}")
    for part, tokens in (("reading", asked.p), ("generating", asked.n)):
        ours, plain = (tokens / median(times[part, who]) for who in ("ours", "bare"))
        pairwise = median(b / o for o, b in zip(times[part, "ours"], times[part, "bare"], strict=True))
        speeds = f"ours {ours:9,.1f} tokens/s   bare {plain:9,.1f}"
        print(f"{part:10} {speeds}   ratio {ours / plain:.3f}   by pairs {pairwise:.3f}")


def compare(asked: argparse.Namespace, n_ctx: int, clock, times: dict, *, ours_first: bool) -> tuple[int, int]:
    """Load both, time them in turn into `times`, and close them; parameters and threads of the model."""

    def opened():
        loaded = load(str(asked.model), Loading(context_tokens=n_ctx, threads=asked.t or None), StopFlag())
        assert loaded is not None
        return loaded

    engine = opened() if ours_first else None
    bare = Bare(asked.model, n_ctx, 256, engine.threads if engine else asked.t or threads_of(asked.model))
    engine = engine or opened()
    for run in range(asked.r + 1):
        pairs = [
            (("reading", "ours"), lambda: measure_reading(engine, asked.p, asked.d, clock)),
            (("reading", "bare"), lambda: bare.reading(asked.p, asked.d, clock)),
            (("generating", "ours"), lambda: measure_generating(engine, asked.n, asked.d, clock)),
            (("generating", "bare"), lambda: bare.generating(asked.n, asked.d, clock)),
        ]
        for key, measure in pairs if run % 2 else [pairs[1], pairs[0], pairs[3], pairs[2]]:
            seconds = measure()
            if run:  # the first of each warms up
                times.setdefault(key, []).append(seconds)
    engine.close()
    bare.close()
    return engine.facts.n_params, engine.threads


def threads_of(model: Path) -> int:
    """As many threads as the app would use for this model."""
    return plan(inspect(str(model)), Loading(), this_machine()).threads


if __name__ == "__main__":
    main()

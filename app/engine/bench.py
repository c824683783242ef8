"""Speed of a model on this machine, counted as llama-bench counts, through the same calls that a chat makes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, takewhile
from statistics import median
from time import perf_counter

from app.core.errors import UsageError
from app.core.options import Loading, Sampling
from app.core.stopping import StopFlag
from app.engine.base import Request
from app.engine.llama import LlamaEngine, load
from app.engine.reply import Reply

_STEP = 256


def bench(
    path: str,
    n_prompt: int = 512,
    n_gen: int = 128,
    depth: int = 0,
    reps: int = 5,
    loading: Loading | None = None,
    stop: StopFlag | None = None,
) -> dict[str, float]:
    """Medians over `reps` runs: `prompt_tokens_per_s` and `generate_tokens_per_s`, 0.0 for a part of no tokens.

    The context is just as long as needed, whatever `loading` says. Reading and generating each start with `depth`
    tokens in it, which are not timed, and one run of each is made beforehand to warm up. The prompt is random ids, and
    generating does not end at the model's own end. Once `stop` is set it ends early, and the figures mean nothing.

    Raises:
        UsageError: a number is not one that can be measured.
        ModelError: the model cannot be loaded.
    """
    if min(n_prompt, n_gen, depth) < 0 or n_prompt + n_gen == 0 or reps < 1:
        raise UsageError("There is nothing to measure", "Prompt, reply, depth and runs are counts of tokens and runs.")
    need = depth + max(n_prompt, n_gen) + 1
    loading = replace(loading or Loading(), context_tokens=-(-need // _STEP) * _STEP)
    stop = stop or StopFlag()
    engine = load(path, loading, stop)
    if engine is None:
        return {"prompt_tokens_per_s": 0.0, "generate_tokens_per_s": 0.0}
    try:
        runs = islice(_runs(engine, n_prompt, n_gen, depth), reps + 1)
        speeds = list(takewhile(lambda _: not stop.is_set(), runs))[1:] or [(0.0, 0.0)]
    finally:
        engine.close()
    return {
        "prompt_tokens_per_s": median(speed for speed, _ in speeds),
        "generate_tokens_per_s": median(speed for _, speed in speeds),
    }


def _runs(engine: LlamaEngine, n_prompt: int, n_gen: int, depth: int) -> Iterator[tuple[float, float]]:
    """Without end: tokens per second of reading and of generating."""
    while True:
        reading = n_prompt / measure_reading(engine, n_prompt, depth) if n_prompt else 0.0
        generating = n_gen / measure_generating(engine, n_gen, depth) if n_gen else 0.0
        yield reading, generating


def measure_reading(
    engine: LlamaEngine, n_prompt: int, depth: int = 0, clock: Callable[[], float] = perf_counter
) -> float:
    """Seconds to read `n_prompt` random ids behind `depth` others."""
    start = _fill(engine, depth)
    prompt = start + _random_ids(engine, n_prompt, depth)
    started = clock()
    for _ in engine.read(prompt, StopFlag()):
        pass
    return clock() - started


def measure_generating(
    engine: LlamaEngine, n_gen: int, depth: int = 0, clock: Callable[[], float] = perf_counter
) -> float:
    """Seconds for `n_gen` decodes of one token behind `depth` others, each followed by choosing and writing one."""
    stop = StopFlag()
    prompt = _fill(engine, depth) + _random_ids(engine, 1, depth)
    reply = Reply(Request(prompt, Sampling(seed=1)))
    with engine.sampler(Sampling(seed=1)) as sampler:
        started = clock()
        for _ in engine.read(prompt, stop):
            pass
        for token in islice(engine.choices(sampler, stop), n_gen):
            reply.add(token, engine.piece(token))
        return clock() - started


def _fill(engine: LlamaEngine, depth: int) -> tuple[int, ...]:
    """Make the context hold exactly `depth` ids."""
    engine.forget()
    ids = _random_ids(engine, depth, 0)
    for _ in engine.read(ids, StopFlag()) if ids else ():
        pass
    return ids


def _random_ids(engine: LlamaEngine, count: int, seed: int) -> tuple[int, ...]:
    chance = random.Random(seed)
    return tuple(chance.randrange(engine.facts.n_vocab) for _ in range(count))

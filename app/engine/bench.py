"""Speed of a model on this machine, counted as llama-bench counts, through the same calls that a chat makes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, takewhile
from statistics import median
from time import perf_counter
from typing import Any

from app.core.errors import UsageError
from app.core.options import Loading, Sampling
from app.core.stopping import StopFlag
from app.engine import host, llama
from app.engine.base import Delta, Engine, Reading, Request

_STEP = 256
_CONVERSATION = 0
"""The one of which nothing is ever kept."""
_CHAT = Sampling(seed=1)


def bench(
    path: str,
    n_prompt: int = 512,
    n_gen: int = 128,
    depth: int = 0,
    reps: int = 5,
    loading: Loading | None = None,
    stop: StopFlag | None = None,
    *,
    in_thread: bool = False,
) -> dict[str, Any]:
    """Medians over `reps` runs: `prompt_tokens_per_s` and `generate_tokens_per_s`, 0.0 for a part of no tokens.

    Beside them the figures of each run and what was measured how. The engine runs in a process of its own, as a chat's
    does, or with `in_thread` in this one. The context is just as long as needed, whatever `loading` says. Reading and
    generating each start with `depth` tokens in it, which are not timed, and one run of each is made beforehand to warm
    up. The prompt is random ids, and generating does not end at the model's own end; each token is chosen as a chat's
    is, and written. Once `stop` is set it ends early, and the figures mean nothing.

    Raises:
        UsageError: a number is not one that can be measured.
        ModelError: the model cannot be loaded.
    """
    if min(n_prompt, n_gen, depth) < 0 or n_prompt + n_gen == 0 or reps < 1:
        raise UsageError("There is nothing to measure", "Prompt, reply, depth and runs are counts of tokens and runs.")
    need = depth + max(n_prompt, n_gen) + 2
    loading = replace(loading or Loading(), context_tokens=-(-need // _STEP) * _STEP)
    stop = stop or StopFlag()
    load: Callable[..., Engine | None] = llama.load if in_thread else host.load
    engine = load(path, loading, stop)
    if engine is None:
        return _told([(0.0, 0.0)])
    try:
        runs = islice(_runs(engine, n_prompt, n_gen, depth, stop), reps + 1)
        speeds = list(takewhile(lambda _: not stop.is_set(), runs))[1:] or [(0.0, 0.0)]
        facts = engine.facts
    finally:
        engine.close()
    more = {"n_prompt": n_prompt, "n_gen": n_gen, "depth": depth, "in_thread": in_thread}
    return {**_told(speeds), **more, "model": facts.name, "n_params": facts.n_params, "gpu_layers": facts.gpu_layers}


def _told(speeds: list[tuple[float, float]]) -> dict[str, Any]:
    reading, generating = ([speed[part] for speed in speeds] for part in (0, 1))
    return {
        "prompt_tokens_per_s": median(reading),
        "generate_tokens_per_s": median(generating),
        "prompt_runs": reading,
        "generate_runs": generating,
    }


def _runs(engine: Engine, n_prompt: int, n_gen: int, depth: int, stop: StopFlag) -> Iterator[tuple[float, float]]:
    """Without end: tokens per second of reading and of generating."""
    while True:
        reading = n_prompt / measure_reading(engine, n_prompt, depth, perf_counter, stop) if n_prompt else 0.0
        generating = n_gen / measure_generating(engine, n_gen, depth, perf_counter, stop) if n_gen else 0.0
        yield reading, generating


def measure_reading(
    engine: Engine,
    n_prompt: int,
    depth: int = 0,
    clock: Callable[[], float] = perf_counter,
    stop: StopFlag | None = None,
) -> float:
    """Seconds to read `n_prompt` random ids behind `depth` others."""
    stop = stop or StopFlag()
    start = _fill(engine, depth, stop)
    request = _request(start + _random_ids(engine, n_prompt, depth), 1)
    started = clock()
    took = 0.0
    for event in engine.stream(request, stop):
        if isinstance(event, Reading):
            took = clock() - started
    return max(took, 1e-9)


def measure_generating(
    engine: Engine,
    n_gen: int,
    depth: int = 0,
    clock: Callable[[], float] = perf_counter,
    stop: StopFlag | None = None,
) -> float:
    """Seconds for `n_gen` decodes of one token behind `depth` others, each followed by choosing and writing one."""
    stop = stop or StopFlag()
    _fill(engine, 0, stop)
    first = last = 0.0
    for event in engine.stream(_request(_random_ids(engine, max(1, depth), 0), n_gen + 1), stop):
        if isinstance(event, Delta):
            last = clock()
            first = first or last
    return max(last - first, 1e-9)


def _request(ids: tuple[int, ...], n_gen: int) -> Request:
    return Request(ids, replace(_CHAT, max_tokens=n_gen), _CONVERSATION, endless=True)


def _fill(engine: Engine, depth: int, stop: StopFlag) -> tuple[int, ...]:
    """Make the context hold exactly `depth` ids."""
    engine.drop(_CONVERSATION)
    ids = _random_ids(engine, depth, 0)
    for _ in engine.stream(_request(ids, 1), stop) if ids else ():
        pass
    return ids


def _random_ids(engine: Engine, count: int, seed: int) -> tuple[int, ...]:
    chance = random.Random(seed)
    return tuple(chance.randrange(engine.facts.n_vocab) for _ in range(count))

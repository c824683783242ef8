"""The trial of a new file: everything that a reply needs of it is done once, in a process that may end.

It runs on the CPU and with a small context, so that it judges the file alone: what the person set, a GPU's driver and
its memory may change from one day to the next, and a death among them is judged when it happens. What the trial reads
of the file stays in the system's cache, so the load behind it reads little again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Engine, Request, Turn
from app.engine.release import release

_VERSION = 1
"""Of what is tried; raised when something is added, and then every file is tried again."""
_CONTEXT = 1024
_TOKENS = 8
_BATCH = 64
"""So that even a large model on a slow processor shows every few seconds that it is still at work."""

_ODD = (
    "".join(map(chr, range(1, 256)))
    + " Grüße, 你好, नमस्ते, שלום, 😀👩‍🔬 <|im_start|></s>[INST] \u202e\u0300\ufffd\U0010ffff"
    + "a" * 300
)
_TALK = (
    Turn(Role.SYSTEM, "You are a helpful assistant."),
    Turn(Role.USER, "Hello, who are you? <|im_end|>"),
    Turn(Role.ASSISTANT, "I am a model. 😀"),
    Turn(Role.USER, "What is 2 + 2?\n\n```python\nprint(2 + 2)\n```"),
)
_SAMPLING = Sampling(
    temperature=0.8,
    top_k=40,
    top_p=0.95,
    min_p=0.05,
    repeat_penalty=1.1,
    presence_penalty=0.1,
    frequency_penalty=0.1,
    dry_multiplier=0.8,
    xtc_probability=0.5,
    typical_p=0.95,
    seed=1,
    max_tokens=_TOKENS,
)


def engine_version() -> str:
    """What a verdict holds for: this llama.cpp and this trial."""
    return f"{release()}, trial {_VERSION}"


def loading_for_trial(loading: Loading) -> Loading:
    """How a file is loaded for its trial, where the person wants it loaded like this."""
    return replace(
        Loading(), context_tokens=_CONTEXT, gpu_layers=0, batch_tokens=_BATCH, threads=loading.threads,
        template=loading.template,
    )  # fmt: skip


def steps(engine: Engine, stop: StopFlag) -> Iterator[None]:
    """Tokenize, render, read, decode and sample; yields whenever something was done.

    Raises:
        AppError: the engine refuses what it must be able to do.
    """
    engine.count(_ODD)
    yield
    prompt = engine.render(_TALK)
    engine.render(_TALK, reply=False)
    yield
    tokens = prompt.tokens
    room = engine.facts.n_ctx - _TOKENS - 1
    # a template may add a page of its own
    for _event in engine.stream(Request(tokens[-room:], _SAMPLING), stop):
        yield

"""Trains the starter model from scratch and writes its GGUF file, in one run: ``python -m resources.starter.train``.

Needs torch, numpy, gguf and tokenizers. The text is made up while training; nothing is downloaded or read.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing
import torch.nn.functional as functional
from torch import Tensor

from .batches import LENGTHS, Curriculum, Encoder, stream
from .dialogues import dialogue
from .entities import Entities
from .export import export
from .model import Model, Shape
from .optimiser import Optimiser
from .tokenizer import build

# Big blocks, freed and taken again at every step, must not go back to the system: page faults would take half the time.
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(16 << 30), "MALLOC_TOP_PAD_": str(64 << 20)}
BATCH_TOKENS = 4096
WARM_UP_STEPS, CONSTANT_SHARE, LAST_FACTOR = 30, 0.4, 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does. minutes: its length; the rate and the curriculum follow the share of it that is gone."""

    path: Path
    minutes: float
    seed: int
    workers: int
    checkpoints: bool
    meeting: str
    """A path that does not exist yet, by which the workers find each other."""


def rate_factor(step: int, progress: float) -> float:
    """Learning rate over its peak: a short rise, constant, then straight down."""
    rise = min(1.0, (step + 1) / WARM_UP_STEPS)
    return rise * min(1.0, max(LAST_FACTOR, (1 - progress) / (1 - CONSTANT_SHARE)))


def loss_of(model: Model, ids: Tensor, mask: Tensor) -> Tensor:
    """Mean loss over the learned tokens; ids and mask have one more column than the model reads."""
    rows = mask[:, 1:].reshape(-1).nonzero().squeeze(1)
    targets = ids[:, 1:].reshape(-1)[rows]
    # The number of rows is rounded up because each new shape costs a compilation.
    missing = -len(rows) % 256
    rows = torch.cat((rows, rows[:1].expand(missing)))
    targets = torch.cat((targets, torch.full((missing,), -100)))
    scores = model.scores(model.hidden(ids[:, :-1]).flatten(0, 1)[rows])
    return functional.cross_entropy(scores.float(), targets)


def share_gradients(model: Model, *figures: float) -> list[float]:
    """Averages the gradients of all workers, and some figures with them; returns the averaged figures."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([*(gradient.flatten() for gradient in gradients), torch.tensor(figures)])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    at = 0
    for gradient in gradients:
        gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
        at += gradient.numel()
    return flat[at:].tolist()


@torch.no_grad()
def exact_answers(model: Model, encoder: Encoder, count: int) -> str:
    """Right and all answers by topic and style, with held-out names and words, judged token by token."""
    rng = random.Random(999)
    entities = Entities(rng, 0.7, held_out=True)
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    samples = [encoder.encode(dialogue(rng, entities)) for _ in range(count)]
    for sample in (sample for sample in samples if sample.spans and len(sample.ids) <= LENGTHS[-1]):
        ids, _ = encoder.batch([sample], next(size for size in LENGTHS if size >= len(sample.ids)) + 1)
        hit = model.scores(model.hidden(ids[:, :-1]))[0].argmax(-1) == ids[0, 1:]
        learned = [message for message in sample.messages if message.learn]
        for (start, end), message in zip(sample.spans, learned, strict=True):
            right = bool(hit[start - 1 : end - 1].all())
            for key in ("all", message.topic.split()[0], f"style {message.style or 'none'}"):
                found[key] = (found[key][0] + right, found[key][1] + 1)
    return " ".join(f"{key}={right}/{number}" for key, (right, number) in sorted(found.items()))


def work(rank: int, plan: Plan) -> None:
    """One worker: its own batches, gradients shared at every step. Worker 0 reports and writes the file.

    One thread a worker: two threads in one worker would wait for each other many times a step.
    """
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    distributed.init_process_group("gloo", init_method=f"file://{plan.meeting}", rank=rank, world_size=plan.workers)
    began = time.monotonic()
    tokenizer = build()
    model = Model(Shape(-(-tokenizer.get_vocab_size() // 32) * 32))
    encoder, curriculum, optimiser = Encoder(tokenizer), Curriculum(), Optimiser(model)
    batches = stream(encoder, curriculum, BATCH_TOKENS // plan.workers, 1000 * plan.seed + rank)
    seen, average, step, shown = 0, 0.0, 0, 0.0
    if rank == 0:
        parameters = sum(p.numel() for p in model.parameters())
        print(f"{parameters:,} parameters, tokenizer after {time.monotonic() - began:.0f} s", flush=True)
    while curriculum.progress < 1:
        ids, mask = next(batches)
        loss = loss_of(model, ids, mask)
        loss.backward()  # type: ignore[no-untyped-call]
        gone = (time.monotonic() - began) / (60 * plan.minutes)
        # All workers must take the same step, so they follow the average clock.
        curriculum.progress, shared_loss = share_gradients(model, gone, loss.item())
        optimiser.step(rate_factor(step, curriculum.progress))
        seen += ids.numel() * plan.workers
        average = shared_loss if step == 0 else 0.96 * average + 0.04 * shared_loss
        step += 1
        if rank:
            continue
        if step % 50 == 0:
            print(
                f"step {step} progress {curriculum.progress:.3f} loss {average:.4f} {seen / 1e6:.2f} Mtok",
                f"wall {time.monotonic() - began:.0f} s cpu {time.process_time():.0f} s a worker",
                flush=True,
            )
        if plan.checkpoints and curriculum.progress - shown >= 0.1:
            shown = curriculum.progress
            export(model, tokenizer, plan.path.with_suffix(f".{int(shown * 100):02d}.gguf"))
    if rank == 0:
        written = export(model, tokenizer, plan.path)
        wall, cpu = (time.monotonic() - began) / 60, time.process_time() / 60
        print(f"{step} steps, {seen / 1e6:.1f} Mtok, {wall:.1f} min, {cpu:.1f} CPU min a worker, {written:,} bytes")
        print(exact_answers(model, encoder, 200))
    distributed.destroy_process_group()


def main() -> None:
    """Reads the command line; starts itself again where the memory allocator's settings are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("starter.gguf"))
    parser.add_argument("--minutes", type=float, default=87.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes, one a core")
    parser.add_argument("--checkpoints", action="store_true", help="also export the model a few times on the way")
    options = parser.parse_args()
    if sys.platform == "linux" and any(name not in os.environ for name in MALLOC):
        arguments = [sys.executable, "-m", "resources.starter.train", *sys.argv[1:]]
        os.execve(sys.executable, arguments, {**os.environ, **MALLOC})
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(
            options.out, options.minutes, options.seed, options.workers, options.checkpoints, f"{folder}/meeting"
        )
        multiprocessing.spawn(work, (plan,), nprocs=plan.workers)


if __name__ == "__main__":
    main()

"""How much memory a model takes, and where it would lie: the same sums for a plan and for a verdict. Sizes in bytes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

AUTO_SHARE = 0.85
"""How much of what is free Auto takes, in main memory and on each GPU: running out there ends the process."""
LEAST_CONTEXT = 2048
"""Tokens; Auto takes no fewer, unless the model was trained for less."""
VALUE_BYTES = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
"""Of one value in the KV cache, by its type."""
_ROOM = 32 << 20
"""For llama.cpp's own tables, beyond what is counted."""
MAX_UBATCH = 512
"""Tokens that llama.cpp computes at once at most."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU that a model can be put on. Bytes are None where its driver does not tell.

    `unified`: its memory is the computer's own, so what it takes is missing there.
    """

    name: str
    free_bytes: int | None = None
    total_bytes: int | None = None
    unified: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """What a plan needs to know of this computer. Bytes are None where nobody tells; those of GPUs are all together."""

    free_bytes: int | None
    cores: int
    has_gpu: bool = False
    gpu_free_bytes: int | None = None
    total_bytes: int | None = None
    gpu_total_bytes: int | None = None
    gpu_name: str = ""
    gpus: tuple[Gpu, ...] = ()

    @classmethod
    def with_gpus(cls, free_bytes: int | None, cores: int, total_bytes: int | None, gpus: Sequence[Gpu]) -> Machine:
        """A computer with these GPUs, in llama.cpp's order."""
        known = [gpu for gpu in gpus if gpu.total_bytes]
        return cls(
            free_bytes,
            cores,
            bool(gpus),
            sum(gpu.free_bytes or 0 for gpu in known) if known else None,
            total_bytes,
            sum(gpu.total_bytes or 0 for gpu in known) if known else None,
            " + ".join(gpu.name for gpu in gpus),
            tuple(gpus),
        )

    def without(self, size_bytes: int) -> Machine:
        """The same with so much less free, wherever it may be taken."""
        if not size_bytes:
            return self
        gpus = tuple(replace(gpu, free_bytes=_less(gpu.free_bytes, size_bytes)) for gpu in self.gpus)
        return replace(
            self,
            free_bytes=_less(self.free_bytes, size_bytes),
            gpu_free_bytes=_less(self.gpu_free_bytes, size_bytes),
            gpus=gpus,
        )

    def cards(self) -> tuple[Gpu, ...]:
        """The GPUs one by one; where only their sum is known, as one."""
        if self.gpus or not self.has_gpu:
            return self.gpus
        return (Gpu(self.gpu_name or "GPU", self.gpu_free_bytes, self.gpu_total_bytes),)


def _less(free_bytes: int | None, size_bytes: int) -> int | None:
    return None if free_bytes is None else max(0, free_bytes - size_bytes)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model takes: its weights, per token of context, and to compute in, whatever the context.

    `layer_bytes` are the weights of each layer, `output_bytes` those behind the last; without them all are taken to be
    of one size. `tied`: the output's weights are the input's, so that a GPU gets a copy and main memory keeps its own.
    """

    weights_bytes: int
    kv_bytes_per_token: float
    working_bytes: int
    n_layers: int
    n_ctx_train: int = 0
    estimated: bool = True
    layer_bytes: tuple[int, ...] = ()
    output_bytes: int = 0
    tied: bool = False

    def total(self, n_ctx: int) -> int:
        """Everything, with a context of so many tokens."""
        return self.weights_bytes + int(n_ctx * self.kv_bytes_per_token) + self.working_bytes

    def sizes(self, n_ctx: int) -> list[int]:
        """What each layer takes on a GPU, its share of the KV cache included, the first one first; the output last."""
        kv = int(n_ctx * self.kv_bytes_per_token / self.n_layers)
        if len(self.layer_bytes) != self.n_layers:
            each = self.weights_bytes // (self.n_layers + 1)
            return [each + kv] * self.n_layers + [each]
        return [size + kv for size in self.layer_bytes] + [self.output_bytes]


@dataclass(frozen=True, slots=True)
class Offload:
    """Which layers go to which GPU: the last `layers`, `split` of them on each GPU in order; n_layers + 1 is all.

    `fits`: every GPU keeps within AUTO_SHARE of what it has free.
    """

    layers: int
    split: tuple[int, ...]
    card_bytes: tuple[int, ...]
    main_bytes: int
    fits: bool = True


def offload(needs: Needs, n_ctx: int, machine: Machine, wanted: int | None = None) -> Offload:
    """Put as many layers on the GPUs as fit, or exactly as many as `wanted`.

    One GPU that holds everything is used alone; else they are filled in their order.
    """
    cards, sizes = machine.cards(), needs.sizes(n_ctx)
    rooms = [
        float("inf") if card.free_bytes is None else card.free_bytes * AUTO_SHARE - needs.working_bytes
        for card in cards
    ]
    most = 0 if not cards else len(sizes) if wanted is None else min(wanted, len(sizes))
    split, fits = _spread(sizes[len(sizes) - most :], rooms), True
    if split is None and wanted is None:
        # the more layers, the less they fit: the first number for which they do not is looked for
        most = bisect_left(range(most), True, key=lambda n: _spread(sizes[len(sizes) - n - 1 :], rooms) is None)
        split = _spread(sizes[len(sizes) - most :], rooms)
    if split is None:
        split, fits = _by_room(most, rooms), False
    return Offload(most, split, *_taken(needs, n_ctx, machine, most, split), fits)


def _spread(sizes: Sequence[int], rooms: Sequence[float]) -> tuple[int, ...] | None:
    """How many layers in a row each GPU takes; None where they do not all fit."""
    whole = sum(sizes)
    best = max(range(len(rooms)), key=lambda place: rooms[place], default=None)
    if best is not None and whole <= rooms[best]:
        return tuple(len(sizes) if place == best else 0 for place in range(len(rooms)))
    sums, start, split = [0, *accumulate(sizes)], 0, []
    for room in rooms:
        end = start
        while end < len(sizes) and sums[end + 1] - sums[start] <= room:
            end += 1
        split.append(end - start)
        start = end
    return tuple(split) if start == len(sizes) else None


def _by_room(layers: int, rooms: Sequence[float]) -> tuple[int, ...]:
    """Layers that do not fit, shared out by the room there is."""
    if not rooms:
        return ()
    weights = [max(room, 1.0) for room in rooms]
    ends = [round(layers * part / sum(weights)) for part in accumulate(weights)]
    return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))


def _taken(
    needs: Needs, n_ctx: int, machine: Machine, layers: int, split: Sequence[int]
) -> tuple[tuple[int, ...], int]:
    """What is taken on each GPU, and in main memory."""
    cards, sizes = machine.cards(), needs.sizes(n_ctx)
    gone, taken, start = 0, [], len(sizes) - layers
    for card, count in zip(cards, split, strict=True):
        here = sum(sizes[start : start + count])
        taken.append(here + needs.working_bytes if count else 0)
        start += count
        if not card.unified:
            gone += here - (sizes[-1] if needs.tied and count and start == len(sizes) else 0)
    return tuple(taken), max(needs.working_bytes, needs.total(n_ctx) - gone)


def working_bytes(batch_tokens: int, n_embd: int, n_vocab: int) -> int:
    """What llama.cpp takes to compute a batch, whatever the context.

    About 16 rows of numbers a token, or, where the vocabulary is large, a number for each of its tokens and two rows.
    """
    return _ROOM + min(batch_tokens, MAX_UBATCH) * max(n_embd * 64, n_vocab * 4 + n_embd * 8)


def attention_bytes(batch_tokens: int, n_heads: int, *, flash: bool) -> int:
    """What attention takes for each token of the context: its mask, and without flash attention every head's scores."""
    return min(batch_tokens, MAX_UBATCH) * (2 + (0 if flash else 4 * n_heads))

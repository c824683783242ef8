"""How much memory a model takes, and whether this computer has it: the same sums for a plan and for a verdict.

Sizes in bytes. The model's needs come from its header where the file is at hand, else from its size and number of
weights; a verdict says which.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from app.core.library import Fit, Quant, Verdict

AUTO_SHARE = 0.85
"""How much of what is free Auto takes, in main memory and on each GPU: running out there ends the process."""
LEAST_CONTEXT = 2048
"""Tokens; Auto takes no fewer, unless the model was trained for less."""
VALUE_BYTES = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
"""Of one value in the KV cache, by its type."""
_ROOM = 32 << 20
"""For llama.cpp's own tables, beyond what is counted."""
_MAX_UBATCH = 512


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
    return _ROOM + min(batch_tokens, _MAX_UBATCH) * max(n_embd * 64, n_vocab * 4 + n_embd * 8)


def attention_bytes(batch_tokens: int, n_heads: int, *, flash: bool) -> int:
    """What attention takes for each token of the context: its mask, and without flash attention every head's scores."""
    return min(batch_tokens, _MAX_UBATCH) * (2 + (0 if flash else 4 * n_heads))


@dataclass(frozen=True, slots=True)
class _Shape:
    """A usual model of up to so many weights: layers, KV values a layer and token (keys alone), width, vocabulary."""

    up_to: float
    layers: int
    kv_values: int
    width: int
    vocabulary: int


# The thriftless one of the well-known models of a size, so that an estimate is rather too high: SmolLM2 360M, Llama 3.2
# 1B, Qwen 2.5 1.5B, Llama 3.2 3B, Mistral 7B and Llama 3.1 8B, Mistral Nemo and Phi 3 medium, Qwen 2.5 14B, Mistral
# Small and Gemma 2 27B, Qwen 2.5 32B, Llama 3.1 70B. From their config.json on the Hub.
_SHAPES = (
    _Shape(0.7e9, 32, 320, 960, 49_152),
    _Shape(1.4e9, 16, 512, 2048, 128_256),
    _Shape(2.2e9, 28, 512, 2048, 151_936),
    _Shape(5.0e9, 32, 1024, 3072, 128_256),
    _Shape(9.5e9, 32, 1024, 4096, 128_256),
    _Shape(13.5e9, 40, 1280, 5120, 131_072),
    _Shape(18.0e9, 48, 1024, 5120, 151_936),
    _Shape(28.0e9, 46, 2048, 5120, 131_072),
    _Shape(50.0e9, 64, 1024, 5120, 151_936),
    _Shape(float("inf"), 80, 1024, 8192, 128_256),
)
# Llama 2 7B and 13B keep keys for every head, four times what others of their size do.
_MANY_HEADS = {"llama": ((6.70e9, 6.78e9, 32, 4096), (12.9e9, 13.1e9, 40, 5120))}
_USUAL_BITS = 4.85
_POOR_BITS = 3.3
"""Below this, answers get clearly worse: better slower and right."""


def estimate(size_bytes: int, n_params: int | None = None, architecture: str = "", n_ctx_train: int = 0) -> Needs:
    """Needs from a listing alone: the file's size, and its number of weights where the Hub tells it."""
    count = float(n_params or size_bytes * 8 / _USUAL_BITS)
    shape = next(shape for shape in _SHAPES if count <= shape.up_to)
    layers, kv_values = shape.layers, shape.kv_values
    for low, high, many_layers, many_values in _MANY_HEADS.get(architecture, ()):
        if low <= count <= high:
            layers, kv_values = many_layers, many_values
    kv = layers * kv_values * 2 * VALUE_BYTES["f16"] + attention_bytes(_MAX_UBATCH, 0, flash=True)
    return Needs(size_bytes, kv, working_bytes(_MAX_UBATCH, shape.width, shape.vocabulary), layers, n_ctx_train)


def verdict(needs: Needs, n_ctx: int, machine: Machine) -> Verdict:
    """How a model with these needs runs on this machine with a context of so many tokens."""
    total, placed, free = needs.total(n_ctx), offload(needs, n_ctx, machine), machine.free_bytes
    layers = placed.layers
    whole = layers > needs.n_layers
    if free is None:
        fit = Fit.GPU if whole else Fit.UNKNOWN
    elif placed.main_bytes > free or _least(needs, n_ctx, machine) > free * AUTO_SHARE:
        fit = Fit.TOO_BIG
    elif whole:
        fit = Fit.GPU
    else:
        fit = Fit.PARTLY if layers else Fit.MEMORY
    return Verdict(
        fit,
        total,
        min(layers, needs.n_layers),
        needs.n_layers,
        needs.estimated,
        (
            ("Weights", needs.weights_bytes),
            ("KV cache", int(n_ctx * needs.kv_bytes_per_token)),
            ("Working room", needs.working_bytes),
        ),
    )


def _least(needs: Needs, n_ctx: int, machine: Machine) -> int:
    """Main memory that Auto takes when it takes as little as it can."""
    return offload(needs, min(n_ctx, LEAST_CONTEXT), machine).main_bytes


def recommended(choices: Sequence[tuple[Quant, Verdict]], n_params: int | None = None) -> Quant | None:
    """The quant that most people want here: the usual balance for the model's size among those that run whole.

    Small models lose more by quantisation and cost little, so they get more bits. None where nothing runs.
    """
    spare = None
    for good in (Fit.GPU, Fit.MEMORY, Fit.PARTLY, Fit.UNKNOWN):
        fitting = [quant for quant, found in choices if found.fit is good and quant.files]
        if not fitting:
            continue
        wanted = _wanted_bits(n_params or max(quant.size_bytes for quant in fitting) * 8 // 9)
        best = min(fitting, key=lambda quant: _distance(quant, n_params, wanted))
        if _bits(best, n_params) >= _POOR_BITS:
            return best
        spare = spare or best
    return spare


def _distance(quant: Quant, n_params: int | None, wanted: float) -> tuple[float, bool]:
    """Of two quants equally near, the one that is not an i-quant is nearer: those are slow without a GPU."""
    return round(abs(_bits(quant, n_params) - wanted), 1), quant.label.startswith("I")


def _bits(quant: Quant, n_params: int | None) -> float:
    return quant.bits or (quant.size_bytes * 8 / n_params if n_params else _USUAL_BITS)


def _wanted_bits(n_params: int) -> float:
    if n_params < 1.2e9:
        return 8.5
    return 6.6 if n_params < 2.5e9 else _USUAL_BITS

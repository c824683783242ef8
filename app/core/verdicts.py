"""Whether this computer has the memory for a model, and which of its quants to take: by the sums that a plan uses.

Sizes in bytes. The model's needs come from its header where the file is at hand, else from its size and number of
weights; a verdict says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.core.fit import (
    AUTO_SHARE,
    LEAST_CONTEXT,
    MAX_UBATCH,
    VALUE_BYTES,
    Machine,
    Needs,
    attention_bytes,
    offload,
    working_bytes,
)

if TYPE_CHECKING:
    from app.core.library import Quant


class Fit(StrEnum):
    """How a model would run on this computer."""

    GPU = "gpu"
    PARTLY = "partly"
    MEMORY = "memory"
    TOO_BIG = "too big"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a model would run here, and why. `needed_bytes`: weights, KV cache and working room."""

    fit: Fit
    needed_bytes: int
    gpu_layers: int = 0
    n_layers: int = 0
    estimated: bool = True
    """From sizes alone; False where the file's own header was read."""
    parts: tuple[tuple[str, int], ...] = ()
    """What the memory is for: ("Weights", bytes), ("KV cache", bytes), ("Working room", bytes)."""


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
    kv = layers * kv_values * 2 * VALUE_BYTES["f16"] + attention_bytes(MAX_UBATCH, 0, flash=True)
    return Needs(size_bytes, kv, working_bytes(MAX_UBATCH, shape.width, shape.vocabulary), layers, n_ctx_train)


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

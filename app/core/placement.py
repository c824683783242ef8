"""How a loaded model really runs, and what of it lies on which device. Sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placed:
    """What of a loaded model lies on one device. `work` is what it computes in.

    `mapped` of the weights are the file itself, which gives way like any cache.
    """

    device: str
    weights: int = 0
    context: int = 0
    work: int = 0
    mapped: int = 0

    @property
    def total(self) -> int:
        """Everything there."""
        return self.weights + self.context + self.work

    @property
    def taken(self) -> int:
        """How much less is free because of it."""
        return self.total - self.mapped


@dataclass(frozen=True, slots=True)
class Placement:
    """How a model really runs: what Auto and the person's wishes came to, and where llama.cpp put what.

    `gpu_layers` of `n_layers` + 1 are on GPUs, the output being the last. `why_cpu`: why none is, although one was
    asked for or there is a GPU and Auto decided; else "".
    """

    gpu_layers: int = 0
    threads: int = 0
    batch_tokens: int = 0
    kv_type: str = ""
    flash_attention: bool | None = None
    mmap: bool = True
    placed: tuple[Placed, ...] = ()
    why_cpu: str = ""
    adapters: tuple[str, ...] = ()
    """The LoRA adapters in force, each with its weight, in words."""

    def on(self, device: str) -> Placed:
        """What lies on a device."""
        return next((part for part in self.placed if part.device == device), Placed(device))

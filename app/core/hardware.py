"""What a computer has to run models with, and what a loaded model really took of it: plain values for every floor.

Sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.fit import Gpu, Machine, Needs

CPU = "CPU"
"""The name of main memory and the processor among devices, as llama.cpp has it."""


class DeviceKind(StrEnum):
    """What llama.cpp takes a device for."""

    CPU = "cpu"
    GPU = "gpu"
    INTEGRATED = "integrated"
    """A GPU that has the computer's own memory."""
    ACCELERATOR = "accelerator"
    """Helps the processor, such as BLAS."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device of a backend. Memory is 0 where the driver does not tell; `id` tells one card from another."""

    name: str
    description: str
    kind: DeviceKind
    backend: str
    free_bytes: int = 0
    total_bytes: int = 0
    id: str = ""

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.description or self.name

    @property
    def unified(self) -> bool:
        """Whether its memory is the computer's own."""
        return self.kind is DeviceKind.INTEGRATED or self.backend in {"Metal", "MTL"}


class BackendState(StrEnum):
    """What became of a backend."""

    READY = "ready"
    """There, with a device that can be used."""
    REFUSED = "refused"
    """There, but it cannot be used."""
    ABSENT = "absent"
    """Not part of this build of llama.cpp."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One of llama.cpp's ways to compute, and in a sentence why it is as it is."""

    name: str
    state: BackendState
    reason: str


@dataclass(frozen=True, slots=True)
class Hardware:
    """What was found by one look, `looked_at` seconds since 1970. `trouble`: why llama.cpp itself could not look."""

    cpu: str
    cores: int
    threads: int
    instructions: tuple[str, ...] = ()
    """Instruction sets that this build of llama.cpp uses here."""
    memory_free_bytes: int | None = None
    memory_total_bytes: int | None = None
    devices: tuple[Device, ...] = ()
    backends: tuple[Backend, ...] = ()
    system_info: str = ""
    """As llama.cpp itself writes it."""
    looked_at: float = 0.0
    trouble: str = ""
    advice: str = ""
    """How a GPU could be used that is not; empty where there is nothing to say."""

    def gpus(self) -> tuple[Device, ...]:
        """The GPUs that llama.cpp puts layers on, in its order."""
        return offload_devices(self.devices)

    def machine(self, free_bytes: int | None, held: Mapping[str, int] | None = None) -> Machine:
        """This computer as a plan needs it, with so much main memory free now.

        `held`: bytes by device that a model held when it was looked at, and the next one can have.
        """
        back = held or {}
        return Machine.with_gpus(
            free_bytes,
            self.cores,
            self.memory_total_bytes,
            [
                Gpu(
                    gpu.title,
                    min(gpu.total_bytes, gpu.free_bytes + back.get(gpu.name, 0)) if gpu.total_bytes else None,
                    gpu.total_bytes or None,
                    gpu.unified,
                )
                for gpu in self.gpus()
            ],
        )


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


@dataclass(frozen=True, slots=True)
class Findings:
    """The hardware and how much is free, as one look found it.

    `held`: bytes by device that a model held at the time, which the next one can have.
    """

    hardware: Hardware
    free_bytes: int | None
    held: Mapping[str, int]

    def machine(self, free_bytes: int | None) -> Machine:
        """The computer as a plan needs it, with so much main memory free now."""
        return self.hardware.machine(free_bytes, self.held)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a model would be loaded now. `trouble`: why it would not be; the rest is then as far as it is known.

    `whole_context`: the longest context with which all of it would be on GPUs, where it is not; 0 where there is none.
    """

    n_ctx: int = 0
    gpu_layers: int = 0
    n_layers: int = 0
    threads: int = 0
    batch_tokens: int = 0
    kv_type: str = ""
    mmap: bool = True
    needs: Needs | None = None
    n_ctx_train: int = 0
    whole_context: int = 0
    why_cpu: str = ""
    trouble: str = ""


def offload_devices(devices: Iterable[Device]) -> tuple[Device, ...]:
    """The devices that llama.cpp puts layers on: GPUs, one that two backends know only once; else integrated ones.

    See llama_prepare_model_devices in llama.cpp's src/llama.cpp.
    """
    found: list[Device] = []
    integrated: list[Device] = []
    for device in devices:
        if device.kind is DeviceKind.GPU and not any(device.id and device.id == other.id for other in found):
            found.append(device)
        elif device.kind is DeviceKind.INTEGRATED and (not integrated or integrated[-1].backend == device.backend):
            integrated.append(device)
    return tuple(found or integrated)


def from_plain(plain: Mapping[str, Any]) -> Hardware:
    """The value that `dataclasses.asdict` and JSON made of one.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    values = dict(plain)
    devices = [Device(**{**one, "kind": DeviceKind(one["kind"])}) for one in _all(values.pop("devices"))]
    backends = [Backend(**{**one, "state": BackendState(one["state"])}) for one in _all(values.pop("backends"))]
    instructions = tuple(map(str, values.pop("instructions")))
    return Hardware(devices=tuple(devices), backends=tuple(backends), instructions=instructions, **values)


def _all(values: Any) -> Sequence[dict[str, Any]]:
    if not isinstance(values, list | tuple):
        raise TypeError(values)
    return values

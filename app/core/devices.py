"""The devices that llama.cpp computes on, as it tells of them. Sizes in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.fit import Gpu

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


def cards_of(devices: Iterable[Device], held: Mapping[str, int] | None = None) -> list[Gpu]:
    """The GPUs among these devices that llama.cpp puts layers on, as a plan needs them.

    `held`: bytes by device that a model held when it was looked at, and the next one can have.
    """
    back = held or {}
    return [
        Gpu(
            gpu.title,
            min(gpu.total_bytes, gpu.free_bytes + back.get(gpu.name, 0)) if gpu.total_bytes else None,
            gpu.total_bytes or None,
            gpu.unified,
        )
        for gpu in offload_devices(devices)
    ]

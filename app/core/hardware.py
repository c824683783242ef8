"""What a computer has to run models with, and how a model would be loaded on it: plain values for every floor.

Sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.devices import Device, DeviceKind, cards_of, offload_devices
from app.core.fit import Machine, Needs


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
        cards = cards_of(self.devices, held)
        return Machine.with_gpus(free_bytes, self.cores, self.memory_total_bytes, cards)


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

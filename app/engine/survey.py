"""What llama.cpp finds on this computer, looked at in a process of its own: a driver that crashes costs nothing else.

Started by `probe.py` as `orcinus --hardware`; the answer is one JSON object on standard output.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from app.core.devices import CPU, Device, DeviceKind
from app.core.hardware import Backend, BackendState, Hardware
from app.engine import drivers, memory

_SETTING = re.compile(r"\b([A-Z][A-Z0-9_]*) = 1\b")
_NO_SETS = {"LLAMAFILE", "OPENMP", "REPACK", "ACCELERATE", "KLEIDIAI"}
"""Of what llama.cpp lists, ways of building it and no instructions of the processor."""
_TITLES = {"MTL": "Metal", "HIP": "ROCm"}
_LIBRARIES = {"CUDA": "cuda", "ROCm": "hip", "Vulkan": "vulkan", "Metal": "metal"}
_BUILDS = {"CUDA": ("cuda", "the CUDA toolkit"), "Vulkan": ("vulkan", "the Vulkan SDK")}


def main() -> int:
    """Look, and write down what was found; returns the exit code."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what llama.cpp and its drivers print goes to standard error
    found = survey()
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        json.dump(dataclasses.asdict(found), stream)
    return 0


def survey() -> Hardware:
    """Everything that can be found out; opens llama.cpp and the drivers of GPUs in this process."""
    from app.engine.devices import library

    native = library()
    devices = native.devices()
    names = [_TITLES.get(name, name) for name in native.backends()]
    info = " ".join(native.llama.llama_print_system_info().decode("utf-8", "replace").split())
    backends = tuple(_backends(names, devices, native.folder, native.first_lines, info))
    return Hardware(
        cpu=next((device.title for device in devices if device.kind is DeviceKind.CPU), "") or memory.processor_name(),
        cores=memory.physical_cores(),
        threads=os.cpu_count() or 1,
        instructions=instructions(info),
        memory_free_bytes=memory.free_bytes(),
        memory_total_bytes=memory.total_bytes(),
        devices=devices,
        backends=backends,
        system_info=info,
        looked_at=time.time(),
        advice=_advice(backends),
    )


def instructions(system_info: str) -> tuple[str, ...]:
    """The processor's instruction sets in what llama.cpp says of its build."""
    part = next((part for part in system_info.split(" | CUDA :") if "CPU :" in part), system_info)
    return tuple(name for name in _SETTING.findall(part.partition("CPU :")[2]) if name not in _NO_SETS)


def _backends(
    opened: Sequence[str], devices: Sequence[Device], folder: Path | None, lines: Sequence[str], info: str
) -> list[Backend]:
    known = ["Metal"] if sys.platform == "darwin" else ["CUDA", "Vulkan", "ROCm"]
    found = []
    for name in dict.fromkeys([*opened, *known]):
        own = [device for device in devices if _TITLES.get(device.backend, device.backend) == name]
        if name == CPU:
            found.append(Backend(name, BackendState.READY, _processor_words(lines, info)))
        elif own:
            found.append(Backend(name, BackendState.READY, "Found " + ", ".join(device.title for device in own) + "."))
        elif name in opened:
            found.append(Backend(name, BackendState.REFUSED, drivers.why_no_device(name)))
        else:
            found.append(_not_opened(name, folder))
    return found


def _processor_words(lines: Sequence[str], info: str) -> str:
    """Which of several builds for processors was taken, or what the only one is for."""
    named = [found[1] for line in lines if (found := re.search(r"ggml-cpu-([\w-]+)\.", line))]
    sets = ", ".join(instructions(info)) or "no special instructions"
    return f"The build for {named[-1]} was chosen: {sets}." if named else f"Built for {sets}."


def _not_opened(name: str, folder: Path | None) -> Backend:
    kind = _LIBRARIES[name]
    files = sorted(folder.glob(f"*ggml-{kind}*")) if folder is not None else []
    if files:
        return Backend(name, BackendState.REFUSED, drivers.why_not_opened(name, str(files[0])))
    driver = drivers.gpu_of(name)
    words = f"This computer could use it: {driver} is there." if driver else "No driver for it was found either."
    return Backend(name, BackendState.ABSENT, words)


def _advice(backends: Sequence[Backend]) -> str:
    """As in README, GPU builds; "" where a GPU can be used, or no build or download would help."""
    if sys.platform == "darwin" or any(b.state is BackendState.READY and b.name in _LIBRARIES for b in backends):
        return ""
    absent = [b for b in backends if b.state is BackendState.ABSENT and b.name in _BUILDS]
    if getattr(sys, "frozen", False):
        cuda = any(b.name == "CUDA" and drivers.gpu_of("CUDA") for b in absent)
        return "There is a larger download of Orcinus for NVIDIA cards." if cuda else ""
    wanted = [b for b in absent if drivers.gpu_of(b.name)] or absent
    ways = "; ".join(
        f"python3 packaging/dev.py --gpu {_BUILDS[b.name][0]} run (needs {_BUILDS[b.name][1]})" for b in wanted
    )
    return f"The packages are compiled for the CPU. For a GPU, once, in the source: {ways}." if ways else ""

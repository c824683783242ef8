"""Where llama.cpp really put a model, read from its own lines while it loaded: it has no function that tells.

The lines are written by `load_tensors`, `llama_kv_cache`, `llama_context` and `sched_reserve` of llama.cpp; see
llama_model::load_tensors in src/llama-model.cpp and its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.core.devices import CPU
from app.core.placement import Placed, Placement
from app.engine.devices import Library
from app.engine.plan import Plan

_BUFFER = re.compile(r"(?:^|\s)(\S+)\s+(model|LoRA|KV|RS|output|compute) buffer size\s*=\s*([\d.]+) MiB")
_FLASH = re.compile(r"Flash Attention (enabled|disabled)")
_LAYERS = re.compile(r"offloaded (\d+)/\d+ layers to GPU")
_NEW_CONTEXT = "constructing llama_context"
_MIB = 1 << 20
_PARTS = ("weights", "mapped", "context", "work")
_WEIGHTS, _CONTEXT = {"model", "LoRA"}, {"KV", "RS"}


def placement(native: Library, how: Plan, adapters: Sequence[str] = ()) -> Placement:
    """How the model that was loaded last runs. `adapters`: in words, which are attached to it."""
    lines = list(native.lines)
    where = placed(lines, [gpu.name for gpu in native.gpus()])
    layers, why_cpu = layers_on_gpus(lines, where), how.why_cpu
    if how.gpu_layers and not layers:
        why_cpu = "llama.cpp put no layer on the GPU, although there was room for some."
    flash = flash_attention(lines) if how.flash_attention == "auto" else how.flash_attention == "on"
    return Placement(
        gpu_layers=layers,
        threads=how.threads,
        batch_tokens=how.batch_tokens,
        kv_type=how.type_k if how.type_k == how.type_v else f"{how.type_k} and {how.type_v}",
        flash_attention=flash,
        mmap=how.mmap,
        placed=where,
        why_cpu=why_cpu,
        adapters=tuple(adapters),
    )


def devices(native: Library, where: Placement) -> tuple[str, ...]:
    """The devices that a model's weights lie on, each with its name for people: "NVIDIA H100 (CUDA0)"."""
    titles = {device.name: device.title for device in native.devices()}
    used = [part.device for part in where.placed if part.weights] or [CPU]
    return tuple(name if titles.get(name, name) == name else f"{titles[name]} ({name})" for name in used)


def placed(lines: Iterable[str], gpus: Sequence[str]) -> tuple[Placed, ...]:
    """What lies on each device, GPUs first in the order of `gpus`, main memory last.

    Of several contexts the last one counts. What a GPU shares with the processor lies in main memory. What llama.cpp
    arranged anew for the processor ("CPU_REPACK") is a copy, after which its place in the mapped file is not needed.
    """
    sums: dict[str, dict[str, float]] = {}
    for line in lines:
        if _NEW_CONTEXT in line:
            for of_device in sums.values():
                of_device |= {"context": 0.0, "work": 0.0}
        if found := _BUFFER.search(line):
            buffer, what, size = found.groups()
            part = "weights" if what in _WEIGHTS else "context" if what in _CONTEXT else "work"
            part = "mapped" if part == "weights" and buffer.endswith("_Mapped") else part
            of_device = sums.setdefault(_device(buffer, gpus), dict.fromkeys(_PARTS, 0.0))
            of_device[part] += float(size)
    return tuple(_summed(name, sums[name]) for name in (*gpus, CPU) if name in sums)


def layers_on_gpus(lines: Iterable[str], where: Iterable[Placed]) -> int:
    """How many layers are on GPUs, the output counted as one."""
    if not any(part.weights for part in where if part.device != CPU):
        return 0
    counts = [int(found[1]) for line in lines if (found := _LAYERS.search(line))]
    return counts[-1] if counts else 0


def flash_attention(lines: Iterable[str]) -> bool | None:
    """Whether flash attention is in use, where llama.cpp decided itself; None where it did not say."""
    said = [found[1] == "enabled" for line in lines if (found := _FLASH.search(line))]
    return said[-1] if said else None


def _summed(name: str, parts: dict[str, float]) -> Placed:
    copied, mapped, context, work = (int(parts[part] * _MIB) for part in _PARTS)
    return Placed(name, max(copied, mapped), context, work, max(0, mapped - copied))


def _device(buffer: str, gpus: Sequence[str]) -> str:
    """The device that a buffer belongs to: "CUDA0_Split" is CUDA0's, "CUDA_Host" and "CPU_Mapped" are main memory."""
    return next((name for name in gpus if buffer == name or buffer.startswith(f"{name}_")), CPU)

"""Hardware in words, the same for the page, the command line and a report to copy; nothing in it names a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.core.devices import CPU, Device, DeviceKind
from app.core.hardware import BackendState, Hardware
from app.core.placement import Placed, Placement

STATES = {
    BackendState.READY: "Found",
    BackendState.REFUSED: "Refused",
    BackendState.ABSENT: "Not in this build",
}


def gib(size_bytes: int | None) -> str:
    """A size in memory, in powers of two: "7.3 GiB"; "an unknown amount" where nobody tells."""
    return "an unknown amount" if size_bytes is None else f"{size_bytes / 2**30:.1f} GiB"


def backend_title(name: str) -> str:
    """A backend's name for people."""
    return "Processor" if name == CPU else name


def cores_words(hardware: Hardware) -> str:
    """Cores and threads: "8 cores, 16 threads"."""
    cores = "1 core" if hardware.cores == 1 else f"{hardware.cores} cores"
    return f"{cores}, 1 thread" if hardware.threads == 1 else f"{cores}, {hardware.threads} threads"


def instruction_words(hardware: Hardware) -> str:
    """The newest of the instruction sets in use, which stand for the older ones: "AVX2, FMA, AVX-512"."""
    known = {name: name.replace("AVX512", "AVX-512").replace("_", " ") for name in hardware.instructions}
    telling = ("AVX2", "AVX_VNNI", "AVX512", "AMX_INT8", "NEON", "DOTPROD", "MATMUL_INT8", "SVE", "SME", "VSX")
    return ", ".join(known[name] for name in telling if name in known) or ", ".join(known.values())


def memory_words(device: Device) -> str:
    """A device's memory: "7.4 of 8.0 GiB free"."""
    if not device.total_bytes:
        return "its driver does not tell its memory"
    return f"{device.free_bytes / 2**30:.1f} of {gib(device.total_bytes)} free"


def layers_words(placement: Placement, n_layers: int) -> str:
    """How far it is offloaded: "28 of 33 layers on the GPU"."""
    return f"{placement.gpu_layers} of {n_layers + 1} layers on the GPU"


def where_words(placement: Placement, n_layers: int) -> str:
    """Where a model runs, in a word or two."""
    if placement.gpu_layers > n_layers:
        return "GPU"
    return "GPU + CPU" if placement.gpu_layers else "CPU (asked GPU)" if placement.why_cpu else "CPU"


def parts_words(part: Placed) -> str:
    """What a model has on one device."""
    sizes = (("weights", part.weights), ("KV cache", part.context), ("compute buffers", part.work))
    return ", ".join(f"{name} {size / 2**20:,.1f} MiB" for name, size in sizes)


def hardware_lines(hardware: Hardware) -> Iterator[str]:
    """What was found, line by line."""
    yield f"Processor: {hardware.cpu or 'unknown'}, {cores_words(hardware)}"
    if hardware.instructions:
        yield f"  Instruction sets in use: {', '.join(hardware.instructions)}"
    total = f" of {gib(hardware.memory_total_bytes)}" if hardware.memory_total_bytes else ""
    yield f"Memory: {gib(hardware.memory_free_bytes)}{total} free"
    for device in hardware.devices:
        if device.kind is not DeviceKind.CPU:
            kind = " (has the computer's own memory)" if device.unified else ""
            yield f"{device.backend} {device.name}: {device.title}{kind}, {memory_words(device)}"
    if not hardware.gpus():
        yield "GPU: none that llama.cpp can use"
    yield "Backends:"
    for backend in hardware.backends:
        yield f"  {backend_title(backend.name)}: {STATES[backend.state].lower()}. {backend.reason}"
    if hardware.advice:
        yield f"  {hardware.advice}"
    if hardware.system_info:
        yield f"llama.cpp: {hardware.system_info}"


def placement_lines(name: str, n_layers: int, n_ctx: int, placement: Placement) -> Iterator[str]:
    """How a loaded model really runs, line by line."""
    yield f"Loaded: {name}, {where_words(placement, n_layers)}, {layers_words(placement, n_layers)}"
    flash = {True: "on", False: "off", None: "unknown"}[placement.flash_attention]
    yield (
        f"  Context {n_ctx:,} tokens, KV cache {placement.kv_type}, flash attention {flash}, {placement.threads} "
        f"threads, batch {placement.batch_tokens}, mmap {'on' if placement.mmap else 'off'}"
    )
    for part in placement.placed:
        yield f"  {part.device}: {parts_words(part)}"
    for adapter in placement.adapters:
        yield f"  LoRA adapter {adapter}"
    if placement.why_cpu:
        yield f"  {placement.why_cpu}"


def checked_words(hardware: Hardware, now: datetime) -> str:
    """When it was looked at: "Checked today at 10:41"."""
    then = datetime.fromtimestamp(hardware.looked_at, tz=now.tzinfo)
    day = "today" if then.date() == now.date() else f"on {then:%d %B}".replace(" 0", " ")
    return f"Checked {day} at {then:%H:%M}"

"""How much memory is free on this machine and how many cores it has, without asking llama.cpp."""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
from pathlib import Path

_CORES = 0
"""RelationProcessorCore."""
_ENTRY = struct.Struct("<II")


def free_bytes() -> int | None:
    """Memory that can be had without swapping, file cache counted as free; None where the system does not tell."""
    try:
        if sys.platform == "win32":
            return _windows_status()[1]
        if sys.platform == "darwin":
            from app.engine import mac_memory

            return mac_memory.free_bytes()
        return _linux_free()
    except (OSError, ValueError):
        return None


def total_bytes() -> int | None:
    """All memory of this machine, or of the container it runs in; None where the system does not tell."""
    try:
        if sys.platform == "win32":
            return _windows_status()[0]
        if sys.platform == "darwin":
            from app.engine import mac_memory

            return int(mac_memory.sysctl("hw.memsize"))
        found = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
        limit = _read("/sys/fs/cgroup/memory.max")
        total = int(found[1]) * 1024 if found else None
        return min(total, int(limit)) if total and limit.isdigit() else total
    except (OSError, ValueError):
        return None


def physical_cores() -> int:
    """Cores without their hyper-threads, as far as this process may use them; at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        if sys.platform == "darwin":
            from app.engine.mac_memory import sysctl

            known = int(sysctl("hw.perflevel0.physicalcpu") or sysctl("hw.physicalcpu") or 0)
        elif sys.platform == "win32":
            known = cores_told(_windows_cores())
        else:
            known = _linux_cores()
    except (OSError, ValueError):
        known = 0
    return max(1, min(known or usable, usable))


def processor_name() -> str:
    """The processor's name as its maker gives it; "" where the system does not tell."""
    try:
        if sys.platform == "darwin":
            from app.engine import mac_memory

            return mac_memory.sysctl("machdep.cpu.brand_string")
        if sys.platform == "win32":
            return os.environ.get("PROCESSOR_IDENTIFIER", "")
        found = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
        return " ".join(found[1].split()) if found else ""
    except (OSError, ValueError):
        return ""


def _linux_free() -> int:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    if not found:
        raise ValueError
    free = int(found[1]) * 1024
    limit, used = _read("/sys/fs/cgroup/memory.max"), _read("/sys/fs/cgroup/memory.current")
    if limit.isdigit() and used.isdigit():
        # file cache counts as used there but gives way
        cache = re.search(r"^inactive_file (\d+)", _read("/sys/fs/cgroup/memory.stat"), re.MULTILINE)
        free = min(free, int(limit) - int(used) + (int(cache[1]) if cache else 0))
    return max(0, free)


def _linux_cores() -> int:
    siblings = set()
    for cpu in os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ():
        siblings.add(_read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings") or str(cpu))
    return len(siblings)


def _windows_status() -> tuple[int, int]:
    """Total and free bytes."""

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = [
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            ("total", ctypes.c_uint64),
            ("free", ctypes.c_uint64),
            ("rest", ctypes.c_uint64 * 5),
        ]

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined,unused-ignore]
        raise OSError
    return int(status.total), int(status.free)


def _windows_cores() -> bytes:
    """What GetLogicalProcessorInformationEx writes of the cores."""
    ask = ctypes.windll.kernel32.GetLogicalProcessorInformationEx  # type: ignore[attr-defined,unused-ignore]
    length = ctypes.c_uint32(0)
    ask(_CORES, None, ctypes.byref(length))
    told = ctypes.create_string_buffer(length.value)
    if not ask(_CORES, told, ctypes.byref(length)):
        raise OSError
    return told.raw[: length.value]


def cores_told(told: bytes) -> int:
    """How many cores are in SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX entries; each begins with its kind and length."""
    cores = at = 0
    while at + _ENTRY.size <= len(told):
        kind, length = _ENTRY.unpack_from(told, at)
        if length < _ENTRY.size:
            break
        cores += kind == _CORES and at + length <= len(told)
        at += length
    return cores


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""

"""Drivers of GPUs, asked without llama.cpp: why a backend that is there finds nothing.

Opens foreign libraries, so it belongs into a process that may die.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_LIBRARIES = {
    "CUDA": {"win32": "nvcuda.dll", "linux": "libcuda.so.1"},
    "ROCm": {"win32": "amdhip64.dll", "linux": "libamdhip64.so"},
    "Vulkan": {"win32": "vulkan-1.dll", "linux": "libvulkan.so.1"},
}
_DRIVERS = {"CUDA": "NVIDIA’s driver", "ROCm": "AMD’s ROCm driver", "Vulkan": "the Vulkan loader"}
_CPU_TYPE = 4
"""VK_PHYSICAL_DEVICE_TYPE_CPU."""
_MOST_DEVICES = 16
_TYPE_AT, _NAME_AT, _NAME_BYTES = 16, 20, 256
"""Where VkPhysicalDeviceProperties has deviceType and deviceName."""


def why_no_device(backend: str) -> str:
    """Why a backend that was opened has no device; a sentence."""
    if not _driver(backend):
        return f"It is there, but {_DRIVERS.get(backend, 'its driver')} was not found."
    if backend == "Vulkan":
        software = [name for name, kind in vulkan_devices() if kind == _CPU_TYPE]
        if software:
            return f"Only a slow software renderer answered ({software[0]}); no driver of a GPU did."
    return "Its driver is there, but it offers no GPU."


def why_not_opened(backend: str, path: str) -> str:
    """Why a backend's own library cannot be opened; a sentence."""
    try:
        ctypes.CDLL(path)
    except OSError as error:
        # a bundle's loader puts words of its own around the system's
        missing = str(error.__cause__ or error).split(": ", 1)
        driver = f" {_DRIVERS[backend].capitalize()} was not found." if not _driver(backend) else ""
        return f"Its library is there but cannot be opened: {missing[0]}.{driver}"
    return "Its library is there, but it does not support this computer."


def gpu_of(backend: str) -> str:
    """The name of the GPU that a backend could use if it were there, or of its driver; "" where there is none."""
    if not _driver(backend):
        return ""
    if backend == "Vulkan":
        return next((name for name, kind in vulkan_devices() if kind != _CPU_TYPE), "")
    return _DRIVERS[backend]


@cache
def vulkan_devices() -> tuple[tuple[str, int], ...]:
    """The names and types of all that Vulkan offers, software too."""
    name = _LIBRARIES["Vulkan"].get(sys.platform, "")
    try:
        vulkan = ctypes.CDLL(name)
        return _enumerated(vulkan)
    except (OSError, AttributeError):
        return ()


def _enumerated(vulkan: ctypes.CDLL) -> tuple[tuple[str, int], ...]:
    # VkInstanceCreateInfo with nothing set but its type, which is 1
    wanted = (ctypes.c_uint64 * 8)(1)
    instance = ctypes.c_void_p()
    if vulkan.vkCreateInstance(ctypes.byref(wanted), None, ctypes.byref(instance)) != 0:
        return ()
    try:
        count = ctypes.c_uint32(_MOST_DEVICES)
        devices = (ctypes.c_void_p * _MOST_DEVICES)()
        if vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), devices) < 0:
            return ()
        found = []
        for device in devices[: count.value]:
            properties = ctypes.create_string_buffer(4096)
            vulkan.vkGetPhysicalDeviceProperties(ctypes.c_void_p(device), properties)
            kind = int.from_bytes(properties.raw[_TYPE_AT : _TYPE_AT + 4], sys.byteorder)
            text = properties.raw[_NAME_AT : _NAME_AT + _NAME_BYTES].split(b"\0")[0]
            found.append((text.decode("utf-8", "replace"), kind))
        return tuple(found)
    finally:
        vulkan.vkDestroyInstance(instance, None)


@cache
def _driver(backend: str) -> bool:
    name = _LIBRARIES.get(backend, {}).get(sys.platform, "")
    try:
        return bool(name and ctypes.CDLL(name))
    except OSError:
        return False

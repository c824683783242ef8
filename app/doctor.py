"""What Orcinus finds on this computer: versions, devices, memory and places, for a person or a bug report."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Mapping
from typing import Any

import app
from app.core.errors import AppError
from app.engine import devices, memory
from app.paths import find_paths

_PACKAGES = (
    "PySide6-Essentials",
    "llama-cpp-python",
    "apsw",
    "huggingface-hub",
    "keyring",
    "Jinja2",
    "markdown-it-py",
    "Pygments",
    "ziamath",
)


def examine() -> dict[str, Any]:
    """Everything, as plain data; what cannot be found out stands there as the reason why. Sizes in bytes."""
    return {
        "orcinus": app.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _try(lambda name=name: importlib.metadata.version(name)) for name in _PACKAGES},  # type: ignore[misc]
        "sqlite": _try(_sqlite),
        "cpu": {"threads": os.cpu_count(), "cores": _try(memory.physical_cores)},
        "memory_free_bytes": _try(memory.free_bytes),
        "gpus": _try(_gpus),
        "gpu_build": _try(_gpu_build),
        "places": _try(_places),
        "display": os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ("yes" if _has_desktop() else ""),
        "starter_model": _try(_starter),
    }


def readable(report: Mapping[str, Any]) -> str:
    """The report as lines for a person."""
    lines = [f"Orcinus {report['orcinus']}, Python {report['python']}, {report['system']}"]
    lines += [f"  {name} {version}" for name, version in report["packages"].items()]
    lines.append(f"  SQLite {report['sqlite']}")
    cpu = report["cpu"]
    lines.append(f"CPU: {cpu['cores']} cores, {cpu['threads']} threads")
    free = report["memory_free_bytes"]
    lines.append(f"Memory free: {free / 2**30:.1f} GiB" if isinstance(free, int) else f"Memory free: {free}")
    gpus = report["gpus"]
    if isinstance(gpus, list):
        for gpu in gpus:
            lines.append(
                f"GPU: {gpu['name']}, {gpu['free_bytes'] / 2**30:.1f} of {gpu['total_bytes'] / 2**30:.1f} GiB free"
            )
        if not gpus:
            built = "has no GPU backend: see README, GPU builds" if not report["gpu_build"] else "found no device"
            lines.append(f"GPU: none; this build of llama.cpp {built}")
    else:
        lines.append(f"GPU: {gpus}")
    places = report["places"]
    if isinstance(places, dict):
        lines += [f"{name.replace('_', ' ').capitalize()}: {place}" for name, place in places.items() if place]
    lines.append(f"Display: {report['display'] or 'none; use the command line'}")
    lines.append(f"Starter model: {report['starter_model']}")
    return "\n".join(lines)


def _try(find: Callable[[], Any]) -> Any:
    try:
        return find()
    except AppError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  (a report must come out whatever is broken)
        return f"{type(error).__name__}: {error}"


def _sqlite() -> str:
    import apsw

    return str(apsw.sqlite_lib_version())


def _gpus() -> list[dict[str, Any]]:
    return [
        {"name": gpu.name, "free_bytes": gpu.free_bytes, "total_bytes": gpu.total_bytes}
        for gpu in devices.library().gpus()
    ]


def _gpu_build() -> bool:
    return bool(devices.library().llama.llama_supports_gpu_offload())


def _places() -> dict[str, str]:
    paths = find_paths(os.environ)
    return {
        "data": str(paths.data_dir),
        "database": str(paths.database or "in memory only"),
        "logs": str(paths.logs_dir),
        "resources": str(paths.resources_dir),
        "warning": paths.warning,
    }


def _starter() -> str:
    from app.engine.model_file import inspect
    from app.hub.catalog import read_catalog

    bundled = [entry for entry in read_catalog(find_paths(os.environ).resources_dir).entries if entry.file is not None]
    if not bundled:
        return "missing"
    file = inspect(str(bundled[0].file))
    return f"{file.name}, {file.size_bytes / 1e6:.1f} MB, sound"


def _has_desktop() -> bool:
    return sys.platform in {"win32", "darwin"}

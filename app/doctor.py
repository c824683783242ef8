"""What Orcinus finds on this computer: versions, devices, memory and places, for a person or a bug report."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Mapping
from typing import Any

import app
from app.core.errors import AppError
from app.core.hardware import from_plain
from app.core.hardware_words import hardware_lines, placement_lines
from app.engine.base import ModelFacts
from app.engine.probe import probe
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
        "hardware": _try(lambda: dataclasses.asdict(probe())),
        "places": _try(_places),
        "display": os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ("yes" if _has_desktop() else ""),
        "starter_model": _try(_starter),
    }


def loaded(facts: ModelFacts) -> dict[str, Any]:
    """How a loaded model runs and where llama.cpp put it, for a report's "loaded". Sizes in bytes."""
    return {"name": facts.name, "n_layers": facts.n_layers, "n_ctx": facts.n_ctx, "placement": facts.placement}


def as_json(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with nothing in it but what JSON knows."""
    if "loaded" not in report:
        return dict(report)
    return {**report, "loaded": {**report["loaded"], "placement": dataclasses.asdict(report["loaded"]["placement"])}}


def readable(report: Mapping[str, Any]) -> str:
    """The report as lines for a person."""
    lines = [f"Orcinus {report['orcinus']}, Python {report['python']}, {report['system']}"]
    lines += [f"  {name} {version}" for name, version in report["packages"].items()]
    lines.append(f"  SQLite {report['sqlite']}")
    hardware = report["hardware"]
    lines += list(hardware_lines(from_plain(hardware))) if isinstance(hardware, dict) else [f"Hardware: {hardware}"]
    loaded = report.get("loaded")
    if loaded is not None:
        lines += list(placement_lines(loaded["name"], loaded["n_layers"], loaded["n_ctx"], loaded["placement"]))
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

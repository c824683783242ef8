"""What every installer says of the program alike: names, version, system, and where the parts are built."""

from __future__ import annotations

import platform
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "packaging"
BUILD = ROOT / "build" / "installers"
"""Everything in the making; can be deleted at any time."""
DIST = ROOT / "dist"
"""What is done: the bundle's folder and the installers."""

NAME = "Orcinus"
PROGRAM = "orcinus"
CONSOLE_PROGRAM = "orcinus-console"
"""On Windows alone, where a program with a window cannot write to the terminal that it was started from."""
APP_ID = "io.github.orcinus.orcinus"
MAINTAINER = "The Orcinus authors <orcinus@users.noreply.github.com>"

SYSTEM = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
MACHINE = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())


def project() -> dict[str, object]:
    """The table [project] of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, object] = tomllib.load(file)["project"]
    return table


def version() -> str:
    """The program's version, which stands in one place alone.

    Raises:
        SystemExit: pyproject.toml and app/__init__.py do not agree.
    """
    found = re.search(r'^__version__ = "([^"]+)"', (ROOT / "app" / "__init__.py").read_text("utf-8"), re.MULTILINE)
    if found is None or found[1] != project()["version"]:
        raise SystemExit("app/__init__.py and pyproject.toml name different versions.")
    return found[1]


def summary() -> str:
    """One line on what the program is for."""
    return str(project()["description"])


def bundle_folder() -> Path:
    """The folder that holds the whole program."""
    return DIST / (f"{NAME}.app" if SYSTEM == "macos" else NAME)


def program_file(bundle: Path) -> Path:
    """The executable that opens the window, in a bundle of this system."""
    if SYSTEM == "macos":
        return bundle / "Contents" / "MacOS" / PROGRAM
    return bundle / (f"{PROGRAM}.exe" if SYSTEM == "windows" else PROGRAM)


def installer_name(ending: str, gpu: str = "") -> str:
    """How a download is called: Orcinus-0.1.0-linux-x86_64.deb; `gpu` names the larger ones."""
    return f"{NAME}-{version()}-{SYSTEM}-{MACHINE}{f'-{gpu}' if gpu else ''}{ending}"

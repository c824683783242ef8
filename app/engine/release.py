"""Which release of llama.cpp this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

BINDINGS = "llama-cpp-python"


def release() -> str:
    """The bindings and their version, which stands for one of llama.cpp: "llama-cpp-python 0.3.36"."""
    try:
        return f"{BINDINGS} {version(BINDINGS)}"
    except PackageNotFoundError:
        return f"{BINDINGS} of an unknown version"

"""Which release of llama.cpp this is."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

BINDINGS = "llama-cpp-python"


def release() -> str:
    """The bindings and their version, which stands for one of llama.cpp: "llama-cpp-python 0.3.36"."""
    return f"{BINDINGS} {version() or 'of an unknown version'}"


@cache
def version() -> str:
    """The bindings' version, "" where it cannot be told.

    It stands in the name of the folder that was installed beside them; importing what reads that folder takes longer
    than all else that is done before a model loads.
    """
    found = find_spec("llama_cpp")
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        names = [folder.stem for folder in Path(place).parent.glob("llama_cpp_python-*.dist-info")]
        if len(names) == 1:
            return names[0].partition("-")[2]
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of(BINDINGS)
    except PackageNotFoundError:
        return ""

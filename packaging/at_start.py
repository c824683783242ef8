"""Runs in a bundle before the program: what the loader of the bundle set for itself is not for other programs."""

import os
import sys


def _give_back(name: str) -> None:
    """Undo what the loader did to a search path: a browser or a file manager started from here has its own libraries.

    The loader keeps the person's own value under another name, where there was one. What this process opens itself is
    not touched by this: the path was read when it started.
    """
    before = os.environ.pop(f"{name}_ORIG", None)
    if before:
        os.environ[name] = before
    else:
        os.environ.pop(name, None)


if sys.platform.startswith("linux"):
    _give_back("LD_LIBRARY_PATH")
    # and so the engine's process, which is this very program once more, has to set its own
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"

"""What a bundle runs first: it undoes what the loader set for itself, which is not for other programs, and starts."""

import os
import sys

from app.__main__ import main


def _keep_to_ourselves() -> None:
    """Let a browser or a file manager that is started from here find its own libraries and Qt's plugins of its own.

    What this process opens itself is not touched by this: its search path was read when it started, and the Qt in the
    bundle knows its own place. The loader keeps the person's own value under another name, where there was one.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before:
        os.environ["LD_LIBRARY_PATH"] = before
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)
    for name in ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH"):
        os.environ.pop(name, None)
    # and so the engine's process, which is this very program once more, has to set its own
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"


if __name__ == "__main__":
    if sys.platform.startswith("linux"):
        _keep_to_ourselves()
    raise SystemExit(main())

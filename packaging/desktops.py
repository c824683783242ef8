"""How `smoke.py` sees and drives a window: with xdotool on a display of its own, by Windows' own calls, or hardly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TITLE = "Orcinus"


class Desktop:
    """A screen that can be looked at and typed on. This one, for macOS, can neither."""

    types = False

    def __init__(self) -> None:
        self.environ: dict[str, str] = {}

    def has_window(self) -> bool:
        """Whether the program's window is on screen; where that cannot be seen, whether it could be."""
        return True

    def focus(self) -> None:
        """Give the window the keyboard."""

    def type(self, text: str) -> None:
        """Write."""

    def keys(self, *names: str) -> None:
        """Press keys, as "ctrl+q"."""

    def close_window(self, program: subprocess.Popen[bytes]) -> None:
        """End the program as a person would, or as the system does when somebody logs out."""
        program.terminate()


class X11(Desktop):
    """A display of its own; what xdotool sees and types is real."""

    types = True

    def __init__(self, display: str) -> None:
        super().__init__()
        self.environ = {"DISPLAY": display}
        self._window = ""

    def has_window(self) -> bool:
        """Whether X shows one of this title."""
        told = self._xdotool("search", "--onlyvisible", "--name", TITLE)
        self._window = told.split("\n")[-1]
        return bool(self._window)

    def focus(self) -> None:
        """Without a window manager it is X itself that has to be told."""
        self.has_window()
        self._xdotool("windowfocus", self._window)

    def type(self, text: str) -> None:
        """Every letter as a press of a key."""
        self._xdotool("type", "--delay", "12", text)

    def keys(self, *names: str) -> None:
        """By xdotool's names."""
        self._xdotool("key", *names)

    def close_window(self, program: subprocess.Popen[bytes]) -> None:
        """By its own key, Ctrl+Q."""
        self.focus()
        self._xdotool("key", "ctrl+q")

    def _xdotool(self, *words: str) -> str:
        environ = {**os.environ, **self.environ}
        done = subprocess.run(["xdotool", *words], env=environ, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip()


class Windows(Desktop):
    """The desktop that the person who runs this is logged in to."""

    def has_window(self) -> bool:
        """Whether a window of this title can be seen."""
        return bool(self._window())

    def close_window(self, program: subprocess.Popen[bytes]) -> None:
        """As the cross in its corner does."""
        if sys.platform == "win32":
            import ctypes

            close = 0x0010
            ctypes.windll.user32.PostMessageW(self._window(), close, 0, 0)

    def _window(self) -> int:
        found: list[int] = []
        if sys.platform == "win32":
            import ctypes
            from ctypes import wintypes

            user = ctypes.windll.user32

            @ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)
            def look(window: int, _: int) -> bool:
                text = ctypes.create_unicode_buffer(200)
                user.GetWindowTextW(window, text, 200)
                if user.IsWindowVisible(window) and text.value.endswith(TITLE):
                    found.append(window)
                return True

            user.EnumWindows(look, 0)
        return found[0] if found else 0


@contextmanager
def desktop() -> Iterator[Desktop]:
    """The screen of this system; on Linux a new one that nobody sees."""
    if sys.platform == "win32":
        yield Windows()
        return
    if sys.platform == "darwin":
        yield Desktop()
        return
    missing = [name for name in ("Xvfb", "xdotool") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"For a window this needs {' and '.join(missing)}.")
    read_end, write_end = os.pipe()
    screen = ["-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), *screen], pass_fds=[write_end], stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    with os.fdopen(read_end) as told:
        name = ":" + told.readline().strip()
    try:
        yield X11(name)
    finally:
        server.terminate()
        server.wait(10)

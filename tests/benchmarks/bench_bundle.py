"""Measures a built bundle: from its start to its first paint against a bare PySide6 window, and its memory at rest.

    python tests/benchmarks/bench_bundle.py [PROGRAM] [ROUNDS]

For Linux, on a display of its own (Xvfb). Both are started in turn with warm file caches. The first paint is seen from
outside, as the first pixel in the middle of the screen that is not the display's own black; so the bare window is
measured in the same way. The aim is 1.5 for the ratio of the medians. Memory is each process's proportional share.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "packaging"))

import product
from desktops import desktop

ROOT = product.ROOT
_BARE = """
import sys
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication(sys.argv[:1])
window = QMainWindow()
window.resize(1280, 820)
window.show()
application.exec()
"""
_SETTLE_S = 6


class Screen:
    """Looks at one pixel of a display, a thousand times a second."""

    def __init__(self, name: str) -> None:
        self._x = ctypes.CDLL("libX11.so.6")
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XGetImage.restype = ctypes.c_void_p
        self._x.XGetImage.argtypes = [
            *(ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_int),
            *(ctypes.c_uint, ctypes.c_uint, ctypes.c_ulong, ctypes.c_int),
        ]
        self._x.XGetPixel.restype = ctypes.c_ulong
        self._x.XGetPixel.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        self._x.XDefaultRootWindow.restype = ctypes.c_ulong
        self._x.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
        self._display = self._x.XOpenDisplay(name.encode())
        self._root = self._x.XDefaultRootWindow(self._display)

    def is_black(self, x: int = 640, y: int = 430) -> bool:
        """Whether nothing is painted there."""
        image = self._x.XGetImage(self._display, self._root, x, y, 1, 1, 0xFFFFFF, 2)
        return not image or self._x.XGetPixel(image, 0, 0) & 0xFFFFFF == 0


def first_paint_ms(screen: Screen, command: list[str], environ: dict[str, str]) -> float:
    """From starting the process to something on the screen; the process is ended then."""
    while not screen.is_black():
        time.sleep(0.01)
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while screen.is_black():
        if process.poll() is not None or time.perf_counter() - begun > 60:
            raise SystemExit(f"{command[0]} showed nothing.")
        time.sleep(0.001)
    taken = (time.perf_counter() - begun) * 1000
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return taken


def memory_mb(command: list[str], environ: dict[str, str]) -> dict[str, float]:
    """What its processes hold once it rests."""
    process = subprocess.Popen(command, env=environ, start_new_session=True)
    time.sleep(_SETTLE_S)
    shares: dict[str, float] = {}
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdigit() or os.getpgid(int(entry.name)) != process.pid:
                continue
            told = (entry / "cmdline").read_bytes()
            lines = (entry / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        share = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        shares["engine" if b"--engine-host" in told else "window"] = round(share / 1024, 1)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    return shares


def main() -> None:
    """Measure and print."""
    program = sys.argv[1] if len(sys.argv) > 1 else str(product.program_file(product.bundle_folder()))
    if sys.platform != "linux" or not Path(program).is_file():
        print("There is no bundle here to measure; python3 packaging/dev.py installers makes one, on Linux.")
        return
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    with desktop() as desk, tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, **desk.environ, "ORCINUS_HOME": home, "QT_QPA_PLATFORM": "xcb"}
        screen = Screen(desk.environ["DISPLAY"])
        bare, ours = [sys.executable, "-c", _BARE], [program]
        for command in (bare, ours):
            first_paint_ms(screen, command, environ)
        taken = [(first_paint_ms(screen, bare, environ), first_paint_ms(screen, ours, environ)) for _ in range(rounds)]
        bare_ms, ours_ms = (statistics.median(column) for column in zip(*taken, strict=True))
        result = {
            "rounds": rounds,
            "bare_pyside_ms": round(bare_ms),
            "bundle_ms": round(ours_ms),
            "ratio": round(ours_ms / bare_ms, 2),
            "memory_at_rest_mb": memory_mb(ours, environ),
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

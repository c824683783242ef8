"""Measures the way from starting the process to the first paint: the app's window against a bare PySide6 window.

    python tests/benchmarks/bench_start.py [ROUNDS]

Both are started in turn, each in a process of its own with warm file caches, and print when their first paint is done.
The app opens a data folder with forty chats. The figure that counts is the ratio of the medians; the aim is 1.5. The
app's first paint is its frame; how long it takes until chats and all can be used is printed beside it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_BARE = """
import os, sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, lambda: (print(time.time()), sys.stdout.flush(), os._exit(0)))
application = QApplication(sys.argv[:1])
window = Window()
window.resize(1280, 820)
window.show()
application.exec()
"""

_OURS = """
import os, sys, time
sys.argv = ["orcinus"]
import app.__main__
import app.opening
HEAVY = ("pygments", "markdown_it", "llama_cpp", "ziamath", "jinja2", "numpy", "ssl", "asyncio", "apsw")
def painted(self):
    print(time.time(), *(name for name in HEAVY if name in sys.modules))
    sys.stdout.flush()
    if not FULL:
        os._exit(0)
    build(self)
    fill = self._window.fill
    from PySide6.QtCore import QTimer
    def drawn():
        self._window.repaint()
        print(time.time())
        sys.stdout.flush()
        os._exit(0)
    def filled():
        fill()
        QTimer.singleShot(0, drawn)
    self._window.fill = filled
build = app.opening.Opening._build
app.opening.Opening._build = painted
sys.exit(app.__main__.main())
"""

_FILL = """
import sys
from app.paths import find_paths
from app.storage.stores import open_stores
stores = open_stores(find_paths().database)
for number in range(40):
    chat = stores.chats.create("starter", title=f"Chat {number}")
    stores.chats.add_turn(chat.id, None, f"Question {number}")
stores.close()
"""


def first_paint_ms(code: str, environment: dict[str, str]) -> tuple[float, str]:
    """From starting the process to the last time it prints; and what else it printed with that."""
    begun = time.time()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    if not done.stdout.strip():
        raise SystemExit(done.stderr)
    words = done.stdout.splitlines()[-1].split()
    return (float(words[0]) - begun) * 1000, " ".join(words[1:])


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ORCINUS_HOME": home, "PYTHONPATH": str(ROOT)}
        if not environment.get("DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        subprocess.run([sys.executable, "-c", _FILL], cwd=ROOT, env=environment, check=True)
        frame, whole = f"FULL = False\n{_OURS}", f"FULL = True\n{_OURS}"
        for code in (_BARE, frame, whole):
            first_paint_ms(code, environment)
        bare, ours, full, heavy = [], [], [], ""
        for _ in range(rounds):
            bare.append(first_paint_ms(_BARE, environment)[0])
            ms, heavy = first_paint_ms(frame, environment)
            ours.append(ms)
            full.append(first_paint_ms(whole, environment)[0])
    result = {
        "rounds": rounds,
        "bare_ms": {"median": round(statistics.median(bare)), "best": round(min(bare))},
        "app_ms": {"median": round(statistics.median(ours)), "best": round(min(ours))},
        "app_with_its_chats_ms": {"median": round(statistics.median(full)), "best": round(min(full))},
        "ratio": round(statistics.median(ours) / statistics.median(bare), 2),
        "ratio_of_best": round(min(ours) / min(bare), 2),
        "heavy_modules_before_first_paint": heavy or "none",
        "platform": environment.get("QT_QPA_PLATFORM", "as the desktop"),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

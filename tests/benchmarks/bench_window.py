"""The whole app in a window: stalls while a reply streams, a reply of 30,000 tokens, a chat of 10,000 messages.

    python3 packaging/dev.py bench window

The engine is scripted (200 tokens/s, then as fast as it goes); window, lanes and database are the real ones. A stall is
the time between two turns of the GUI thread's event loop beyond the heartbeat's own; its CPU share tells what was ours
and what another program on this machine took.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.engine.scripted import Script, scripted_loader
from app.main import Program
from app.paths import find_paths
from app.services.garbage import GarbageCollector
from app.storage.stores import open_stores
from tests.benchmarks.prose import prose

BEAT_MS = 2
STREAM_S = 15
LONG_TOKENS = 30_000
MESSAGES = 10_000


class Heart:
    """Beats in the GUI thread and notes how late each beat is, in wall time and in the thread's own CPU time."""

    def __init__(self, application: QApplication) -> None:
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []
        self._last: tuple[float, float] | None = None
        self._timer = QTimer(application, interval=BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self.wall_ms, self.cpu_ms, self._last = [], [], None
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        if self._last is not None:
            self.wall_ms.append(max(0.0, (now[0] - self._last[0]) * 1000 - BEAT_MS))
            self.cpu_ms.append((now[1] - self._last[1]) * 1000)
        self._last = now


def share(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def wait(application: QApplication, until: Callable[[], bool], timeout_s: float = 120) -> None:
    end = time.monotonic() + timeout_s
    while not until():
        application.processEvents()
        time.sleep(0.0005)
        assert time.monotonic() < end, "it took too long"


def main() -> int:
    """Print the figures beside those asked for."""
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ORCINUS_HOME"] = folder
        seed(Path(folder) / "orcinus.db")
        application = QApplication([])
        script = Script(replies=(prose(STREAM_S * 200),), tokens_per_s=200, n_ctx=200_000)
        engines: list = []

        def load(*arguments):
            engines.append(scripted_loader(script)(*arguments))
            return engines[-1]

        program = Program(application, find_paths(), load)
        collector = GarbageCollector(application)
        program.window.resize(1320, 840)
        program.open([])
        wait(application, lambda: program.window.page.session is not None and program.window.page.session.ready)
        settle = time.monotonic() + 2  # what a person sees before they do anything
        wait(application, lambda: time.monotonic() > settle)
        opening(application, program)
        streaming(application, program)
        long_reply(application, program, engines[-1])
        program.window.close()
        program.close()
        collector.deleteLater()
    return 0


def seed(database: Path) -> None:
    stores = open_stores(database)
    long_chat, short = stores.chats.create("starter", title="Long"), stores.chats.create("starter", title="Short")
    text, parent = prose(60), None
    connection = stores._database
    with connection.transaction():
        for number in range(MESSAGES // 2):
            _, reply = stores.chats.add_turn(long_chat.id, parent, f"Question {number}")
            stores.chats.finish(reply.id, "done", text)
            parent = reply.id
    stores.state.set("last_chat", short.id)
    stores.close()


def opening(application: QApplication, program: Program) -> None:
    chat_id = next(row.id for row in program.library.chats() if row.title == "Long")
    began = time.perf_counter()
    program.window.open_chat(chat_id)
    session = program.window.page.session
    wait(application, lambda: session.ready)
    application.processEvents()
    program.window.repaint()
    took = (time.perf_counter() - began) * 1000
    print(f"chat of {MESSAGES:,} messages: {took:.0f} ms from the click to the paint (under 300)")


def streaming(application: QApplication, program: Program) -> None:
    program.window.new_chat()
    session = program.window.page.session
    heart = Heart(application)
    session.set_override("max_tokens", None)
    session.send("Go on")
    wait(application, lambda: session.busy and len(session.path()) == 2)
    heart.start()
    wait(application, lambda: not session.busy)
    heart.stop()
    told = session.path()[-1].provenance
    took_s = told.duration_ms / 1000
    print(f"streaming {told.tokens_per_s:.0f} tokens/s for {took_s:.0f} s, {len(heart.wall_ms)} beats:")
    for name, values in (("stalls", heart.wall_ms), ("of them GUI thread CPU", heart.cpu_ms)):
        print(f"  {name}: p99 {share(values, 0.99):.1f} ms (16), worst {max(values):.1f} ms (50)")


def long_reply(application: QApplication, program: Program, engine) -> None:
    engine.script = Script(replies=(prose(LONG_TOKENS),), tokens_per_s=2000, n_ctx=200_000)
    session = program.window.page.session
    grown: list[tuple[float, float, int]] = []
    session.text_added.connect(lambda _id, text: grown.append((time.perf_counter(), time.thread_time(), len(text))))
    session.send("And on")
    wait(application, lambda: bool(grown) and not session.busy, 300)
    tenth = len(grown) // 10
    costs = [(later[1] - now[1]) * 1000 / max(1, now[2]) for now, later in pairwise(grown)]
    first, last = sum(costs[:tenth]) / tenth, sum(costs[-tenth:]) / tenth
    print(
        f"reply of {session.path()[-1].provenance.completion_tokens:,} tokens: GUI thread CPU per character, "
        f"last tenth / first tenth = {last / first:.2f} ({first * 1000:.1f} us at first)"
    )


if __name__ == "__main__":
    raise SystemExit(main())

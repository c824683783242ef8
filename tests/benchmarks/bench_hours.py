"""Hours of chat in the real window, at a person's pace: does anything grow?

    python tests/benchmarks/bench_hours.py [MODEL.gguf] [--minutes 120] [--pause 8] [--turns 30]

The window, its services, the database, the engine's process and llama.cpp are the real ones. Somebody asks, reads for
so many seconds, now and then regenerates, stops, searches or goes back to an older chat, and begins a new chat after so
many turns. Printed every ten minutes and at the end: private memory and open files of both processes, at the end of a
chat, with what Python's collector would take some minutes later taken away. The slope of the second half, by least
squares, is in kilobytes per reply; what was said stays in the database only.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.main import Program
from app.paths import find_paths
from app.services.garbage import GarbageCollector
from app.setup import prepare_process
from tests.benchmarks.bench_leaks import STARTER, private, slope

QUESTIONS = (
    "My name is {name}.",
    "What is my name?",
    "My favourite number is {number}.",
    "What is my favourite number?",
    "Write a table. Columns: Fruit and Price. Rows: apple {number}, banana 4, cherry 9.",
    "Put apple, banana, {name} and cherry into a numbered list.",
    "Show me Python code that prints the numbers from 1 to 10.",
    "What is the capital of France?",
    "How are you today?",
    "What is {number} plus 6?",
)


def wait(condition: Callable[[], bool]) -> None:
    """Let the window live until the condition holds, asleep like any program that nobody touches."""
    loop, look = QEventLoop(), QTimer(interval=30)
    look.timeout.connect(lambda: loop.quit() if condition() else None)
    look.start()
    if not condition():
        loop.exec()


def main() -> None:
    """Chats for the minutes asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--pause", type=float, default=8, help="seconds between a reply's end and the next question")
    parser.add_argument("--turns", type=int, default=30, help="of a chat")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ORCINUS_HOME"] = folder
        prepare_process(find_paths())
        Talk(asked.model, asked.pause, asked.turns).run(asked.minutes)


class Talk:
    """The program, and somebody who talks to it for a long time."""

    def __init__(self, model: Path, pause_s: float, turns: int) -> None:
        self._program = Program(QApplication([]), find_paths())
        self._garbage = GarbageCollector(self._program)
        self._model, self._pause_s, self._turns = str(model), pause_s, turns
        self._chance = random.Random(1)
        self._chats: list[int] = []
        self._replies = 0
        self._here: list[float] = []
        self._there: list[float] = []
        self._program.open([self._model])
        wait(lambda: self._program.models.state(self._model).kind == "ready")

    def run(self, minutes: float) -> None:
        """Chat, and tell every ten minutes."""
        began, told = time.monotonic(), 0
        while (gone := (time.monotonic() - began) / 60) < minutes:
            self._chat()
            if gone >= 10 * told:
                told += 1
                self._tell(gone)
        self._tell(minutes)
        per_reply = len(self._here) / self._replies / 1000
        print(
            f"{slope(self._here) * per_reply:+.2f} kB per reply here, {slope(self._there) * per_reply:+.2f} kB in the",
            f"engine's process, over the second half of {self._replies} replies",
        )
        self._program.window.close()
        print(f"closed in good order afterwards: {'yes' if self._program.close() == (True, True) else 'NO'}")

    def _chat(self) -> None:
        self._program.window.new_chat()
        for turn in range(self._turns):
            text = self._chance.choice(QUESTIONS)
            name = f"N{self._chance.randrange(9999)}"
            session = self._program.window.page.session
            assert session is not None
            wait(lambda: session.ready)  # noqa: B023
            before = len(session.path())
            session.send(text.format(name=name, number=self._chance.randrange(99)))
            if turn == 5:
                session.stop()
            self._read()
            assert len(session.path()) == before + 2
            if turn == 0:
                self._chats.append(session.chat.id)
            elif turn == 10:
                session.regenerate(session.path()[-1].id)
                self._read()
        if self._chance.random() < 0.5:
            self._program.window.open_chat(self._chance.choice(self._chats))
            self._rest()
        gc.collect()
        self._here.append(private())
        engine = self._program.models.room._engine
        if engine is not None:
            self._there.append(private(engine.process.pid))

    def _read(self) -> None:
        """Let the reply come, then read it."""
        wait(lambda: not self._program.window.page.session.busy)
        self._replies += 1
        self._rest()

    def _rest(self) -> None:
        until = time.monotonic() + self._pause_s * self._chance.uniform(0.5, 1.5)
        wait(lambda: time.monotonic() >= until)

    def _tell(self, minutes: float) -> None:
        engine = self._program.models.room._engine
        files = [len(os.listdir(f"/proc/{pid}/fd")) for pid in ("self", engine.process.pid if engine else "self")]
        print(
            f"{minutes:.0f} min, {self._replies} replies in {len(self._chats)} chats: {self._here[-1] / 1e6:.2f} MB",
            f"and {files[0]} files here, {self._there[-1] / 1e6:.2f} MB and {files[1]} files in the engine's process",
            flush=True,
        )


if __name__ == "__main__":
    main()

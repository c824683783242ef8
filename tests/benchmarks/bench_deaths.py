"""The engine's process is killed at random points of replies under the real window: does the window live?

    python tests/benchmarks/bench_deaths.py [-n 200] [--seed 1]

The window, its services, the database and llama.cpp are the real ones; the model's weights are random, so its replies
are long. After each kill the text on the screen is held against the text in the database, the button in the notice is
pressed, and the model has to be there again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication, QPushButton

from app.main import Program
from app.paths import find_paths
from app.services.garbage import GarbageCollector
from app.setup import prepare_process
from app.storage.stores import Stores
from app.ui.notices import NoticeBar
from tests.engine.gguf_writer import tiny_model

SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
WORDS = ("Load it again", "Try it once more")


def wait(condition: Callable[[], bool], limit_s: float = 600.0) -> None:
    """Let the window live until the condition holds."""
    until = time.monotonic() + limit_s
    while not condition():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
        if time.monotonic() > until:
            raise TimeoutError


def main() -> int:
    """Returns 1 if anything but the reply was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ORCINUS_HOME"] = folder
        prepare_process(find_paths())
        return Killing(Path(folder), asked.seed).run(asked.n)


class Killing:
    """The program, and somebody who kills its engine."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._application = QApplication([])
        self._chance = random.Random(seed)
        self._program = Program(self._application, find_paths())
        self._garbage = GarbageCollector(self._program)
        self._model = str(tiny_model(folder / "tiny.gguf", context=4096))
        self._program.open([self._model])
        self._grown: list[str] = []
        self._counts: Counter[str] = Counter()
        self._back_s: list[float] = []
        wait(lambda: self._program.models.state(self._model).kind == "ready")
        self._session = self._program.window.page.session
        assert self._session is not None
        self._session.text_added.connect(lambda _id, text: self._grown.append(text))
        self._program.preferences.set_for_model(self._model, "max_tokens", 2000)

    def run(self, count: int) -> int:
        """Kill so often, then close the program."""
        tries = 0
        while self._counts["in a reply"] < count and tries < 3 * count:
            tries += 1
            self._kill_once()
            if tries % 20 == 0:
                print(f"{tries}: {dict(self._counts)}", flush=True)
        self._program.window.close()
        closed = self._program.close() == (True, True)
        back = sorted(self._back_s)
        print(f"{tries} kills, {self._counts['in a reply']} of them in the middle of a reply")
        print(f"the window lived {self._counts['lived']} times, the text was kept {self._counts['kept']} times")
        print(f"told with a report {self._counts['told']}, loaded again with one click {self._counts['back']}")
        print(f"from the click to a loaded model: median {back[len(back) // 2]:.2f} s, most {back[-1]:.2f} s")
        print(f"closed in good order afterwards: {'yes' if closed else 'NO'}")
        wanted = (self._counts["lived"], self._counts["kept"])
        good = wanted == (tries, tries) and self._counts["told"] == self._counts["back"] == self._counts["in a reply"]
        return int(not (good and closed))

    def _kill_once(self) -> None:
        session, models = self._session, self._program.models
        assert session is not None
        self._grown.clear()
        session.send("Tell me about " + "whales and rivers " * self._chance.randrange(1, 60))
        kill_at = time.monotonic() + self._chance.uniform(0.0, 1.2)
        wait(lambda: time.monotonic() >= kill_at)
        engine = models.room._engine
        if engine is not None:
            os.kill(engine.process.pid, self._chance.choice(SIGNALS))
        wait(lambda: not session.busy)
        last = session.path()[-1]
        self._counts["lived"] += self._program.window.isVisible()
        found: list[str] = []

        def read(stores: Stores) -> str:
            return str(stores.chats.messages(session.chat.id)[-1].text)

        self._program._archive.ask(read, found.append)
        wait(lambda: bool(found))
        texts = {"kept": found[0], "shown": last.text, "heard": "".join(self._grown)}
        self._counts["kept"] += len(set(texts.values())) == 1
        if len(set(texts.values())) > 1:
            print(f"the texts differ, {last.role} {last.state}:", flush=True)
            for name, text in texts.items():
                print(f"  {name}: {len(text)} characters, ends in {text[-60:]!r}", flush=True)
        if last.state != "failed":
            return
        self._counts["in a reply"] += 1
        bar = next(bar for bar in self._program.window.findChildren(NoticeBar) if bar.notice.report)
        self._counts["told"] += "tiny.gguf" in bar.notice.report
        button = next(one for one in bar.findChildren(QPushButton) if one.text() in WORDS)
        pressed = time.monotonic()
        button.click()
        try:
            wait(lambda: models.state(self._model).kind == "ready")
        except TimeoutError:
            print(f"not loaded again: {models.state(self._model)}", flush=True)
            models.load_again(self._model)
            wait(lambda: models.state(self._model).kind == "ready")
            return
        self._back_s.append(time.monotonic() - pressed)
        self._counts["back"] += 1


if __name__ == "__main__":
    raise SystemExit(main())

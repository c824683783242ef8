"""What the window costs a reply: tokens per second while it shows the text, against the same without; run it alone.

    python tests/benchmarks/bench_streaming.py [MODEL.gguf] [-n 192] [-r 6]

The whole app in an offscreen window with the real engine in its process. By turns the window streams a reply of so many
tokens, and a second engine of the same file writes as many for nobody, while the window rests. At least 0.95 is asked.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication  # noqa: E402

from app.core.options import Loading, Sampling  # noqa: E402
from app.core.role import Role  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import host  # noqa: E402
from app.engine.base import Done, Engine, Request, Turn  # noqa: E402
from app.main import Program  # noqa: E402
from app.paths import find_paths  # noqa: E402
from app.services.garbage import GarbageCollector  # noqa: E402
from tests.benchmarks.bench_window import wait  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"
QUESTION = "Write as much as you can."


class Endless(host.HostedEngine):
    """Goes on past the model's own end, so that both write as much."""

    def stream(self, request, stop):
        return super().stream(Request(request.tokens, request.sampling, request.conversation, endless=True), stop)


def load(path, loading, stop, on_progress=lambda _fraction: None):
    engine = host.load(path, loading, stop, on_progress)
    return engine and Endless(engine.process, engine.facts)


def without(engine: Engine, n_gen: int, run: int) -> float:
    prompt = engine.render([Turn(Role.USER, f"{QUESTION} {run}")]).tokens
    *_, done = engine.stream(Request(prompt, Sampling(max_tokens=n_gen)), StopFlag())
    assert isinstance(done, Done)
    return done.tokens_per_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    parser.add_argument("-n", type=int, default=192)
    parser.add_argument("-r", type=int, default=6)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ORCINUS_HOME"] = folder
        application = QApplication([])
        program = Program(application, find_paths(), load)
        collector = GarbageCollector(application)
        program.window.resize(1320, 840)
        program.open([str(asked.model)])
        wait(application, lambda: program.window.page.session is not None and program.window.page.session.ready)
        session = program.window.page.session
        session.set_override("max_tokens", asked.n)
        bare = load(str(asked.model), Loading(), StopFlag())
        found: list[tuple[float, float]] = []
        for run in range(asked.r + 1):

            def shown(run: int = run) -> float:
                program.window.new_chat()
                fresh = program.window.page.session
                fresh.set_override("max_tokens", asked.n)
                fresh.send(f"{QUESTION} {run}")
                wait(application, lambda: not fresh.busy and len(fresh.path()) == 2, 300)
                settle = time.monotonic() + 0.5
                wait(application, lambda: time.monotonic() > settle)
                return fresh.path()[-1].provenance.tokens_per_s

            pair = (shown(), without(bare, asked.n, run)) if run % 2 else (without(bare, asked.n, run), shown())[::-1]
            if run:
                found.append(pair)
        ratio = median(one / other for one, other in found)
        speed = median(one for one, _ in found)
        print(
            f"{asked.model.name}: {speed:.1f} tokens/s in the window, {ratio:.3f} of the same without (at least 0.95)"
        )
        bare.close()
        program.window.close()
        program.close()
        collector.deleteLater()


if __name__ == "__main__":
    main()

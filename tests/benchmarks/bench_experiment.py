"""An experiment in the window against the same one answer at a time: cells per minute; run it on a quiet machine.

    python tests/benchmarks/bench_experiment.py [-r 3] [--prompts 8] [--questions 50] [-n 48]

The whole app without a display, the starter model in its own processes, the grid on the screen. By turns all cells are
answered one at a time, with as many at once as one process takes, and as the app does it, where a second process has a
core that would be idle. Every answer must be the same each time. 8 x 50 cells shall make at least 2.5 times the cells
per minute of one at a time, and the window shall never stall for 50 ms.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import median
from unittest import mock

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.core.lab import CellState, Contestant, Place, Plan, Question  # noqa: E402
from app.engine.child import state_of  # noqa: E402
from app.engine.host import HostedEngine  # noqa: E402
from app.main import Program  # noqa: E402
from app.paths import find_paths  # noqa: E402
from app.services import side_by_side  # noqa: E402
from app.services.experiments import OpenRun, RunState  # noqa: E402
from app.services.garbage import GarbageCollector  # noqa: E402
from app.ui import theme as themes  # noqa: E402
from app.ui.run_view import RunView  # noqa: E402
from tests.benchmarks.bench_window import Heart, share, wait  # noqa: E402
from tests.lab_plans import QUESTIONS  # noqa: E402

_PROMPTS = (
    "You help the customers of a small shop. Be polite, brief and exact.",
    "You are a pirate. Answer like one, whatever you are asked.",
    "Answer in capital letters.",
    "You are a patient teacher. Explain each step, then ask whether it was understood.",
)


def plan_of(prompts: int, questions: int, n_gen: int) -> Plan:
    return Plan(
        "Measured",
        "starter",
        tuple(Contestant(f"Prompt {at}", f"{_PROMPTS[at % len(_PROMPTS)]} Rule {at}.") for at in range(prompts)),
        tuple(Question(str(at), f"{QUESTIONS[at % len(QUESTIONS)]} ({at})") for at in range(questions)),
        overrides={"max_tokens": n_gen},
    )


def found_by(application: QApplication, ask: Callable[[Callable[[object], None]], object]) -> object:
    """What somebody is told later."""
    found: list[object] = []
    ask(found.append)
    wait(application, lambda: bool(found))
    return found[0]


def spent_s(program: Program) -> tuple[float, ...]:
    """CPU seconds that the GUI thread has had so far, all threads of its process, and the engine."""
    engine = program.models.room._engine
    of_engine = state_of(engine.process.pid)[1] if isinstance(engine, HostedEngine) else 0.0
    ended = os.times()
    return time.thread_time(), time.process_time(), of_engine + ended.children_user + ended.children_system


def answer(application: QApplication, program: Program, plan: Plan) -> tuple[str, float, dict[Place, str]]:
    """How all cells of a new run were answered in words, in how many seconds, and the answers."""
    row = found_by(application, lambda then: program.experiments.create(plan, then))
    opened = found_by(application, lambda then: program.experiments.open(row.id, then))
    assert isinstance(opened, OpenRun)
    view = RunView(opened, program.experiments, program.library.origins, themes.LIGHT)
    view.resize(1100, 800)
    view.show()
    heart, run, loop = Heart(application), opened.run, QEventLoop()
    run.state_changed.connect(lambda state: loop.quit() if state is RunState.DONE else None)
    heart.start()
    began, before = time.perf_counter(), spent_s(program)
    run.start()
    loop.exec()
    took = time.perf_counter() - began
    heart.stop()
    gui_s, window_s, engine_s = (now - then for now, then in zip(spent_s(program), before, strict=True))
    cells = dict(run.cells())
    assert all(cell.state is CellState.DONE for cell in cells.values()), "every cell has an answer"
    view.close()
    view.deleteLater()
    words = (
        f"{took:6.2f} s, {60 * len(cells) / took:7.0f} cells per minute; CPU {gui_s:.2f} of {window_s:.2f} s window, "
        f"{engine_s:.2f} s engine; late by p99 {share(heart.wall_ms, 0.99):.0f} ms, worst {max(heart.wall_ms):.0f} ms, "
        f"of which {max(heart.cpu_ms):.0f} ms at work"
    )
    return words, took, {place: cell.text for place, cell in cells.items()}


def main() -> int:
    """Print the figures beside those asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("-r", 3), ("--prompts", 8), ("--questions", 50), ("-n", 48)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    sys.setswitchinterval(0.0005)
    plan = plan_of(asked.prompts, asked.questions, asked.n)
    ways: dict[str, AbstractContextManager[object]] = {
        "one at a time": mock.patch.object(side_by_side, "MOST_AT_ONCE", 1),
        "one process": mock.patch("app.engine.memory.physical_cores", return_value=1),
        "as the app does": nullcontext(),
    }
    ratios: dict[str, list[float]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ORCINUS_HOME"] = folder
        application = QApplication([])
        program, collector = Program(application, find_paths()), GarbageCollector(application)
        program.open([])
        answer(application, program, plan_of(2, 2, 4))  # loads the model
        truth: dict[Place, str] = {}
        for _ in range(asked.r):
            alone_s = 0.0
            for way, patch in ways.items():
                with patch:
                    words, took, answers = answer(application, program, plan)
                truth, alone_s = truth or answers, alone_s or took
                differ = sum(answers[place] != text for place, text in truth.items())
                ratios[way].append(alone_s / took)
                print(f"{way:16}: {words}; {ratios[way][-1]:.2f} times; {differ} differ", flush=True)
        program.window.close()
        program.close()
        collector.deleteLater()
    for way, found in list(ratios.items())[1:]:
        print(f"{way}: {median(found):.2f} times the cells per minute of one at a time")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""How quickly the grid of a run opens and scrolls: `python tests/benchmarks/bench_grid.py [--prompts 20] [--xcb]`.

The run lies in a database as the app keeps it, half of its answers fail a check. Prints one JSON object per measurement
and a plain line with it. CPU is the GUI thread's own time; wall time is what a person sees.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]
if "--xcb" not in sys.argv:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt  # noqa: E402
from PySide6.QtGui import QWheelEvent  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.core.lab import Cell, CellState, Check, Contestant, Place, Plan, Question  # noqa: E402
from app.engine.scripted import Script, scripted_loader  # noqa: E402
from app.services.experiments import OpenRun, RunState  # noqa: E402
from app.services.garbage import GarbageCollector, put_aside  # noqa: E402
from app.ui import theme as themes  # noqa: E402
from app.ui.fonts import load_fonts  # noqa: E402
from app.ui.run_looks import Which  # noqa: E402
from app.ui.run_view import RunView  # noqa: E402
from tests.services.conftest import Services  # noqa: E402

WORDS = "the order was sent on Monday and arrives by Friday unless it rains in which case we are sorry".split()


def settle(app: QApplication, seconds: float = 0.3) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        app.processEvents()
        time.sleep(0.001)


def wait(app: QApplication, condition: Callable[[], bool]) -> None:
    until = time.perf_counter() + 60
    while not condition():
        assert time.perf_counter() < until, "it never came"
        app.processEvents()
        time.sleep(0.0005)


def summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(ordered[len(ordered) // 2], 2),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2),
        "worst": round(ordered[-1], 2),
    }


def show(name: str, words: str, **figures: object) -> None:
    print(json.dumps({name: figures}))
    print(f"  {words}", flush=True)


def stored(services: Services, prompts: int, questions: int) -> int:
    """A finished run in the database."""
    chance = random.Random(1)
    text = [" ".join(chance.choice(WORDS) for _ in range(60)) for _ in range(50)]
    plan = Plan(
        f"{prompts} x {questions}",
        "starter",
        tuple(Contestant(f"Prompt {at}", text[at % 50]) for at in range(prompts)),
        tuple(Question(str(at), text[at % 50], reference=text[(at + 1) % 50]) for at in range(questions)),
        checks=(Check("contains", {"texts": ["Monday"]}), Check("length", {"high": 200})),
    )
    run = services.ask(lambda stores: stores.runs.create(plan))
    places = [Place(one, at, 0) for one in range(prompts) for at in range(questions)]
    cells = [Cell(place, CellState.DONE, chance.choice(text)) for place in places]
    services.ask(lambda stores: stores.runs.save(run.id, cells))
    services.ask(lambda stores: stores.runs.set_state(run.id, RunState.DONE))
    return run.id


def bench_open(app: QApplication, services: Services, run_id: int, cells: int) -> tuple[RunView, OpenRun]:
    """From the click to the painted grid: reading the run, making the view, painting it."""
    wall, cpu = [], []
    view: RunView | None = None
    opened: OpenRun | None = None
    for _ in range(5):
        if view is not None:
            view.close()
            view.deleteLater()
            services.experiments._close(run_id)
            settle(app)
        found: list[OpenRun] = []
        began, began_cpu = time.perf_counter(), time.thread_time()
        services.experiments.open(run_id, found.append)
        wait(app, lambda found=found: bool(found))
        opened = found[0]
        view = RunView(opened, services.experiments, services.library.origins, themes.LIGHT)
        view.resize(1100, 800)
        view.show()
        app.processEvents()
        app.processEvents()
        wall.append((time.perf_counter() - began) * 1e3)
        cpu.append((time.thread_time() - began_cpu) * 1e3)
    assert view is not None
    assert opened is not None
    show(
        "open",
        f"{cells:,} cells open in {min(wall):.0f} to {max(wall):.0f} ms (target 300)",
        cells=cells,
        wall_ms=summary(wall),
        cpu_ms=summary(cpu),
    )
    return view, opened


def bench_checks(app: QApplication, opened: OpenRun, cells: int) -> None:
    """The window while the checks are worked out beside it."""
    gaps, began = [], time.perf_counter()
    last = began
    while any(opened.findings.of(place) is None for place in opened.run.cells()):
        app.processEvents()
        now = time.perf_counter()
        gaps.append((now - last) * 1e3)
        last = now
        time.sleep(0.001)
    show(
        "checks",
        f"{cells:,} answers looked through in {time.perf_counter() - began:.1f} s; the window was away for at most "
        f"{max(gaps, default=0):.0f} ms (target 50)",
        gaps_ms=summary(gaps or [0.0]),
    )


def bench_scroll(app: QApplication, view: RunView, steps: int) -> None:
    grid = view.grid
    wall, cpu = [], []
    centre = QPointF(grid.viewport().rect().center())
    for step in range(steps):
        down = -120 if step < steps // 2 else 120
        event = QWheelEvent(
            centre, grid.viewport().mapToGlobal(centre), QPoint(0, 0), QPoint(0, down), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        began, began_cpu = time.perf_counter(), time.thread_time()
        QCoreApplication.sendEvent(grid.viewport(), event)
        app.processEvents()
        wall.append((time.perf_counter() - began) * 1e3)
        cpu.append((time.thread_time() - began_cpu) * 1e3)
    show(
        "scroll",
        f"a step of the wheel takes {summary(cpu)['median']} ms of CPU in the median, p99 {summary(cpu)['p99']} "
        "(target 16)",
        steps=steps,
        wall_ms=summary(wall),
        cpu_ms=summary(cpu),
    )


def bench_filter(app: QApplication, view: RunView) -> None:
    wall = []
    for which in (Which.FAILED, Which.RATED, Which.QUEUED, Which.ALL) * 3:
        began = time.perf_counter()
        view.chips[which].click()
        app.processEvents()
        wall.append((time.perf_counter() - began) * 1e3)
    show("filter", f"a filter takes {summary(wall)['worst']} ms at worst (target 50)", wall_ms=summary(wall))


def bench_live(app: QApplication, services: Services, prompts: int, questions: int) -> None:
    """The window while a run fills it: how long it is away at once."""
    plan = Plan(
        "live",
        "starter",
        tuple(Contestant(f"Prompt {at}", WORDS[at % len(WORDS)]) for at in range(prompts)),
        tuple(Question(str(at), f"Question {at}?") for at in range(questions)),
        overrides={"max_tokens": 40},
        checks=(Check("contains", {"texts": ["Monday"]}), Check("length", {"high": 200})),
    )
    run = services.ask(lambda stores: stores.runs.create(plan))
    found: list[OpenRun] = []
    services.experiments.open(run.id, found.append)
    wait(app, lambda: bool(found))
    view = RunView(found[0], services.experiments, services.library.origins, themes.LIGHT)
    view.resize(1100, 800)
    view.show()
    settle(app)
    view.grid.opened.emit(Place(0, 0, 0))
    settle(app)
    gaps, began = [], time.perf_counter()
    last, cpu = began, time.thread_time()
    found[0].run.start()
    while found[0].run.busy:
        app.processEvents()
        now = time.perf_counter()
        gaps.append((now - last) * 1e3)
        last = now
        time.sleep(0.001)
    took = time.perf_counter() - began
    cells = prompts * questions
    show(
        "live",
        f"{cells:,} cells came in {took:.1f} s; the window was away for at most {max(gaps):.0f} ms (target 50) and "
        f"took {100 * (time.thread_time() - cpu) / took:.0f} % of a core",
        gaps_ms=summary(gaps),
        cells_a_minute=round(cells / took * 60),
    )
    view.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--xcb", action="store_true")
    asked = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as in the app
    app = QApplication(sys.argv[:1])
    load_fonts()
    themes.apply(app, themes.LIGHT)
    cells = asked.prompts * asked.questions
    with tempfile.TemporaryDirectory() as folder:
        services = Services(
            Path(folder) / "orcinus.db",
            scripted_loader(Script(replies=(" ".join(WORDS),), tokens_per_s=400)),
            lambda condition: wait(app, condition),
        )
        collector = GarbageCollector(app)  # as in the app, and as it is ten seconds after the start
        put_aside()
        run_id = stored(services, asked.prompts, asked.questions)
        view, opened = bench_open(app, services, run_id, cells)
        bench_checks(app, opened, cells)
        settle(app, 1.0)
        bench_scroll(app, view, 300)
        bench_filter(app, view)
        view.close()
        bench_live(app, services, 8, 50)
        services.close()
        collector.deleteLater()


if __name__ == "__main__":
    main()

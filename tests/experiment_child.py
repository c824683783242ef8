"""The whole program with an experiment in its window, run by those who kill it. Not a test itself.

Argument: a plan file. An experiment that is there already goes on; else one is made of the plan. A line is written each
time something is kept.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_TIMES = {"ttft_ms", "tokens_per_s", "duration_ms", "cached_tokens", "made_ms", "model_sha256"}
"""What a clock decides; the sum of the model's file, too, is known some seconds after it was loaded."""


class Driver:
    """Opens the experiment, starts it, and quits when it is done."""

    def __init__(self, program: Any, plan: str, quit_now: Any) -> None:
        self._experiments, self._plan, self._quit = program.experiments, plan, quit_now
        self._experiments.notice.connect(lambda notice: os.write(2, f"{notice.title}: {notice.detail}\n".encode()))
        program._archive.ask(lambda stores: [row.id for row in stores.runs.rows()], self._begin)

    def _begin(self, ids: list[int]) -> None:
        if ids:
            self._experiments.open(ids[0], self._start)
        else:
            self._experiments.read_plan_file(self._plan, self._make)

    def _make(self, plan: Any) -> None:
        self._experiments.create(plan, lambda row: self._experiments.open(row.id, self._start))

    def _start(self, opened: Any) -> None:
        run = opened.run
        run.cell_changed.connect(lambda cell: cell.state in ("done", "failed") and os.write(1, b"kept\n"))
        run.judged.connect(lambda _: os.write(1, b"kept\n"))
        run.state_changed.connect(lambda state: state == "done" and self._quit())
        run.start()
        if not run.busy:
            self._quit()


def main() -> int:
    """As the window does it."""
    from PySide6.QtWidgets import QApplication

    from app.main import Program
    from app.paths import find_paths

    application = QApplication([sys.argv[0]])
    program = Program(application, find_paths())
    driver = Driver(program, sys.argv[1], application.quit)
    application.exec()
    saved, _ = program.close()
    del driver
    return 0 if saved else 1


# --- for those who kill it ------------------------------------------------------------------------------------------


def start(plan: Path, home: Path) -> subprocess.Popen[bytes]:
    """The program, on its way, with its data in this folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.experiment_child", str(plan)],
        cwd=ROOT, env={**os.environ, "ORCINUS_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def kill_after(plan: Path, home: Path, chance: random.Random, most_s: float) -> int | None:
    """Start, kill -9 a moment after something new was kept; how much it told of, None where it had ended."""
    child = start(plan, home)
    assert child.stdout is not None
    told = child.stdout.readline()
    try:
        child.wait(chance.uniform(0, most_s))
    except subprocess.TimeoutExpired:
        child.kill()
    rest, err = child.communicate()
    assert child.returncode <= 0, err.decode()
    return None if child.returncode == 0 else (told + rest).count(b"kept")


def finish(plan: Path, home: Path) -> None:
    """Go on to the end."""
    child = start(plan, home)
    _, err = child.communicate()
    assert child.returncode == 0, err.decode()


def results(home: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Every answer with what made it, and every judgement, without times."""
    from dataclasses import asdict

    from app.storage.stores import open_stores

    stores = open_stores(home / "orcinus.db")
    try:
        rows = stores.runs.rows()
        if not rows:
            return {}, {}
        plan = stores.runs.plan(rows[0].id)
        cells = {}
        for cell in stores.runs.whole_cells(rows[0].id, plan):
            made = asdict(cell.provenance) if cell.provenance is not None else {}
            kept = {key: value for key, value in made.items() if key not in _TIMES}
            cells[cell.place] = (cell.state, cell.text, cell.error, kept)
        judged = {one.duel: (one.outcome, one.words) for one in stores.runs.judgements(rows[0].id)}
        return cells, judged
    finally:
        stores.close()


if __name__ == "__main__":
    sys.exit(main())

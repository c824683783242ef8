"""Rankings and pairs to rate, worked out beside the window; and the answers of a run as training data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject

from app.core.judging import Counted
from app.core.lab import Cell
from app.core.stopping import StopFlag
from app.services.lane import Lane, Outcome
from app.services.training import Failed, Files, TrainingSource, write_files

if TYPE_CHECKING:
    from app.datasets.training import Examples
    from app.scoring.standing import Standing, Teaching
    from app.services.lab_run import LabRun

Result = TypeVar("Result")


class Judging(QObject):
    """Works on a lane of its own: intervals come from a thousand resamples. Lives in the GUI thread.

    Each answer comes in the GUI thread, by the function that is given.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = Lane("judging", self)

    def standing(self, run: LabRun, counted: Counted, then: Callable[[Standing], None], failed: Failed) -> None:
        """How a run stands, by the votes that count."""
        plan, cells, votes, skipped = run.plan, tuple(run.cells().values()), run.votes(), run.ballots.skipped()

        def work() -> Standing:
            from app.scoring.standing import standing_of

            return standing_of(plan, cells, votes, skipped, counted)

        self._do(work, then, failed)

    def pairs(self, run: LabRun, limit: int, then: Callable[[Teaching], None], failed: Failed) -> None:
        """What the person should rate next: other pairs each time, as chance decides among equals."""
        plan, cells, votes, skipped = run.plan, tuple(run.cells().values()), run.votes(), run.ballots.skipped()
        seed = run.run_id * 100_003 + len(run.ballots.all())

        def work() -> Teaching:
            from app.scoring.standing import teaching_of

            return teaching_of(plan, cells, votes, skipped, limit, seed)

        self._do(work, then, failed)

    def source(self, run: LabRun) -> TrainingSource:
        """A run's answers as training data."""
        return TrainingSource(
            run.plan.name, lambda then, failed: self.examples(run, then, failed), self.write, "Rate some answers first."
        )

    def examples(self, run: LabRun, then: Callable[[tuple[Examples, ...]], None], failed: Failed) -> None:
        """A run's answers to learn from, in the ways in which they can be chosen."""
        plan, votes = run.plan, run.votes()

        def work(cells: list[Cell]) -> tuple[Examples, ...]:
            from app.datasets.training import examples_of_run
            from app.scoring.results import results_of

            looked = results_of(plan, cells, votes)
            passed = {place for place, found in looked.findings.items() if found and all(one.passed for one in found)}
            has_checks = any(looked.findings.values())
            return examples_of_run(plan, looked.done, votes, passed if has_checks else None)

        run.read_whole(lambda cells: self._do(lambda: work(cells), then, failed), failed)

    def write(self, files: Files, then: Callable[[str], None], failed: Failed) -> None:
        """Put texts into files; see `TrainingSource`."""
        self._do(lambda: write_files(files), then, failed)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop; for the end of the program. Whether it was in time."""
        return self._lane.close(timeout_s)

    def _do(self, work: Callable[[], Result], then: Callable[[Result], None], failed: Failed) -> None:
        def job(stop: StopFlag) -> Iterator[object]:
            del stop  # none of it can be stopped halfway
            yield work()

        def ended(outcome: Outcome) -> None:
            if outcome.error is not None:
                failed(outcome.error)

        ticket = self._lane.submit(job)
        ticket.items.connect(lambda batch: then(batch[0]))
        ticket.ended.connect(ended)

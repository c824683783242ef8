"""How far an experiment is: cells and judgements, tokens a second of all together, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.core.judging import Judgement
from app.core.lab import Cell, CellState, Place, Plan
from app.services.experiment import Grown, Judging
from app.services.speed import Speed

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE: Mapping[Place, int] = MappingProxyType({})
_EARLY = 3
"""Ended since the start before which nobody can say how long the rest takes."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `judgements` is 0 without a judge; `left_s` is None while that cannot be told."""

    done: int = 0
    failed: int = 0
    total: int = 0
    judged: int = 0
    unparsed: int = 0
    """Of those judged, so many whose words hold no verdict."""
    judgements: int = 0
    running: Mapping[Place, int] = field(default_factory=lambda: _NONE)
    """Tokens that each cell in the works has."""
    tokens_per_s: float = 0.0
    left_s: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.done + self.failed == self.total and self.judged >= self.judgements


class Pace:
    """Follows a run by its news."""

    def __init__(
        self,
        plan: Plan,
        cells: Iterable[Cell] = (),
        judgements: Iterable[Judgement] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._failed_by: dict[tuple[int, int], int] = {}
        self._done = self._failed = self._judged = self._unparsed = 0
        self._running: dict[Place, int] = {}
        self._judging: dict[object, int] = {}
        for cell in cells:
            self._count(cell)
        for judgement in judgements:
            self._count(judgement)
        self.begin()

    def begin(self) -> None:
        """It starts, or goes on after a pause: what the time left is told by begins here."""
        self._since = self._clock()
        self._ended_cells = self._ended_judgements = 0
        self._judging_since = self._since
        self._tokens = 0
        self._speed = Speed(self._clock)
        self._running.clear()
        self._judging.clear()

    def see(self, news: object) -> None:
        """Take note of something that `Experiment.run` told."""
        if isinstance(news, Grown):
            self._wrote(news.tokens - self._running.get(news.place, 0))
            self._running[news.place] = news.tokens
        elif isinstance(news, Judging):
            if not self._judging and not self._ended_judgements:
                self._judging_since = self._clock()
            self._wrote(news.tokens - self._judging.get(news.duel, 0))
            self._judging[news.duel] = news.tokens
        elif isinstance(news, Cell):
            self._running.pop(news.place, None)
            if news.state is CellState.RUNNING:
                self._running[news.place] = 0
            elif news.state is not CellState.QUEUED:
                self._ended_cells += 1
            self._count(news)
        elif isinstance(news, Judgement):
            self._ended_judgements += self._judging.pop(news.duel, None) is not None
            self._count(news)

    def now(self) -> Progress:
        """How far it is at this moment."""
        return Progress(
            self._done,
            self._failed,
            self._total,
            self._judged,
            self._unparsed,
            self._judgements,
            dict(self._running),
            self._speed.now(),
            self._left_s(),
        )

    @property
    def _total(self) -> int:
        plan = self._plan
        return len(plan.contestants) * len(plan.questions) * len(plan.seeds)

    @property
    def _judgements(self) -> int:
        """Pairs in both orders, but for those where an answer has failed."""
        if self._plan.judge is None:
            return 0
        pairs = 0
        for question in range(len(self._plan.questions)):
            for seed in range(len(self._plan.seeds)):
                able = len(self._plan.contestants) - self._failed_by.get((question, seed), 0)
                pairs += able * (able - 1)
        return pairs

    def _wrote(self, tokens: int) -> None:
        self._tokens += max(0, tokens)
        self._speed.at(self._tokens)

    def _count(self, news: Cell | Judgement) -> None:
        if isinstance(news, Judgement):
            self._judged += 1
            self._unparsed += news.outcome is None
        elif news.state is CellState.DONE:
            self._done += 1
        elif news.state is CellState.FAILED:
            self._failed += 1
            key = news.place.question, news.place.seed
            self._failed_by[key] = self._failed_by.get(key, 0) + 1

    def _left_s(self) -> float | None:
        """Each that is left takes as long as those since the start; a judgement as long as a cell until it is known."""
        cells = self._total - self._done - self._failed
        judgements = max(0, self._judgements - self._judged)
        if not cells and not judgements:
            return 0.0
        now = self._clock()
        per_cell = (
            ((self._judging_since if self._ended_judgements else now) - self._since) / self._ended_cells
            if self._ended_cells >= _EARLY
            else None
        )
        per_judgement = (
            (now - self._judging_since) / self._ended_judgements if self._ended_judgements >= _EARLY else per_cell
        )
        if (cells and per_cell is None) or (judgements and per_judgement is None):
            return None
        return cells * (per_cell or 0.0) + judgements * (per_judgement or 0.0)

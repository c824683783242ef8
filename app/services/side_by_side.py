"""Many prompts to one model, as many at once as it takes; the engine's end costs only what it was writing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.core.errors import AppError, EngineDiedError
from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.engine.base import (
    MOST_AT_ONCE,
    Delta,
    Done,
    Engine,
    Failed,
    ModelFacts,
    Reading,
    Request,
    StopReason,
    Tagged,
    Turn,
    Wish,
)
from app.engine.turn import Fitted, fit_prompt
from app.services.engine_room import EngineRoom, LoadStopped, ModelSpec

_FAILURES_ALLOWED = 2
"""So often an answer may be in the works when the engine fails, the last time alone, before the answer is blamed."""
_IN_A_ROW = 6
"""Failures without an answer in between after which it is the engine that is blamed."""


@dataclass(frozen=True, slots=True)
class Task:
    """One answer wanted. Its sampling has a seed where the answer shall be the same each time."""

    turns: tuple[Turn, ...]
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Begun:
    """The model has begun with a task; `index` counts them from 0."""

    index: int


@dataclass(frozen=True, slots=True)
class Grew:
    """New text of an answer, and how many tokens it has now."""

    index: int
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class PutBack:
    """What there was of an answer is gone: it begins again later."""

    index: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A task is done, and all there is to know about it."""

    index: int
    text: str
    facts: ModelFacts
    fitted: Fitted
    done: Done
    at_once: int = 1
    """How many could be written side by side with it, in its batches; another process may write others meanwhile."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A task cannot be done; the others go on."""

    index: int
    error: AppError
    facts: ModelFacts
    fitted: Fitted | None = None


News = ModelFacts | Begun | Grew | PutBack | Answered | Refused


@dataclass(slots=True)
class _Flight:
    """One task in the works."""

    fitted: Fitted | None = None
    begun: bool = False
    parts: list[str] = field(default_factory=list)


class SideBySide:
    """Does tasks in their order, on the engine lane's thread; where it was stopped, `run` goes on.

    Each pass over them begins with an empty cache, so that an answer with a seed is the same alone, beside others, and
    after a restart: see `Engine.stream_many`. When the engine fails, those in the works are tried one at a time: the
    one that it fails at again is refused, and the others have lost nothing but time.
    """

    def __init__(self, room: EngineRoom, spec: ModelSpec, tasks: Sequence[Task], pause: StopFlag) -> None:
        """Once `pause` is set no further task is begun, and those in the works come to their end."""
        self._room = room
        self._spec = spec
        self._tasks = tasks
        self._pause = pause
        self._waiting = deque(range(len(tasks)))
        self._suspects: deque[int] = deque()
        self._flying: dict[int, _Flight] = {}
        self._refused: list[Refused] = []
        self._failures: dict[int, int] = {}
        self._blamed: list[Refused] = []
        """Refused as soon as an answer shows that the engine can do others."""
        self._in_a_row = 0

    def run(self, stop: StopFlag) -> Iterator[News]:
        """Do what is left.

        Raises:
            ModelError: the model cannot be loaded, or its engine fails whatever it is asked.
        """
        while (self._suspects or self._waiting) and not stop.is_set() and not self._pause.is_set():
            try:
                engine = self._room.engine(self._spec, stop)
            except LoadStopped:
                return
            yield engine.facts
            queue, width = (self._suspects, 1) if self._suspects else (self._waiting, MOST_AT_ONCE)
            facts = engine.facts
            try:
                with self._room.guarded():
                    yield from self._pass(engine, queue, width, stop)
            except AppError as error:
                yield from self._blame(error, facts)
        yield from self._take_blamed()

    def _pass(self, engine: Engine, queue: deque[int], width: int, stop: StopFlag) -> Iterator[News]:
        """Do the tasks of a queue until it is empty, or until it is stopped or paused."""
        given: list[int] = []
        for tagged in engine.stream_many(self._wishes(engine, queue, given), stop, width, from_scratch=True):
            yield from self._take_refused()
            yield from self._told(tagged, given[tagged.index], engine.facts, width)
        yield from self._take_refused()
        left, self._flying = sorted(self._flying, reverse=True), {}
        queue.extendleft(left)
        yield from map(PutBack, left)

    def _wishes(self, engine: Engine, queue: deque[int], given: list[int]) -> Iterator[Wish]:
        while queue and not self._pause.is_set():
            index = queue.popleft()
            task, flight = self._tasks[index], _Flight()
            self._flying[index] = flight  # from here on, as the engine may die over the prompt
            try:
                flight.fitted = fit_prompt(engine, task.turns, task.sampling)
            except EngineDiedError:
                raise
            except AppError as error:
                del self._flying[index]
                self._refused.append(Refused(index, error, engine.facts))
                continue
            given.append(index)
            yield Request(flight.fitted.prompt.tokens, task.sampling), StopFlag()

    def _told(self, tagged: Tagged, index: int, facts: ModelFacts, width: int) -> Iterator[News]:
        flight, event, at_once = self._flying[index], tagged.event, min(width, facts.n_at_once)
        if not flight.begun and isinstance(event, Reading | Delta | Done):
            flight.begun = True
            yield Begun(index)
        if isinstance(event, Delta):
            flight.parts.append(event.text)
            yield Grew(index, event.text, event.completion_tokens)
        elif isinstance(event, Failed):
            del self._flying[index]
            yield Refused(index, event.error, facts, flight.fitted)
        elif isinstance(event, Done) and event.reason is not StopReason.STOPPED and flight.fitted is not None:
            del self._flying[index]
            self._in_a_row = 0
            yield from self._take_blamed()
            yield Answered(index, "".join(flight.parts), facts, flight.fitted, event, at_once)

    def _take_refused(self) -> Iterator[Refused]:
        refused, self._refused = self._refused, []
        yield from refused

    def _take_blamed(self) -> Iterator[Refused]:
        blamed, self._blamed = self._blamed, []
        yield from blamed

    def _blame(self, error: AppError, facts: ModelFacts) -> Iterator[News]:
        """The engine failed: whoever was in the works is a suspect, and who was alone for the second time did it."""
        yield from self._take_refused()
        flying, self._flying = self._flying, {}
        self._in_a_row += 1
        guilty: int | None = None
        for index in flying:
            self._failures[index] = self._failures.get(index, 0) + 1
            if len(flying) == 1 and self._failures[index] >= _FAILURES_ALLOWED:
                guilty = index
        if guilty is not None:
            self._blamed.append(Refused(guilty, error, facts, flying.pop(guilty).fitted))
        elif not flying:
            raise error
        self._suspects.extendleft(sorted(flying, reverse=True))
        yield from map(PutBack, flying)
        if self._in_a_row >= _IN_A_ROW:
            # nobody was answered in between: it is not the questions
            back, self._blamed = [one.index for one in self._blamed], []
            self._suspects.extendleft(back)
            yield from map(PutBack, back)
            raise error

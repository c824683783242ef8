"""Runs an experiment from wherever it stands to its end: the answers, then the judge; without a window or a disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.chat import Provenance
from app.core.errors import AppError
from app.core.held_values import JUDGE_SAMPLING
from app.core.judging import SAME_WORDS, Duel, Judgement, duels, judge_message, verdict_of
from app.core.lab import Cell, CellState, Place, Plan, Question, places, system_prompt_of
from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import ModelFacts, Turn
from app.services.engine_room import EngineRoom, ModelSpec
from app.services.provenance import provenance
from app.services.side_by_side import Answered, Begun, Grew, PutBack, Refused, SideBySide, Task


@dataclass(frozen=True, slots=True)
class Seat:
    """The model of a contestant or a judge, how it is loaded, and the sampler values in force."""

    spec: ModelSpec
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Seats:
    """Who answers: a seat for each of the plan's contestants, and one for its judge if it has one."""

    contestants: tuple[Seat, ...]
    judge: Seat | None = None


def seats_of(plan: Plan, seat: Callable[[str, Mapping[str, object]], Seat]) -> Seats:
    """`seat` finds a model by its id and lays overrides over its sampler values."""

    def made(model_id: str, *overrides: Mapping[str, object]) -> Seat:
        laid: dict[str, object] = dict(plan.model_values.get(model_id, {}))
        for one in overrides:
            laid.update(one)
        return seat(model_id, laid)

    return Seats(
        tuple(made(one.model_id or plan.model_id, plan.overrides, one.overrides) for one in plan.contestants),
        made(plan.judge.model_id or plan.model_id, JUDGE_SAMPLING, plan.judge.overrides) if plan.judge else None,
    )


@dataclass(frozen=True, slots=True)
class Grown:
    """A cell that is being written has new text, and so many tokens now."""

    place: Place
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Judging:
    """The judge has begun with, or written so many tokens about, these two answers."""

    duel: Duel
    tokens: int = 0


News = ModelFacts | Cell | Grown | Judging | Judgement


def cell_turns(system_prompt: str, question: Question) -> tuple[Turn, ...]:
    """What is sent for a cell."""
    system = (Turn(Role.SYSTEM, system_prompt),) if system_prompt.strip() else ()
    return (*system, Turn(Role.USER, question.text))


def judge_turns(prompt: str, question: Question, first: str, second: str) -> tuple[Turn, ...]:
    """What a judge is sent about two answers."""
    system = (Turn(Role.SYSTEM, prompt),) if prompt.strip() else ()
    return (*system, Turn(Role.USER, judge_message(question, first, second)))


class Experiment:
    """One run. What has ended before is given to it and stays; everything else is done by `run`.

    All of one model's cells stand together, those of one contestant first: what they begin with is read once.
    """

    def __init__(
        self,
        plan: Plan,
        seats: Seats,
        cells: Iterable[Cell] = (),
        judgements: Iterable[Judgement] = (),
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.plan = plan
        self._seats = seats
        self._now_ms = now_ms
        ended = (CellState.DONE, CellState.FAILED)
        self.cells = {cell.place: cell for cell in cells if cell.state in ended}
        """Those that have ended."""
        self.judgements = {one.duel: one for one in judgements}

    def run(self, room: EngineRoom, stop: StopFlag, pause: StopFlag) -> Iterator[News]:
        """Do what is left, on the engine lane's thread; every change is told. `stop` ends it at once.

        Once `pause` is set nothing new is begun, and what is in the works comes to its end.

        Raises:
            ModelError: a model cannot be used. What the others could do is done; the rest can be done later.
        """
        trouble: AppError | None = None
        for spec, group in self._groups():
            try:
                yield from self._answer(room, spec, group, stop, pause)
            except AppError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        if self._seats.judge is not None and not stop.is_set() and not pause.is_set():
            yield from self._judge(room, self._seats.judge, stop, pause)

    def duels_left(self) -> list[Duel]:
        """Pairs that the judge has still to see, as far as there are answers."""
        if self.plan.judge is None:
            return []
        return [duel for duel in duels(self.plan, self._has_answer) if duel not in self.judgements]

    def _has_answer(self, place: Place) -> bool:
        return place in self.cells and self.cells[place].state is CellState.DONE

    def _groups(self) -> list[tuple[ModelSpec, list[Place]]]:
        """The cells that are left, by model."""
        groups: list[tuple[ModelSpec, list[Place]]] = []
        for place in places(self.plan):
            if place not in self.cells:
                spec = self._seats.contestants[place.contestant].spec
                group = next((found for known, found in groups if known == spec), None)
                if group is None:
                    groups.append((spec, group := []))
                group.append(place)
        return groups

    # --- answers ----------------------------------------------------------------------------------------------------

    def _answer(
        self, room: EngineRoom, spec: ModelSpec, group: Sequence[Place], stop: StopFlag, pause: StopFlag
    ) -> Iterator[News]:
        for told in SideBySide(room, spec, [self._task(place) for place in group], pause).run(stop):
            if isinstance(told, ModelFacts):
                yield told
                continue
            place = group[told.index]
            if isinstance(told, Grew):
                yield Grown(place, told.text, told.tokens)
            elif isinstance(told, Begun):
                yield Cell(place, CellState.RUNNING)
            elif isinstance(told, PutBack):
                yield Cell(place)
            else:
                self.cells[place] = self._ended(place, told)
                yield self.cells[place]

    def _task(self, place: Place) -> Task:
        turns = cell_turns(self._system_prompt(place), self.plan.questions[place.question])
        return Task(turns, self._sampling(place))

    def _system_prompt(self, place: Place) -> str:
        return system_prompt_of(self.plan.contestants[place.contestant], self.plan.questions[place.question])

    def _sampling(self, place: Place) -> Sampling:
        return replace(self._seats.contestants[place.contestant].sampling, seed=self.plan.seeds[place.seed])

    def _ended(self, place: Place, told: Answered | Refused) -> Cell:
        version = self.plan.contestants[place.contestant].version
        how = self._made(told, self._sampling(place), self._system_prompt(place), self._now_ms(), version)
        if isinstance(told, Refused):
            return Cell(place, CellState.FAILED, "", how, str(told.error))
        return Cell(place, CellState.DONE, told.text, how)

    @staticmethod
    def _made(
        told: Answered | Refused, sampling: Sampling, system_prompt: str, made_ms: int, version: str = ""
    ) -> Provenance:
        """What made an answer or a judgement, however far it got."""
        done = told.done if isinstance(told, Answered) else None
        how = provenance(
            told.facts,
            sampling,
            system_prompt,
            (),
            told.fitted,
            done,
            str(told.error) if isinstance(told, Refused) else "",
            prompt_version=version,
            at_once=told.at_once if isinstance(told, Answered) else 0,
            made_ms=made_ms,
        )
        return how if done is not None else replace(how, seed=sampling.seed or 0)

    # --- the judge --------------------------------------------------------------------------------------------------

    def _judge(self, room: EngineRoom, seat: Seat, stop: StopFlag, pause: StopFlag) -> Iterator[News]:
        asked: list[Duel] = []
        for duel in self.duels_left():
            if self._text(duel, duel.first) == self._text(duel, duel.second):
                yield self._judged(Judgement(duel, 0.5, SAME_WORDS, at_ms=self._now_ms()))
            else:
                asked.append(duel)
        tasks = [self._judge_task(duel, seat) for duel in asked]
        for told in SideBySide(room, seat.spec, tasks, pause).run(stop):
            if isinstance(told, ModelFacts):
                yield told
            elif isinstance(told, Answered | Refused):
                yield self._judged(self._said(asked[told.index], seat, told))
            else:
                yield Judging(asked[told.index], told.tokens if isinstance(told, Grew) else 0)

    def _said(self, duel: Duel, seat: Seat, told: Answered | Refused) -> Judgement:
        judge, at_ms = self.plan.judge, self._now_ms()
        sampling, prompt = self._judge_sampling(duel, seat), judge.prompt if judge is not None else ""
        how = self._made(told, sampling, prompt, at_ms)
        if isinstance(told, Refused):
            return Judgement(duel, None, error=str(told.error), at_ms=at_ms, provenance=how)
        words = told.text.strip()
        return Judgement(duel, verdict_of(words), words, at_ms=at_ms, provenance=how)

    def _judged(self, judgement: Judgement) -> Judgement:
        self.judgements[judgement.duel] = judgement
        return judgement

    def _judge_task(self, duel: Duel, seat: Seat) -> Task:
        judge = self.plan.judge
        question = self.plan.questions[duel.question]
        texts = self._text(duel, duel.first), self._text(duel, duel.second)
        turns = judge_turns(judge.prompt if judge is not None else "", question, *texts)
        return Task(turns, self._judge_sampling(duel, seat))

    def _judge_sampling(self, duel: Duel, seat: Seat) -> Sampling:
        return replace(seat.sampling, seed=self.plan.seeds[duel.seed])

    def _text(self, duel: Duel, contestant: int) -> str:
        return self.cells[Place(contestant, duel.question, duel.seed)].text

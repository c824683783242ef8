"""An experiment ends with every answer it can have, whatever the engine does, and always the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.core.errors import EngineDiedError, EngineError, ModelFileError
from app.core.judging import SAME_WORDS, Judgement
from app.core.lab import Cell, CellState, Contestant, Judge, Place, Plan, Question, places
from app.core.options import Loading, Sampling
from app.core.stopping import StopFlag
from app.engine.base import ModelFacts, Tagged
from app.engine.llama import load
from app.engine.scripted import Script, ScriptedEngine
from app.services.engine_room import EngineRoom, ModelSpec
from app.services.experiment import (
    Experiment,
    Grown,
    Seat,
    Seats,
)
from app.services.lab_progress import Pace

HOT = Sampling(temperature=1.2, top_k=None, top_p=None, max_tokens=12)
CONTESTANTS = (Contestant("brief", "Be brief."), Contestant("pirate", "You are a pirate. " * 6), Contestant("none", ""))
ASKED = ("Tell me a story.", "What is 3 + 4?", "Name a fruit.", "Who are you?", "Say: apple banana", "Where is it?")


def plan_of(**more: Any) -> Plan:
    values: dict[str, Any] = {
        "contestants": CONTESTANTS,
        "questions": tuple(Question(str(number), text) for number, text in enumerate(ASKED)),
        "seeds": (1, 2),
    }
    return Plan("p", "starter", **{**values, **more})


def seats(plan: Plan, path: str = "scripted.gguf", sampling: Sampling = HOT) -> Seats:
    seat = Seat(ModelSpec("starter", path, Loading(threads=1, context_tokens=1024)), sampling)
    return Seats((seat,) * len(plan.contestants), seat if plan.judge else None)


class Faulty(ScriptedEngine):
    """Fails in the middle of what it is asked when `fault` says so of the prompts in the works."""

    def __init__(self, script: Script, fault: Callable[[list[str]], Exception | None]) -> None:
        super().__init__(script)
        self._fault = fault
        self._prompts: dict[int, str] = {}

    def stream_many(self, wishes, stop, width=16, *, from_scratch=False) -> Iterator[Tagged]:
        asked: list[str] = []
        ended: set[int] = set()

        def noted():
            for request, flag in wishes:
                asked.append(self._vocabulary.says(tuple(t for t in request.tokens if t >= 16)) or "")
                yield request, flag

        for told in super().stream_many(noted(), stop, width, from_scratch=from_scratch):
            if type(told.event).__name__ in ("Done", "Failed"):
                ended.add(told.index)
            yield told
            error = self._fault([text for index, text in enumerate(asked) if index not in ended])
            if error is not None:
                self.close()
                raise error


class Room:
    """An engine room over scripted engines, and how often it loaded one."""

    def __init__(self, script: Script | None = None, fault: Callable[[list[str]], Exception | None] | None = None):
        self.loads = 0

        def made(path, loading, stop, on_progress):
            self.loads += 1
            if "missing" in path:
                raise ModelFileError("There is no such file", path, "Choose another one.")
            engine = Faulty(script or Script(replies=("one two three",)), fault or (lambda _asked: None))
            engine._path = path
            return engine

        self.room = EngineRoom(made)


def died() -> EngineDiedError:
    return EngineDiedError("The engine stopped unexpectedly", "It was killed.", "Load it again.")


def run(experiment: Experiment, room: EngineRoom) -> list[Any]:
    return list(experiment.run(room, StopFlag(), StopFlag()))


def test_every_cell_is_answered_and_told_from_its_beginning_to_its_end():
    plan = plan_of()
    news = run(Experiment(plan, seats(plan)), Room().room)
    for place in places(plan):
        cells = [one for one in news if isinstance(one, Cell) and one.place == place]
        assert [cell.state for cell in cells] == [CellState.RUNNING, CellState.DONE]
        grown = [one for one in news if isinstance(one, Grown) and one.place == place]
        assert "".join(one.text for one in grown) == cells[-1].text == "one two three"
        how = cells[-1].provenance
        assert how is not None
        assert (how.model_name, how.seed, how.stop_reason) == ("Scripted", plan.seeds[place.seed], "end")
        assert how.sampling["max_tokens"] == 12
        assert how.system_prompt == plan.contestants[place.contestant].system_prompt
        assert 0 < how.completion_tokens < how.prompt_tokens


def test_a_contestants_cells_stand_together_and_what_they_begin_with_is_read_once():
    plan = plan_of()
    news = run(Experiment(plan, seats(plan)), Room().room)
    ended = [one for one in news if isinstance(one, Cell) and one.state is CellState.DONE]
    pirate = [cell.provenance for cell in ended if cell.place.contestant == 1]
    cached = sorted(how.cached_tokens for how in pirate if how is not None)
    assert len([few for few in cached if few < 20]) <= 1, cached


def test_a_question_may_bring_a_system_prompt_of_its_own():
    plan = plan_of(questions=(Question("q", "Hi", system_prompt="You are a clock."),), seeds=(1,))
    cells = run_cells(plan, Room().room)
    found = [cell.provenance.system_prompt for cell in cells.values() if cell.provenance]
    assert found[0] == "Be brief.\n\nYou are a clock."
    assert found[2] == "You are a clock."


def run_cells(plan: Plan, room: EngineRoom) -> dict[Place, Cell]:
    experiment = Experiment(plan, seats(plan))
    run(experiment, room)
    return experiment.cells


def test_a_prompt_too_long_fails_its_cell_alone_and_says_how_long_it_is():
    plan = plan_of(questions=(Question("a", "Hi"), Question("b", "lamp " * 900), Question("c", "Ho")))
    cells = run_cells(plan, Room(Script(n_ctx=512)).room)
    failed = {place.question for place, cell in cells.items() if cell.state is CellState.FAILED}
    assert failed == {1}
    assert len(cells) == 18
    told = cells[Place(0, 1, 0)]
    assert "takes 1,8" in told.error or "takes 9" in told.error, told.error
    assert "512" in told.error
    assert told.provenance is not None
    assert told.provenance.seed == 1


def test_the_engines_death_costs_those_in_flight_some_time_and_one_reload():
    plan = plan_of()
    seen = [0]

    def fault(_asked: list[str]) -> Exception | None:
        seen[0] += 1
        return died() if seen[0] == 60 else None

    room = Room(fault=fault)
    experiment = Experiment(plan, seats(plan))
    news = run(experiment, room.room)
    assert room.loads == 2
    assert {cell.state for cell in experiment.cells.values()} == {CellState.DONE}
    assert len(experiment.cells) == 36
    assert any(isinstance(one, Cell) and one.state is CellState.QUEUED for one in news)
    assert len([one for one in news if isinstance(one, Cell) and one.state is CellState.DONE]) == 36


@pytest.mark.parametrize("error", [died, lambda: EngineError("llama.cpp failed", "Code -3.", "Again.")])
def test_the_cell_that_the_engine_fails_at_again_is_found_and_fails_alone(error):
    plan = plan_of()
    room = Room(fault=lambda asked: error() if any("fruit" in text for text in asked) else None)
    cells = run_cells(plan, room.room)
    failed = [place for place, cell in cells.items() if cell.state is CellState.FAILED]
    assert {place.question for place in failed} == {2}
    assert len(failed) == 6
    assert len(cells) == 36
    assert all(error().title in cells[place].error for place in failed)


def test_an_engine_that_fails_at_everything_ends_the_run_and_leaves_the_rest_to_be_done():
    plan = plan_of(seeds=(1,))
    room = Room(fault=lambda _asked: died())
    experiment = Experiment(plan, seats(plan))
    with pytest.raises(EngineDiedError):
        run(experiment, room.room)
    assert experiment.cells == {}
    assert room.loads < 8


def test_a_model_that_is_missing_costs_its_own_cells_alone():
    plan = plan_of(seeds=(1,))
    good, bad = seats(plan).contestants[0], Seat(ModelSpec("gone", "missing.gguf", Loading()), HOT)
    experiment = Experiment(plan, Seats((good, bad, good)))
    with pytest.raises(ModelFileError, match="no such file"):
        run(experiment, Room().room)
    assert {place.contestant for place in experiment.cells} == {0, 2}
    experiment = Experiment(plan, Seats((good, good, good)), experiment.cells.values())
    news = run(experiment, Room().room)
    assert {one.place.contestant for one in news if isinstance(one, Cell)} == {1}


def test_models_come_one_after_another_and_each_is_loaded_once():
    plan = plan_of(seeds=(1,))
    first, other = (Seat(ModelSpec(name, f"{name}.gguf", Loading()), HOT) for name in "ab")
    room = Room()
    news = run(Experiment(plan, Seats((first, other, first))), room.room)
    assert room.loads == 2
    assert [one.path for one in news if isinstance(one, ModelFacts)] == ["a.gguf", "b.gguf"]
    order = [one.place.contestant for one in news if isinstance(one, Cell) and one.state is CellState.DONE]
    assert order.index(1) == 12


def test_a_pause_ends_what_is_in_the_works_and_a_stop_drops_it():
    plan = plan_of()
    for flag in ("pause", "stop"):
        stop, pause = StopFlag(), StopFlag()
        experiment, room = Experiment(plan, seats(plan)), Room()
        running: set[Place] = set()
        news = []
        for one in experiment.run(room.room, stop, pause):
            news.append(one)
            if isinstance(one, Grown) and one.tokens == 2:
                (pause if flag == "pause" else stop).set()
            if isinstance(one, Cell):
                (running.add if one.state is CellState.RUNNING else running.discard)(one.place)
        assert not running, "who was being written has ended or is queued again"
        assert len(experiment.cells) == (16 if flag == "pause" else 0)
        assert room.loads == 1
        run(experiment, room.room)
        assert len(experiment.cells) == 36


def test_the_judge_sees_every_pair_in_both_orders_and_what_is_no_verdict_is_kept():
    plan = plan_of(questions=plan_of().questions[:2], seeds=(1,), judge=Judge("starter", "Judge."))
    answers = ("first answer", "other answer", "third answer") * 2
    verdicts = ("clear.\nA", "hm.\nB", "who knows", "same.\ntie") * 3
    room = Room(Script(replies=(*answers, *verdicts)))
    experiment = Experiment(plan, seats(plan), now_ms=lambda: 77)
    news = [one for one in run(experiment, room.room) if isinstance(one, Judgement)]
    assert len(news) == len(experiment.judgements) == 12
    asked = [one for one in news if one.words != SAME_WORDS]
    outcomes = [one.outcome for one in asked]
    assert {1.0, 0.0, 0.5, None} == set(outcomes)
    assert all(one.at_ms == 77 for one in news)
    assert {one.words for one in asked if one.outcome is None} == {"who knows"}
    assert experiment.duels_left() == []


def test_each_verdict_tells_what_made_it():
    plan = plan_of(questions=plan_of().questions[:1], seeds=(7,), judge=Judge("starter", "Judge.", {"top_k": 3}))
    room = Room(Script(replies=("first answer", "other answer", "third answer", "hm.\nA")))
    seat = seats(plan).contestants[0]
    judge = replace(seat, sampling=replace(seat.sampling, top_k=3))
    experiment = Experiment(plan, Seats(seats(plan).contestants, judge), now_ms=lambda: 77)
    run(experiment, room.room)
    made = [one.provenance for one in experiment.judgements.values() if one.words != SAME_WORDS]
    assert made
    for how in made:
        assert (how.system_prompt, how.prompt_version, how.seed, how.made_ms) == ("Judge.", "", 7, 77)
        assert (how.sampling["top_k"], how.sampling["seed"], how.stop_reason) == (3, 7, "end")
        assert how.model_path
        assert how.template
        assert how.at_once > 1
        assert how.prompt_tokens > how.completion_tokens > 0


def test_answers_that_are_the_same_are_a_tie_without_asking():
    plan = plan_of(questions=plan_of().questions[:1], seeds=(1,), judge=Judge("starter", "Judge."))
    experiment = Experiment(plan, seats(plan))
    run(experiment, Room().room)
    assert [(one.outcome, one.words) for one in experiment.judgements.values()] == [(0.5, SAME_WORDS)] * 6
    assert {one.provenance for one in experiment.judgements.values()} == {None}, "nobody was asked"


def test_progress_tells_how_much_is_done_how_fast_and_how_long_it_takes():
    now = [0.0]
    plan = plan_of(judge=Judge("starter", "Judge."))
    experiment = Experiment(plan, seats(plan))
    room = Room(Script(replies=("one two three", "four five six", "A")))
    pace = Pace(plan, clock=lambda: now[0])
    first = pace.now()
    assert (first.total, first.judgements, first.left_s) == (36, 72, None)
    told = []
    for news in experiment.run(room.room, StopFlag(), StopFlag()):
        now[0] += 0.05
        pace.see(news)
        told.append(pace.now())
    half = next(one for one in told if one.done == 18)
    assert len(half.running) > 1
    assert half.tokens_per_s > 0
    assert half.left_s is not None
    assert half.left_s > 0
    last = told[-1]
    assert last.is_complete
    assert (last.done, last.failed, last.judged, last.left_s) == (36, 0, 72, 0.0)
    assert last.running == {}
    again = Pace(plan, experiment.cells.values(), experiment.judgements.values())
    assert again.now().is_complete


def texts(experiment: Experiment) -> dict[Place, str]:
    return {place: cell.text for place, cell in experiment.cells.items()}


def test_a_run_that_was_broken_off_and_resumed_equals_an_unbroken_one_cell_for_cell(starter):
    plan = plan_of(judge=Judge("starter", "Say A, B or tie."))
    sitting = seats(plan, str(starter))
    room = EngineRoom(load)
    whole = Experiment(plan, sitting)
    run(whole, room)
    cells: dict[Place, Cell] = {}
    judgements: dict[Any, Judgement] = {}
    for breaks in (3, 9, 21, 45):
        stop = StopFlag()
        broken = Experiment(plan, sitting, cells.values(), judgements.values())
        for told in broken.run(room, stop, StopFlag()):
            if len(broken.cells) + len(broken.judgements) >= breaks and isinstance(told, Grown):
                stop.set()
        cells, judgements = broken.cells, broken.judgements
    assert len(cells) + len(judgements) >= 45
    last = Experiment(plan, sitting, cells.values(), judgements.values())
    run(last, room)
    room.empty()
    assert texts(last) == texts(whole)
    assert len(texts(whole)) == 36
    assert len(set(texts(whole).values())) > 12
    said = [{duel: (one.outcome, one.words) for duel, one in run.judgements.items()} for run in (last, whole)]
    assert said[0] == said[1]
    assert len(said[0]) == 72

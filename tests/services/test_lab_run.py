"""A run in the window: what shows as ended is on the disk, it pauses and goes on, and nothing is answered twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.errors import ModelFileError
from app.core.judging import Judgement
from app.core.lab import Cell, CellState, Contestant, Judge, Place, Plan, Question
from app.engine.scripted import Script
from app.services.lab_run import LabRun
from app.storage.runs import RunState

PLAN = Plan(
    "p",
    "starter",
    (Contestant("brief", "Be brief."), Contestant("pirate", "You are a pirate.", overrides={"temperature": 0.1})),
    tuple(Question(str(number), f"Question {number}?") for number in range(10)),
    (1, 2),
    {"max_tokens": 30, "temperature": 0.9},
)
SLOW = Script(replies=("one two three four five six", "seven eight nine ten"), tokens_per_s=400)
ONE_QUICK = Script(replies=("one two", *["word " * 30] * 60), tokens_per_s=10)
"""The first answer ends long before the others, which take seconds: a test has time until it lets them hurry."""


class Watched:
    """A run, and all that it told."""

    def __init__(self, services: Any, plan: Plan = PLAN, run_id: int = 0) -> None:
        self.services = services
        self.id = run_id or services.ask(lambda stores: stores.runs.create(plan)).id
        cells, judgements = services.ask(lambda stores: (stores.runs.cells(self.id), stores.runs.judgements(self.id)))
        self.run = LabRun(self.id, plan, services.models, services.preferences, services.archive, cells, judgements)
        self.changed: list[Cell] = []
        self.judged: list[Judgement] = []
        self.states: list[RunState] = []
        self.errors: list[Any] = []
        self.progress: list[Any] = []
        self.run.cell_changed.connect(self.changed.append)
        self.run.judged.connect(self.judged.append)
        self.run.state_changed.connect(self.states.append)
        self.run.failed.connect(self.errors.append)
        self.run.progressed.connect(self.progress.append)

    def wait(self) -> None:
        self.services.wait(lambda: not self.run.busy)

    def kept(self) -> dict[Place, Cell]:
        return {cell.place: cell for cell in self.services.ask(lambda stores: stores.runs.cells(self.id))}

    def state(self) -> RunState:
        return self.services.ask(lambda stores: stores.runs.row(self.id)).state


def test_a_run_ends_with_every_answer_shown_and_kept(build):
    watched = Watched(build(Script(replies=("one two", "three four"))))
    watched.run.start()
    assert watched.run.busy
    watched.wait()
    assert watched.states == [RunState.RUNNING, RunState.DONE]
    assert watched.state() is RunState.DONE
    assert len(watched.kept()) == 40
    assert {place: cell.text for place, cell in watched.run.cells().items()} == {
        place: cell.text for place, cell in watched.kept().items()
    }
    assert watched.progress[-1].is_complete
    sampling = [
        watched.services.ask(lambda stores, at=at: stores.runs.cell(watched.id, at, PLAN)).provenance.sampling
        for at in (Place(0, 0, 1), Place(1, 0, 1))
    ]
    assert [(one["temperature"], one["seed"], one["max_tokens"]) for one in sampling] == [(0.9, 2, 30), (0.1, 2, 30)]
    watched.run.start()
    assert not watched.run.busy, "nothing is left to do"


def test_what_shows_as_ended_is_on_the_disk(build):
    services = build(SLOW)
    watched = Watched(services)
    looked: list[tuple[Place, int]] = []

    def look(cell: Cell) -> None:
        if cell.state is CellState.DONE and len(looked) < 5:
            place = cell.place
            services.archive.ask(
                lambda stores: (place, [one.place for one in stores.runs.cells(watched.id)].count(place)), looked.append
            )

    watched.run.cell_changed.connect(look)
    watched.run.start()
    watched.wait()
    services.wait(lambda: len(looked) >= 5)
    assert {count for _, count in looked} == {1}


def test_a_pause_lets_what_is_in_the_works_end_and_start_goes_on_in_another_window_too(build):
    services = build(ONE_QUICK)
    watched = Watched(services)
    watched.run.start()
    services.wait(lambda: any(cell.state is CellState.RUNNING for cell in watched.changed))
    watched.run.pause()
    assert watched.run.pausing
    services.pace(None)
    watched.wait()
    assert watched.states[-1] is RunState.PAUSED
    some = watched.kept()
    assert 0 < len(some) < 40
    assert all(cell.state is CellState.DONE for cell in watched.run.cells().values())
    again = Watched(services, run_id=watched.id)
    assert again.run.progress().done == len(some)
    again.run.start()
    again.wait()
    assert again.state() is RunState.DONE
    assert len(again.kept()) == 40
    answered = {cell.place for cell in again.changed}
    assert not answered & some.keys(), "nothing is answered twice"


def test_a_stop_drops_what_is_in_the_works_and_keeps_the_rest(build):
    services = build(ONE_QUICK)
    watched = Watched(services)
    watched.run.start()
    services.wait(lambda: any(cell.text for cell in watched.run.cells().values()))
    watched.run.stop()
    watched.wait()
    assert watched.states[-1] is RunState.PAUSED
    assert all(cell.state is CellState.DONE for cell in watched.run.cells().values())
    assert watched.run.cells().keys() == watched.kept().keys()


def test_the_judge_follows_and_its_words_are_kept(build):
    plan = Plan("p", "starter", PLAN.contestants, PLAN.questions[:2], (1,), judge=Judge("starter", "Judge."))
    watched = Watched(build(Script(replies=("one", "two", "three", "four", *("because.\nA", "because.\nB") * 2))), plan)
    watched.run.start()
    watched.wait()
    assert sorted(one.outcome for one in watched.judged) == [0.0, 0.0, 1.0, 1.0]
    kept = watched.services.ask(lambda stores: stores.runs.judgements(watched.id))
    assert watched.judged == list(watched.run.judgements())
    assert kept == [replace(one, provenance=None) for one in watched.judged]
    made = watched.services.ask(lambda stores: stores.runs.judged_by(watched.id, plan))
    assert made == {one.duel: one.provenance for one in watched.judged}
    watched.run.retry([Place(0, 1, 0)])
    assert [one.duel.question for one in watched.run.judgements()] == [0, 0]
    assert watched.state() is RunState.PAUSED
    watched.run.start()
    watched.wait()
    assert watched.run.progress().is_complete
    assert len(watched.kept()) == 4


def test_what_the_judge_could_not_say_is_asked_once_more(build):
    plan = Plan("p", "starter", PLAN.contestants, PLAN.questions[:1], (1,), judge=Judge("starter", "Judge."))
    services = build(Script(replies=("one", "two", "because.\nA", "because.\nB", "after all.\nA")))
    watched = Watched(services, plan)
    watched.run.start()
    watched.wait()
    first, second = (replace(one, provenance=None) for one in watched.run.judgements())
    silent = Judgement(first.duel, None, error="The question is too long.", at_ms=3)
    services.ask(lambda stores: stores.runs.save(watched.id, [], [silent]))
    again = Watched(services, plan, watched.id)
    assert set(again.run.judgements()) == {silent, second}
    assert again.run.has_judge_errors
    assert again.run.progress().is_complete
    again.run.retry_judge()
    assert again.run.judgements() == (second,)
    again.run.start()
    again.wait()
    assert again.run.progress().is_complete
    assert not again.run.has_judge_errors
    kept = services.ask(lambda stores: stores.runs.judgements(watched.id))
    assert sorted(one.words for one in kept) == sorted([second.words, "after all.\nA"])


def test_a_model_that_cannot_be_loaded_is_told_and_the_run_waits(build):
    trouble = ModelFileError("The file is gone", "It was moved.", "Find it.")
    watched = Watched(build(Script(load_error=trouble)))
    watched.run.start()
    watched.wait()
    assert [error.title for error in watched.errors] == ["The file is gone"]
    assert watched.states == [RunState.RUNNING, RunState.PAUSED]
    assert watched.run.cells() == {}


def test_a_full_disk_is_told_and_what_had_ended_is_kept_later(build, monkeypatch):
    from app.storage.runs import RunStore
    from app.storage.trouble import disk_full

    services = build(Script(replies=("one two",)))
    watched = Watched(services)
    save, full = RunStore.save, [True]

    def refusing(store, *what):
        if full[0]:
            raise disk_full()
        return save(store, *what)

    monkeypatch.setattr(RunStore, "save", refusing)
    monkeypatch.setattr("app.services.lab_run._RETRY_MS", 20)
    watched.run._retry_timer.setInterval(20)
    watched.run.start()
    services.wait(lambda: len(watched.errors) > 1)
    assert not [cell for cell in watched.changed if cell.state is CellState.DONE]
    full[0] = False
    watched.wait()
    assert len(watched.kept()) == 40
    assert watched.states[-1] is RunState.DONE


@pytest.mark.parametrize("many", [10_000])
def test_a_large_run_is_read_whole(build, many):
    plan = Plan(
        "p",
        "starter",
        tuple(Contestant(str(number), "") for number in range(20)),
        tuple(Question(str(number), "Hi") for number in range(500)),
    )
    services = build(Script())
    run = services.ask(lambda stores: stores.runs.create(plan))
    cells = [Cell(Place(at % 20, at // 20, 0), CellState.DONE, f"Answer {at}") for at in range(many)]
    services.ask(lambda stores: stores.runs.save(run.id, cells))
    watched = Watched(services, plan, run.id)
    assert watched.run.progress().done == many
    assert watched.run.state is RunState.DONE


def test_a_chat_is_answered_in_the_middle_of_a_run_which_goes_on_by_itself(build):
    services = build(ONE_QUICK)
    watched = Watched(services)
    session = services.chat("starter")
    made_room: list[bool] = []
    watched.run.progressed.connect(lambda _: made_room.append(watched.run.makes_room))
    asked: list[bool] = []

    def ask(cell: Cell) -> None:
        if cell.state is CellState.DONE and not asked:
            asked.append(True)
            session.send("Hello")

    watched.run.cell_changed.connect(ask)
    watched.run.start()
    services.wait(lambda: True in made_room)
    services.pace(None)
    services.wait(lambda: not session.busy)
    assert session.path()[-1].text
    services.wait(lambda: not watched.run.busy)
    assert watched.states == [RunState.RUNNING, RunState.RUNNING, RunState.DONE], "it began again behind the chat"
    assert len(watched.kept()) == 40
    ended = [cell.place for cell in watched.changed if cell.state is CellState.DONE]
    assert sorted(ended) == sorted(set(ended)), "nothing is answered twice"


def test_answers_that_take_long_are_cut_off_for_a_chat_and_asked_for_again(build):
    services = build(Script(replies=("word " * 100_000,), tokens_per_s=300))
    watched = Watched(services, Plan("p", "starter", (Contestant("A", ""),), PLAN.questions[:2], (1,)))
    watched.run._room_timer.setInterval(30)
    session = services.chat("starter")
    session.set_override("max_tokens", 5)
    watched.run.start()
    services.wait(lambda: any(cell.text for cell in watched.run.cells().values()))
    session.send("Hello")
    services.wait(lambda: not session.busy)
    assert session.path()[-1].text
    assert watched.kept() == {}
    assert watched.run.busy, "it goes on by itself"
    watched.run.stop()
    watched.wait()
    assert watched.states[-1] is RunState.PAUSED, "the person's own stop is no making room"


def test_what_merely_counts_tokens_does_not_interrupt_a_run(build):
    services = build(SLOW)
    watched = Watched(services)
    watched.run.start()
    services.wait(lambda: bool(watched.run.cells()))
    services.models.prepare("starter")
    assert not watched.run.makes_room
    watched.run.stop()
    watched.wait()


def test_a_run_goes_on_with_the_values_that_its_models_had_when_it_began(build):
    services = build(ONE_QUICK)
    services.preferences.set_for_model("starter", "top_k", 7)
    plan = replace(PLAN, contestants=PLAN.contestants[:1], overrides={"max_tokens": 30}, judge=Judge("", "Judge."))
    watched = Watched(services, plan)
    watched.run.start()
    services.wait(lambda: any(cell.state is CellState.DONE for cell in watched.run.cells().values()))
    watched.run.stop()
    watched.wait()
    services.pace(None)
    services.preferences.set_for_model("starter", "top_k", 50)
    services.preferences.set_for_model("starter", "temperature", 0.3)
    held = services.ask(lambda stores: stores.runs.plan(watched.id))
    assert held.model_values["starter"]["top_k"] == 7
    assert held.model_values["starter"]["temperature"] != 0.3
    again = Watched(services, held, watched.id)
    assert not again.run.progress().is_complete
    again.run.start()
    again.wait()
    assert again.run.progress().is_complete
    whole = services.ask(lambda stores: stores.runs.whole_cells(watched.id, held))
    assert {(cell.provenance.sampling["top_k"], cell.provenance.sampling["temperature"]) for cell in whole} == {
        (7, held.model_values["starter"]["temperature"])
    }
    assert len(whole) == 20

"""What a person says about pairs of answers is on the disk before it counts, and is taken back one by one."""

from __future__ import annotations

import pytest

from app.core.judging import Counted, Duel
from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question, Rater
from app.engine.scripted import Script
from app.services.lab_run import LabRun

PLAN = Plan(
    "p",
    "starter",
    (Contestant("a", ""), Contestant("b", ""), Contestant("c", "")),
    (Question("q1", "Why?"), Question("q2", "How?")),
)
CELLS = [Cell(Place(one, two, 0), CellState.DONE, f"{one} to {two}") for one in range(3) for two in range(2)]


@pytest.fixture
def services(build):
    return build(Script())


def open_run(services, run_id: int = 0) -> LabRun:
    if not run_id:
        run_id = services.ask(lambda stores: stores.runs.create(PLAN)).id
        services.ask(lambda stores: stores.runs.save(run_id, CELLS))
    run = LabRun(run_id, PLAN, services.models, services.preferences, services.archive, CELLS)
    services.wait(lambda: run.ballots.ready)
    return run


def say(services, run: LabRun, duel: Duel, outcome: float | None, words: str = "") -> None:
    assert run.ballots.add(duel, outcome, words)
    services.wait(lambda: not run.ballots.saving)


def test_a_vote_counts_once_it_is_on_the_disk_and_is_there_when_the_run_is_opened_again(services):
    run = open_run(services)
    kept: list = []
    on_disk: list = []
    run.ballots.kept.connect(kept.append)
    run.ballots.kept.connect(
        lambda _: services.archive.ask(lambda stores: stores.runs.votes(run.run_id), on_disk.append)
    )
    assert run.ballots.add(Duel(0, 0, 2, 1), 1.0, "clearer ☕")
    assert run.votes() == []
    assert not run.ballots.add(Duel(1, 0, 0, 1), 0.0), "one after another"
    services.wait(lambda: bool(on_disk))
    (vote,) = on_disk[0]
    assert (vote.rater, vote.first, vote.second, vote.outcome, vote.words) == (Rater.PERSON, 2, 1, 1.0, "clearer ☕")
    assert vote.at_ms > 1_600_000_000_000
    assert run.votes() == [vote]
    assert open_run(services, run.run_id).ballots.all() == run.ballots.all() == tuple(kept)


def test_a_skipped_pair_is_kept_but_is_no_vote(services):
    run = open_run(services)
    say(services, run, Duel(0, 0, 0, 1), None)
    again = open_run(services, run.run_id)
    assert again.votes() == services.ask(lambda stores: stores.runs.votes(run.run_id)) == []
    assert again.ballots.skipped() == [Duel(0, 0, 0, 1)]
    assert services.ask(lambda stores: stores.runs.row(run.run_id)).votes == 0


def test_the_newest_is_taken_back_first_also_after_a_restart(services):
    run = open_run(services)
    for duel, outcome in ((Duel(0, 0, 0, 1), 1.0), (Duel(1, 0, 0, 1), None), (Duel(0, 0, 1, 2), 0.5)):
        say(services, run, duel, outcome)
    again = open_run(services, run.run_id)
    gone: list = []
    again.ballots.taken_back.connect(gone.append)
    for left in (2, 1, 0):
        assert again.ballots.take_back()
        services.wait(lambda: not again.ballots.saving)
        assert len(again.ballots.all()) == left
    assert [one.duel for one in gone] == [Duel(0, 0, 1, 2), Duel(1, 0, 0, 1), Duel(0, 0, 0, 1)]
    assert not again.ballots.take_back()
    assert open_run(services, run.run_id).ballots.all() == ()


def test_a_disk_that_refuses_leaves_everything_as_it_was(services, monkeypatch):
    from app.storage.runs import RunStore
    from app.storage.trouble import disk_full

    run = open_run(services)
    say(services, run, Duel(0, 0, 0, 1), 1.0)
    errors: list = []
    run.ballots.failed.connect(errors.append)

    def refuse(*_what):
        raise disk_full()

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "add_ballot", refuse)
        patch.setattr(RunStore, "remove_vote", refuse)
        say(services, run, Duel(1, 0, 0, 1), 1.0)
        assert run.ballots.take_back()
        services.wait(lambda: len(errors) == 2)
    assert [one.duel for one in run.ballots.all()] == [Duel(0, 0, 0, 1)]
    say(services, run, Duel(1, 0, 0, 1), 1.0)
    assert len(open_run(services, run.run_id).ballots.all()) == 2


def test_what_was_said_of_an_answer_goes_when_it_is_asked_for_again(services):
    run = open_run(services)
    say(services, run, Duel(0, 0, 0, 1), 1.0)
    say(services, run, Duel(0, 0, 1, 2), 1.0)
    say(services, run, Duel(1, 0, 0, 1), 1.0)
    run.retry([Place(0, 0, 0)])
    left = [Duel(0, 0, 1, 2), Duel(1, 0, 0, 1)]
    assert [one.duel for one in run.ballots.all()] == left
    assert [one.duel for one in open_run(services, run.run_id).ballots.all()] == left


def test_votes_count_by_whose_they_are(services):
    run = open_run(services)
    say(services, run, Duel(0, 0, 0, 1), 1.0)
    assert len(Counted.PERSON.of(run.votes())) == len(Counted.BOTH.of(run.votes())) == 1
    assert Counted.JUDGE.of(run.votes()) == []

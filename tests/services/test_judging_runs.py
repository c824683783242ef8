"""Rankings, pairs to rate and training data of a run, worked out beside the window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.chat import Provenance
from app.core.errors import AppError
from app.core.judging import Counted, Duel, Judgement
from app.core.lab import Cell, CellState, Check, Contestant, Place, Plan, Question
from app.datasets.training import ChatFormat, Examples, written
from app.engine.scripted import Script
from app.services.judging import Judging
from app.services.lab_run import LabRun

PLAN = Plan(
    "p",
    "starter",
    (Contestant("a", "Be a."), Contestant("b", "Be b.")),
    (Question("q1", "Why?"), Question("q2", "How?")),
    checks=(Check("stops"),),
)
CELLS = [
    Cell(Place(one, two, 0), CellState.DONE, f"{one} to {two}", Provenance(stop_reason="length" if one else "end"))
    for one in range(2)
    for two in range(2)
]
JUDGED = [Judgement(Duel(number, 0, 0, 1), 1.0, "A") for number in range(2)]


@pytest.fixture
def judging() -> Iterator[Judging]:
    made = Judging()
    yield made
    assert made.close()


@pytest.fixture
def run(build) -> LabRun:
    services = build(Script())
    run_id = services.ask(lambda stores: stores.runs.create(PLAN)).id
    services.ask(lambda stores: stores.runs.save(run_id, CELLS, JUDGED))
    cells, judgements = services.ask(lambda stores: (stores.runs.cells(run_id), stores.runs.judgements(run_id)))
    made = LabRun(run_id, PLAN, services.models, services.preferences, services.archive, cells, judgements)
    services.wait(lambda: made.ballots.ready)
    made.ballots.add(Duel(0, 0, 1, 0), 1.0)
    services.wait(lambda: not made.ballots.saving)
    return made


class Answer:
    """What came of a question to the service."""

    def __init__(self, qtbot) -> None:
        self.found: list = []
        self.errors: list[AppError] = []
        self._qtbot = qtbot

    def wait(self):
        self._qtbot.waitUntil(lambda: bool(self.found or self.errors), timeout=20_000)
        return self.found[0] if self.found else None


def test_a_run_stands_by_the_votes_that_count(qtbot, judging, run):
    best = {}
    for counted in Counted:
        answer = Answer(qtbot)
        judging.standing(run, counted, answer.found.append, answer.errors.append)
        best[counted] = answer.wait().ranking.ranks[0].contestant
    assert best == {Counted.BOTH: 0, Counted.JUDGE: 0, Counted.PERSON: 1}


def test_pairs_that_are_rated_do_not_come_again(qtbot, judging, run):
    answer = Answer(qtbot)
    judging.pairs(run, 10, answer.found.append, answer.errors.append)
    teaching = answer.wait()
    assert [one.question for one in teaching.pairs] == [1]
    assert teaching.open == 1


def test_answers_to_learn_from_are_those_that_won_or_passed(qtbot, judging, run, tmp_path: Path):
    answer = Answer(qtbot)
    judging.examples(run, answer.found.append, answer.errors.append)
    groups: dict[str, Examples] = {one.title: one for one in answer.wait()}
    assert {title: len(one.dialogues) for title, one in groups.items()} == {
        "Answers that won": 1,
        "Answers that passed every check": 2,
        "All answers": 4,
        "Pairs of the better and the worse answer": 0,
    }
    (pair,) = groups["Pairs of the better and the worse answer"].preferences
    assert (pair.prompt, pair.chosen, pair.rejected) == ("How?", "0 to 1", "1 to 1")
    path = tmp_path / "learn.jsonl"
    answer = Answer(qtbot)
    passed = groups["Answers that passed every check"].dialogues
    judging.write(((str(path), lambda: written(passed, ChatFormat.OPENAI)),), answer.found.append, answer.errors.append)
    assert answer.wait() == str(path)
    lines = [json.loads(line)["messages"] for line in path.read_text("utf-8").splitlines()]
    assert [line[-1]["content"] for line in lines] == ["0 to 0", "0 to 1"]


def test_a_file_that_cannot_be_written_is_told(qtbot, judging, tmp_path: Path):
    answer = Answer(qtbot)
    judging.write(((str(tmp_path / "none" / "x.jsonl"), lambda: "x"),), answer.found.append, answer.errors.append)
    assert answer.wait() is None
    assert answer.errors[0].title

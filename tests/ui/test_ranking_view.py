"""The ranking of a run in the window: intervals, who beat whom, what it says, whose votes count, what is exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from shiboken6 import delete

from app.core.judging import Counted, Duel, Judgement
from app.core.lab import Cell, CellState, Contestant, Judge, Place, Plan, Question
from app.engine.scripted import Script
from app.services.lab_run import LabRun
from app.services.notice import Notice
from app.services.run_files import RunFile
from app.ui.ranking_view import RankingView
from app.ui.training_dialog import TrainingDialog

PLAN = Plan(
    "Round 3",
    "starter",
    (Contestant("Terse", "Be brief."), Contestant("Kind <b>", "Be kind."), Contestant("None", "")),
    tuple(Question(f"q{number}", f"Question {number}?") for number in range(8)),
    judge=Judge("starter", "Judge."),
)
CELLS = [
    Cell(Place(one, question, 0), CellState.DONE, f"Answer of {one} to {question}")
    for one in range(3)
    for question in range(8)
]


def judged(question: int, first: int, second: int, outcome: float | None, words: str = "because") -> Judgement:
    return Judgement(Duel(question, 0, first, second), outcome, words)


JUDGED = [
    judged(question, *pair, 1.0 if pair[0] < pair[1] else 0.0)
    for question in range(8)
    for pair in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1))
]


@pytest.fixture
def ranking(qtbot, build, hub_of, light):
    """A view over a run: `ranking(judgements, mine)`, `mine` being (duel, outcome) of the person."""
    services = build(Script())
    hub = hub_of(services)

    def make(judgements=JUDGED, mine=(), size=(1240, 860)) -> RankingView:
        run_id = services.ask(lambda stores: stores.runs.create(PLAN)).id
        services.ask(lambda stores: stores.runs.save(run_id, CELLS, judgements))
        run = LabRun(run_id, PLAN, services.models, services.preferences, services.archive, CELLS, judgements)
        services.wait(lambda: run.ballots.ready)
        for duel, outcome in mine:
            run.ballots.add(duel, outcome, "mine")
            services.wait(lambda: not run.ballots.saving)
        view = RankingView(run, hub, light)
        qtbot.addWidget(view)
        view.run, view.services = run, services
        view.resize(*size)
        view.show()
        view.enter()
        settle(qtbot, view)
        return view

    return make


def settle(qtbot, view: RankingView) -> None:
    qtbot.waitUntil(lambda: view.standing is not None and not view._asking, timeout=20_000)


def names(view: RankingView) -> list[str]:
    return [row.name for row in view.plot._rows]


def choose(qtbot, view: RankingView, counted: Counted) -> None:
    qtbot.mouseClick(view.choices[counted], Qt.MouseButton.LeftButton)
    settle(qtbot, view)
    assert view.standing.counted is counted


def test_the_ranking_the_win_table_and_the_sentences_say_the_same(qtbot, ranking):
    view = ranking()
    assert names(view) == ["Terse", "Kind <b>", "None"]
    assert [row.name for row in view.wins.rows] == names(view)
    assert [[cell.words for cell in row.cells] for row in view.wins.rows] == [
        ["", "100 %", "100 %"],
        ["0 %", "", "100 %"],
        ["0 %", "0 %", ""],
    ]
    assert view.wins.rows[0].cells[1].tip == "Terse beat Kind <b> in 16 of 16 votes"
    assert "<b>Terse</b> comes first in" in view.says.words.text()
    assert "Kind &lt;b&gt;" in view.says.words.text() or "all others" in view.says.words.text()
    assert view.plot.accessibleDescription().startswith("1: Terse, +")
    assert " points, +" in view.plot.accessibleDescription()
    assert view._counts.text() == "24 answers, 48 votes"
    assert [label.text() for label in view.votes._numbers.values()] == ["48", "48", "0"]
    assert view.votes.note.text() == "3 pairs of prompts, each compared 16 times"


def test_votes_count_by_whose_they_are(qtbot, ranking):
    mine = [(Duel(question, 0, 0, 1), 0.0) for question in range(4)]
    view = ranking(mine=mine)
    assert names(view)[0] == "Terse"
    choose(qtbot, view, Counted.PERSON)
    assert names(view)[0] == "Kind <b>"
    assert view.wins.rows[0].cells[1].words in ("100 %", "")
    choose(qtbot, view, Counted.JUDGE)
    assert names(view)[0] == "Terse"


def test_agreement_of_person_and_judge_is_told_with_kappa(qtbot, ranking):
    mine = [(Duel(0, 0, 0, 1), 1.0), (Duel(1, 0, 1, 0), 0.0), (Duel(2, 0, 0, 1), 0.0), (Duel(3, 0, 2, 0), 0.0)]
    view = ranking(mine=mine)
    assert view.agreement.share.text() == "75 %"
    assert view.agreement.facts.text().startswith("of 4 pairs, 95 % interval 30 to 95\nCohen’s κ 0.50")
    assert [[cell.words for cell in row.cells] for row in view.agreement.table.rows] == [
        ["1", "0", "0"],
        ["0", "0", "0"],
        ["1", "0", "2"],
    ]
    assert "swapped: 0 %" in view.agreement.steady.text()


def test_without_a_judge_or_votes_there_is_something_to_do_instead_of_an_empty_page(qtbot, ranking):
    view = ranking(judgements=[])
    assert view.agreement.isHidden()
    assert view._ranking.isHidden()
    assert "Nobody has voted yet." in view.says.words.text()
    assert view.says.rate.text() == "Rate 10"
    assert not view.choices[Counted.JUDGE].isEnabled()
    with qtbot.waitSignal(view.rate_asked) as asked:
        qtbot.mouseClick(view.says.rate, Qt.MouseButton.LeftButton)
    assert asked.args == [10]


def test_it_follows_votes_that_come_while_it_is_on_screen(qtbot, ranking):
    view = ranking(judgements=[])
    view._settle.setInterval(10)
    for question in range(3):
        view.run.ballots.add(Duel(question, 0, 2, 1), 1.0)
        view.services.wait(lambda: not view.run.ballots.saving)
    qtbot.waitUntil(lambda: view.standing.ranking.votes == 3)
    assert names(view)[0] == "None"
    assert view.says.hint.text()


def test_question_by_question_with_what_was_said_there(qtbot, ranking):
    view = ranking(mine=[(Duel(2, 0, 1, 0), 1.0)])
    table = view.questions.table
    assert [row.name for row in table.rows][:2] == ["q0: Question 0?", "q1: Question 1?"]
    qtbot.mouseClick(view.says.questions, Qt.MouseButton.LeftButton)
    assert not view.questions.said.isHidden(), "the first line is looked at"
    table.setCurrentIndex(table.model().index(2, 1))
    told = view.questions.said.toPlainText()
    assert told.startswith("Question 2?")
    assert "Judge: Terse is better than Kind <b> – because" in told
    assert "You: Kind <b> is better than Terse – mine" in told
    with qtbot.waitSignal(view.question_asked) as asked:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert asked.args == [2]


def test_exports_are_asked_for_by_their_kind(qtbot, ranking):
    view = ranking()
    kinds = []
    view.export_asked.connect(kinds.append)
    for name in ("report", "votes-csv", "answers-jsonl"):
        qtbot.mouseClick(view.export.buttons[name], Qt.MouseButton.LeftButton)
    assert kinds == [RunFile.REPORT, RunFile.VOTES_CSV, RunFile.ANSWERS_JSONL]


def test_training_data_is_chosen_looked_at_and_written(qtbot, ranking, tmp_path: Path):
    view = ranking()
    qtbot.mouseClick(view.export.buttons["training"], Qt.MouseButton.LeftButton)
    (dialog,) = view.findChildren(TrainingDialog)
    qtbot.waitUntil(dialog.save.isEnabled)
    titles = [dialog.which.itemText(at) for at in range(dialog.which.count())]
    assert titles == ["Answers that won (8)", "All answers (24)", "Pairs of the better and the worse answer (24)"]
    assert dialog.count.text() == "8 examples"
    assert json.loads(dialog.preview.toPlainText())["messages"][0]["content"] == "Be brief."
    dialog.which.setCurrentIndex(2)
    assert [dialog.form.itemText(at)[:6] for at in range(dialog.form.count())] == ["prompt", "prompt"]
    path = tmp_path / "pairs.jsonl"
    told: list[Notice] = []
    view.notice.connect(told.append)
    dialog.write(str(path))
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].detail == str(path)
    lines = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    assert len(lines) == 24
    assert lines[0] == {"prompt": "Question 0?", "chosen": "Answer of 0 to 0", "rejected": "Answer of 1 to 0"}
    made = [json.loads(text) for text in (tmp_path / "pairs.made-by.jsonl").read_text("utf-8").splitlines()]
    assert [one["number"] for one in made] == list(range(1, 25))


def test_a_file_that_cannot_be_written_is_told_in_the_dialog(qtbot, ranking, tmp_path: Path):
    view = ranking()
    view._export("training")
    (dialog,) = view.findChildren(TrainingDialog)
    qtbot.waitUntil(dialog.save.isEnabled)
    dialog.write(str(tmp_path / "none" / "x.jsonl"))
    qtbot.waitUntil(lambda: not dialog.trouble.isHidden())
    assert dialog.save.isEnabled()
    dialog.reject()


def test_in_a_narrow_window_the_cards_stand_below_one_another(qtbot, ranking):
    view = ranking(size=(700, 800))
    assert view.area.horizontalScrollBar().maximum() == 0
    assert view._right.y() > view._ranking.y() + view._ranking.height()
    assert view.grab().width() == 700


def test_a_page_that_is_closed_while_the_ranking_is_worked_out_does_no_harm(qtbot, ranking):
    view = ranking()
    judging, run = view._services.judging, view.run
    view._look()
    delete(view)
    answered: list = []
    judging.standing(run, Counted.BOTH, answered.append, answered.append)
    qtbot.waitUntil(lambda: bool(answered))

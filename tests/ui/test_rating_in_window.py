"""A story: two prompts answer ten questions, ten pairs are rated blind by keyboard, and the ranking says who won."""

from __future__ import annotations

import html
import json
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.core.judging import Counted
from app.core.lab import Contestant, Plan, Question
from app.services.experiments import RunFile, RunState

QUESTIONS = (
    "What is the capital of France?", "What is 3 + 4?", "Name a fruit.", "Who are you?", "Where do whales live?",
    "Say: apple banana", "What colour is the sky?", "Name an animal.", "What is the capital of Italy?", "Count to 3.",
)  # fmt: skip
PLAN = Plan(
    "Loud or pirate",
    "starter",
    (
        Contestant("Loud", "You are a helpful assistant. Answer in capital letters."),
        Contestant("Pirate", "You are a helpful assistant. Answer like a pirate."),
    ),
    tuple(Question(str(at), text) for at, text in enumerate(QUESTIONS, 1)),
    overrides={"temperature": 0.0, "max_tokens": 24},
)


def test_ten_pairs_are_rated_blind_by_keyboard_and_the_louder_one_wins(qtbot, open_window, tmp_path: Path):
    stage = open_window(None)
    experiments = stage.services.experiments
    rows: list = []
    experiments.create(PLAN, rows.append)
    qtbot.waitUntil(lambda: bool(rows))
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.keyClick(stage.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    lab = stage.space.pages.lab
    lab.tabs.setCurrentIndex([lab.tabs.tabText(at) for at in range(lab.tabs.count())].index("Experiments"))
    opened: list = []
    experiments.open(rows[0].id, opened.append)
    qtbot.waitUntil(lambda: bool(opened))
    run = opened[0].run
    run.start()
    qtbot.waitUntil(lambda: not run.busy and run.progress().is_complete, timeout=60_000)
    qtbot.waitUntil(lambda: experiments.row(run.run_id).state is RunState.DONE)
    lab.view.open_run(run.run_id)
    qtbot.waitUntil(lambda: lab.view.page is not None)
    page = lab.view.page
    page.tabs.setCurrentIndex(1)
    start = page.rate_view.start
    qtbot.waitUntil(start.start.isEnabled)
    start.start.setFocus()
    qtbot.keyClick(start.start, Qt.Key.Key_Space)
    desk = page.rate_view.pair
    qtbot.waitUntil(lambda: desk.isVisible() and desk._open)
    for count in range(1, 11):
        # the person likes capitals, and does not see whose they are
        loud = [pane.text == pane.text.upper() for pane in desk.panes]
        key = "=" if loud[0] == loud[1] else "1" if loud[0] else "2"
        qtbot.keyClicks(QApplication.focusWidget(), key)
        qtbot.waitUntil(lambda count=count: len(run.ballots.all()) == count)
        qtbot.waitUntil(lambda: desk._open or not desk.isVisible())
    assert dict(page.rate_view.end.rows).keys() == {"Loud", "Pirate"}
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert page.tabs.currentIndex() == 2
    ranking = page.ranking_view
    qtbot.waitUntil(lambda: ranking.standing is not None and ranking.standing.person == 10)
    assert [row.name for row in ranking.plot._rows] == ["Loud", "Pirate"]
    assert "<b>Loud</b> comes first in" in ranking.says.words.text()
    qtbot.mouseClick(ranking.choices[Counted.PERSON], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: ranking.standing.counted is Counted.PERSON)
    report = tmp_path / "report.html"
    with qtbot.waitSignal(experiments.exported, timeout=20_000):
        experiments.export(rows[0].id, RunFile.REPORT, str(report))
    told = html.unescape(report.read_text("utf-8"))
    assert "Person: Loud is better than Pirate" in told
    kept = stage.services.ask(lambda stores: stores.runs.votes(rows[0].id))
    assert json.dumps([vote.outcome for vote in kept]) == json.dumps([one.outcome for one in run.ballots.all()])

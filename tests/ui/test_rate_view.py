"""Blind rating: pairs side by side without names, decided by keys, kept at once, taken back, paused, gone on with."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question
from app.engine.scripted import Script
from app.services.lab_run import LabRun
from app.ui.rate_view import RateView

PLAN = Plan(
    "p",
    "starter",
    (Contestant("Terse", "Be brief."), Contestant("Kind", "Be kind."), Contestant("Pirate", "Arr.")),
    tuple(
        Question(f"q{number}", f"Question {number}?", reference="Here." if number == 0 else "") for number in range(6)
    ),
)
CELLS = [
    Cell(Place(one, question, 0), CellState.DONE, f"{PLAN.contestants[one].system_prompt} says {question}")
    for one in range(3)
    for question in range(6)
]


@pytest.fixture
def rate(qtbot, build, hub_of, light):
    """A view over a run: `rate(cells)`; `rate(run_id=...)` opens one again."""
    services = build(Script())
    hub = hub_of(services)

    def make(cells=CELLS, run_id: int = 0) -> RateView:
        if not run_id:
            run_id = services.ask(lambda stores: stores.runs.create(PLAN)).id
            services.ask(lambda stores: stores.runs.save(run_id, cells))
        run = LabRun(run_id, PLAN, services.models, services.preferences, services.archive, cells)
        services.wait(lambda: run.ballots.ready)
        view = RateView(run, hub, light)
        qtbot.addWidget(view)
        view.run, view.services = run, services
        view.resize(1100, 760)
        view.show()
        with qtbot.waitActive(view):
            view.activateWindow()
        view.enter()
        return view

    return make


def begin(qtbot, view: RateView, pairs: int) -> None:
    view.begin(pairs)
    qtbot.waitUntil(lambda: view.pair._open and view.round is not None and view.round.current is not None)


def press(qtbot, view: RateView, key: str) -> None:
    """Press a key, and wait until it has done what it does."""
    before = view.run.ballots.all()
    codes = {"backspace": Qt.Key.Key_Backspace}
    if key in codes:
        qtbot.keyClick(view.pair, codes[key])
    else:
        qtbot.keyClicks(view.pair, key)
    qtbot.waitUntil(lambda: view.run.ballots.all() != before)
    settled = lambda: view.pages.currentWidget() is not view.pair or (view.pair._open and view.round.current)  # noqa: E731
    qtbot.waitUntil(lambda: bool(settled()))


def shown(view: RateView) -> tuple[str, str, str]:
    return view.pair._question.text(), view.pair.panes[0].text, view.pair.panes[1].text


def test_ten_pairs_are_rated_by_keyboard_alone_and_the_round_tells_the_names_only_then(qtbot, rate):
    view = rate()
    qtbot.waitUntil(lambda: view.start.sizes.currentData() is not None and view.start.start.isEnabled())
    assert [view.start.sizes.itemText(at) for at in range(view.start.sizes.count())] == ["10 pairs", "All 18 pairs"]
    view.start.sizes.setCurrentIndex(0)
    assert view.start.start.hasFocus()
    qtbot.keyClick(view.start.start, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: view.round is not None and view.round.current is not None)
    for count, key in enumerate("12=0121212", start=1):
        said = " ".join(label.text() for label in view.pair.findChildren(QLabel))
        assert not any(one.name in said for one in PLAN.contestants)
        assert f"{count} of 10" in said
        press(qtbot, view, key)
    assert view.pages.currentWidget() is view.end
    outcomes = [one.outcome for one in view.run.ballots.all()]
    assert outcomes == [1.0, 0.0, 0.5, None, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    kept = view.services.ask(lambda stores: stores.runs.ballots(view.run.run_id))
    assert [one.outcome for one in kept] == outcomes
    assert {name for name, _ in view.end.rows} == {"Terse", "Kind", "Pirate"}
    assert view.end.more.text() == "Rate 8 more"


def test_what_is_shown_first_is_what_is_voted_for(qtbot, rate):
    view = rate()
    begin(qtbot, view, 5)
    for key in "12121":
        question, first, second = shown(view)
        duel = view.round.current
        assert question == PLAN.questions[duel.question].text
        for text, one in ((first, duel.first), (second, duel.second)):
            assert text == f"{PLAN.contestants[one].system_prompt} says {duel.question}"
        press(qtbot, view, key)
        assert view.run.ballots.all()[-1].duel == duel


def test_sides_are_shuffled(qtbot, rate):
    view = rate()
    begin(qtbot, view, 18)
    for _ in range(18):
        press(qtbot, view, "1")
    sides = [one.duel.first < one.duel.second for one in view.run.ballots.all()]
    assert 3 <= sum(sides) <= 15
    assert view.pages.currentWidget() is view.end
    assert view.end.more.isHidden(), "all pairs were rated"


def test_a_note_is_kept_with_the_vote_and_its_letters_decide_nothing(qtbot, rate):
    view = rate()
    begin(qtbot, view, 3)
    qtbot.keyClicks(view.pair, "n")
    assert view.pair.note.hasFocus()
    qtbot.keyClicks(view.pair.note, "12 points = fine")
    assert view.run.ballots.all() == ()
    qtbot.keyClick(view.pair.note, Qt.Key.Key_Return)
    assert view.pair.hasFocus()
    press(qtbot, view, "2")
    assert view.run.ballots.all()[0].words == "12 points = fine"
    assert view.pair.note.text() == ""


def test_backspace_takes_the_last_vote_back_and_shows_its_pair_again(qtbot, rate):
    view = rate()
    begin(qtbot, view, 4)
    first = shown(view)
    view.pair.note.setText("hm")
    press(qtbot, view, "1")
    second = shown(view)
    press(qtbot, view, "backspace")
    assert shown(view) == first
    assert view.pair.note.text() == "hm"
    assert view.run.votes() == []
    assert view.pair._count.text() == "1 of 4"
    press(qtbot, view, "2")
    assert shown(view) == second
    assert [one.outcome for one in view.run.ballots.all()] == [0.0]


def test_a_vote_from_before_can_be_taken_back_in_a_later_round(qtbot, rate):
    view = rate()
    begin(qtbot, view, 1)
    old = view.round.current
    press(qtbot, view, "1")
    again = rate(run_id=view.run.run_id)
    begin(qtbot, again, 2)
    press(qtbot, again, "backspace")
    assert again.round.current == old
    for _ in range(3):
        press(qtbot, again, "2")
    assert again.pages.currentWidget() is again.end
    assert [one.outcome for one in again.run.ballots.all()] == [0.0, 0.0, 0.0]


def test_a_pause_keeps_the_round_and_escape_leaves_the_note_first(qtbot, rate):
    view = rate()
    begin(qtbot, view, 5)
    press(qtbot, view, "1")
    before = shown(view)
    view.pair.note.setFocus()
    assert view.escape()
    assert view.pages.currentWidget() is view.pair
    assert view.escape()
    assert view.pages.currentWidget() is view.start
    assert not view.escape(), "nothing more to leave"
    assert view.start.start.text() == "Go on: 4 left"
    qtbot.mouseClick(view.start.start, Qt.MouseButton.LeftButton)
    assert shown(view) == before
    press(qtbot, view, "1")
    qtbot.mouseClick(view.pair.finish, Qt.MouseButton.LeftButton)
    assert view.pages.currentWidget() is view.end
    assert view.end._title.text() == "2 pairs rated"
    with qtbot.waitSignal(view.ranking_asked):
        qtbot.mouseClick(view.end.ranking, Qt.MouseButton.LeftButton)


def test_a_vote_that_cannot_be_kept_is_told_and_the_pair_stays(qtbot, rate, monkeypatch):
    from app.storage.runs import RunStore
    from app.storage.trouble import disk_full

    def refuse(*_what):
        raise disk_full()

    view = rate()
    begin(qtbot, view, 3)
    before = shown(view)
    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "add_ballot", refuse)
        qtbot.keyClicks(view.pair, "1")
        qtbot.waitUntil(lambda: not view.pair._trouble.isHidden())
    assert shown(view) == before
    press(qtbot, view, "1")
    assert view.pair._trouble.isHidden()
    assert len(view.run.ballots.all()) == 1


def test_what_came_with_a_question_is_shown_on_wish(qtbot, rate):
    view = rate([cell for cell in CELLS if cell.place.question == 0])
    begin(qtbot, view, 1)
    assert shown(view)[0] == "Question 0?"
    qtbot.mouseClick(view.pair.more, Qt.MouseButton.LeftButton)
    assert shown(view)[0] == "Question 0?\n\nReference answer: Here."
    qtbot.mouseClick(view.pair.more, Qt.MouseButton.LeftButton)
    assert shown(view)[0] == "Question 0?"


def test_without_answers_and_with_equal_ones_it_says_so(qtbot, rate):
    nothing = rate([])
    assert "run the experiment first" in nothing.start._facts.text()
    assert not nothing.start.start.isEnabled()
    same = rate([Cell(Place(one, 0, 0), CellState.DONE, "The same.") for one in range(3)])
    qtbot.waitUntil(lambda: "all answers to a question are the same" in same.start._facts.text())


def test_a_key_held_down_decides_nothing(qtbot, rate):
    from PySide6.QtGui import QKeyEvent

    view = rate()
    begin(qtbot, view, 3)
    event = QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_1, Qt.KeyboardModifier.NoModifier, "1", True)
    view.pair.keyPressEvent(event)
    assert not view.run.ballots.saving


def test_keys_work_with_the_focus_in_an_answer_too(qtbot, rate):
    view = rate()
    begin(qtbot, view, 3)
    view.pair.panes[1].body.setFocus()
    qtbot.keyClicks(view.pair.panes[1].body, "2")
    qtbot.waitUntil(lambda: len(view.run.ballots.all()) == 1)
    assert view.run.ballots.all()[0].outcome == 0.0


def test_an_answer_that_is_asked_for_again_leaves_the_desk(qtbot, rate):
    view = rate()
    begin(qtbot, view, 5)
    duel = view.round.current
    view.run.retry([Place(duel.second, duel.question, duel.seed)])
    qtbot.waitUntil(lambda: view.round.current not in (None, duel) and view.pair._open)
    for _ in range(5):
        press(qtbot, view, "1")
    gone = (duel.second, duel.question)
    said = [one.duel for one in view.run.ballots.all()]
    assert not [one for one in said if gone in ((one.first, one.question), (one.second, one.question))]

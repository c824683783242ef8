"""The pages for judging can be used without a mouse, and say what everything is to those who do not see it."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question
from app.engine.scripted import Script
from app.services.lab_run import LabRun
from app.ui import theme as looks
from app.ui.ranking_view import RankingView
from app.ui.rate_view import RateView
from app.ui.training_dialog import TrainingDialog

PLAN = Plan(
    "p",
    "starter",
    (Contestant("Terse", "Be brief."), Contestant("Kind", "Be kind.")),
    tuple(Question(str(at), f"Question {at}?", reference="Here.") for at in range(4)),
)
CELLS = [Cell(Place(one, at, 0), CellState.DONE, f"{one} to {at}") for one in range(2) for at in range(4)]
JUDGED = [Judgement(Duel(at, 0, 0, 1), 1.0, "A") for at in range(4)]


@pytest.fixture
def pages(qtbot, build, hub_of, light):
    """A rating in the middle of a round, a ranking, and the dialog for training data."""
    services = build(Script())
    hub = hub_of(services)
    run_id = services.ask(lambda stores: stores.runs.create(PLAN)).id
    services.ask(lambda stores: stores.runs.save(run_id, CELLS, JUDGED))
    run = LabRun(run_id, PLAN, services.models, services.preferences, services.archive, CELLS, JUDGED)
    services.wait(lambda: run.ballots.ready)
    run.ballots.add(Duel(0, 0, 0, 1), 0.0)
    services.wait(lambda: not run.ballots.saving)
    rate, ranking = RateView(run, hub, light), RankingView(run, hub, light)
    dialog = TrainingDialog(hub.judging.source(run), hub.origins, light)
    for page in (rate, ranking, dialog):
        qtbot.addWidget(page)
        page.resize(1100, 760)
        page.show()
    rate.begin(3)
    qtbot.waitUntil(lambda: rate.pair._open and ranking.standing is not None and dialog.save.isEnabled())
    return rate, ranking, dialog


def usable(page: QWidget) -> list[QWidget]:
    """What Tab or a click can reach."""
    return [
        one
        for one in page.findChildren(QWidget)
        if one.isVisible() and one.isEnabled() and one.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]


def test_everything_that_can_be_reached_has_a_name(pages):
    for page in pages:
        assert len(usable(page)) > 4
        nameless = [one for one in usable(page) if not (one.accessibleName() or getattr(one, "text", str)())]
        assert not nameless


def test_tab_goes_through_all_of_a_page_and_comes_back(qtbot, pages):
    for page in pages:
        with qtbot.waitActive(page):
            page.activateWindow()
        first = usable(page)[0]
        first.setFocus()
        seen: list[QWidget | None] = []
        while page.focusWidget() not in seen and len(seen) < 60:
            seen.append(page.focusWidget())
            qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
        assert set(usable(page)) <= set(seen), [one for one in usable(page) if one not in seen]


@pytest.mark.parametrize("size", [9.0, 16.0])
def test_they_stand_in_both_themes_and_at_any_text_size(qtbot, pages, qapp, size):
    for theme in (looks.DARK.sized(size), looks.LIGHT.sized(size)):
        looks.apply(qapp, theme)
        for page in pages:
            for widget in (page, *page.findChildren(QWidget)):
                if hasattr(widget, "set_theme"):
                    widget.set_theme(theme)
            assert not page.grab().isNull()
    looks.apply(qapp, looks.LIGHT)


def test_long_names_and_odd_texts_stay_in_their_places(qtbot, pages, light):
    _, ranking, _ = pages
    plan = dataclasses.replace(
        PLAN, contestants=(Contestant("W" * 200, ""), Contestant("<img src=x> &amp; “ﷺ”\n", "")),
    )  # fmt: skip
    ranking._run.plan = plan
    ranking._look()
    qtbot.waitUntil(lambda: not ranking._asking)
    assert ranking.area.horizontalScrollBar().maximum() == 0
    assert "&lt;img" in ranking.says.words.text() or "WWW" in ranking.says.words.text()
    assert not ranking.grab().isNull()

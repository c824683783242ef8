"""The first start: no question, no network, and one card with the right size of a better model."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.core.fit import Machine
from app.engine.scripted import Script
from tests.standin_hub.faults import Fault, Kind
from tests.ui.conftest import GIB, MACHINE

ORCA = "TheBloke/Mistral-7B-OpenOrca-GGUF"


@pytest.fixture
def stage(qtbot, standin, build, open_window, request):
    machine = getattr(request, "param", MACHINE)
    standin.add(ORCA, {"mistral-7b-openorca.Q4_K_M.gguf": b"GGUF" + bytes(50_000)})
    services = build(Script())
    services.preferences.set_fetching("endpoint", standin.url)
    services.downloads.start()
    made = open_window(services=services, machine=machine)
    qtbot.waitUntil(lambda: made.hub.fitting.machine is not None)
    return made


@pytest.fixture
def card(stage):
    return stage.space.page.welcome.offer


def test_the_card_offers_the_quant_that_fits_with_a_size_and_asks_nobody(card, standin):
    offer = card.offer()
    assert (offer.name, offer.quant, offer.size) == ("Mistral 7B OpenOrca", "Q4_K_M", "about 4.4 GB")
    assert offer.verdict.fit.value == "memory"
    assert card.button.text() == "Download"
    assert standin.asked == []


def test_one_press_downloads_it_and_another_chats_with_it(qtbot, stage, card):
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert not card.button.isEnabled()
    qtbot.waitUntil(lambda: card.button.text() == "Chat", timeout=15_000)
    assert card.offer().size == "50 kB"
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert stage.session.chat.model_id == stage.services.model_library.models()[0].path


def test_no_network_is_a_sentence_and_a_retry_and_the_starter_answers_meanwhile(qtbot, stage, card, standin):
    standin.faults.append(Fault(Kind.STATUS, on="api", times=None))
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.button.text() == "Retry", timeout=15_000)
    assert card.offer().state
    standin.faults.clear()
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.button.text() == "Chat", timeout=15_000)


def test_the_download_is_followed_and_can_be_paused(qtbot, stage, card, standin):
    standin.speed, standin.most = 10_000, 40_000
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.button.text() == "Pause" and (card.offer().share or 0) > 0, timeout=15_000)
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert card.button.text() == "Resume"
    assert "Paused" in card.offer().state


def test_other_models_are_a_press_away(qtbot, stage, card):
    qtbot.mouseClick(card.others, Qt.MouseButton.LeftButton)
    assert stage.space.pages.shows_models


@pytest.mark.parametrize("stage", [Machine(GIB, 2, total_bytes=2 * GIB)], indirect=True)
def test_a_computer_too_small_is_told_so_before_anything_is_fetched(qtbot, stage, card, standin):
    qtbot.waitUntil(lambda: card.button.text() == "Look at it")
    assert card.offer().verdict.fit.value == "too big"
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stage.space.pages.models.detail.picker.isVisible(), timeout=15_000)
    assert stage.services.downloads.rows() == ()


@pytest.mark.parametrize("size", [(720, 480), (820, 520), (900, 560), (1320, 840)])
def test_the_button_is_seen_without_scrolling_in_every_window(qtbot, stage, card, size):
    stage.window.resize(*size)
    page = stage.space.page.welcome.viewport()
    qtbot.waitUntil(lambda: stage.window.size().toTuple() == size and card.isVisible())

    def is_seen() -> bool:
        below = card.button.mapTo(page, card.button.rect().bottomLeft()).y()
        return 0 < below < page.height()

    qtbot.waitUntil(is_seen)

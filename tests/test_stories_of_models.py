"""What people do to get a model, through the real window, a Hub on loopback and the real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QPushButton, QWidget

from app.core.library import DownloadState
from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.engine.base import Event, Request
from app.engine.scripted import ScriptedEngine
from app.ui.row_view import RowView
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.server import StandInHub
from tests.test_stories import Person, start

__all__ = ["start"]

CONTROL = Qt.KeyboardModifier.ControlModifier
REPO = "them/Small-Whale-GGUF"


@pytest.fixture
def hub(starter: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    """A Hub whose one model is the starter under another name, so that it can really answer."""
    monkeypatch.setattr("app.hub.download_job.known_places", lambda: ())
    with StandInHub() as standin:
        content = starter.read_bytes()
        standin.add(REPO, {"small-whale.Q8_0.gguf": content, "README.md": b"# Small Whale"}, downloads=7)
        monkeypatch.setenv("HF_ENDPOINT", standin.url)
        yield standin


def button(place: QWidget, words: str) -> QPushButton:
    return next(b for b in place.findChildren(QPushButton) if b.text() == words and b.isVisible())


def finds_the_model(person: Person) -> RowView:
    """By keyboard alone: Ctrl+M, the search, the first result; ends with the ring on the file to download."""
    person.presses(Qt.Key.Key_M, CONTROL)
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    person.qtbot.keyClicks(field, "whale")
    person.waits_until(lambda: bool(person.window.workspace.pages.models.home.results.rows.rows()))
    person.presses(Qt.Key.Key_Down)
    person.presses(Qt.Key.Key_Return)
    detail = person.window.workspace.pages.models.detail
    person.waits_until(detail.picker.isVisible)
    tabs_to(person, lambda: detail.picker.quants)
    return detail.picker.quants


def tabs_to(person: Person, wanted: Callable[[], QWidget]) -> None:
    """Press Tab until the keyboard is where it is wanted; what is shown may change meanwhile."""
    for _ in range(60):
        if QApplication.focusWidget() is wanted():
            return
        person.presses(Qt.Key.Key_Tab)
    raise AssertionError("Tab never came there")


def test_search_pick_download_with_one_drop_load_and_chat(start, hub):
    hub.faults.append(Fault(Kind.DROP, after=300_000))
    person = start()
    finds_the_model(person)
    person.presses(Qt.Key.Key_Space)
    models = person.window.workspace.pages.models
    person.waits_until(lambda: [n.title for n in models.notices.notices()] == ["Small-Whale-GGUF Q8_0 is ready"])
    assert not hub.faults or hub.faults[0].times == 0, "the connection was dropped"
    button(models, "Chat").setFocus()
    person.presses(Qt.Key.Key_Space)
    (model,) = person.program.model_library.models()
    assert model.verified_ms
    assert person.session.chat.model_id == model.path
    assert "Ada" in person.says("My name is Ada.")


def test_a_model_is_found_downloaded_paused_cancelled_and_loaded_by_keys_alone(start, hub):
    hub.speed, hub.most = 400_000, 700_000
    person = start()
    quants = finds_the_model(person)
    strip, rows = person.window.workspace.pages.models.strip, person.program.downloads.rows
    person.presses(Qt.Key.Key_Space)
    person.waits_until(lambda: bool(rows()) and rows()[0].have_bytes > 0)
    tabs_to(person, lambda: strip.lines()[0].button("press"))
    person.presses(Qt.Key.Key_Space)
    person.waits_until(lambda: strip.lines()[0].words() == "Paused")
    person.presses(Qt.Key.Key_Space)
    person.waits_until(lambda: rows()[0].state is DownloadState.RUNNING)
    tabs_to(person, lambda: strip.lines()[0].button("cancel"))
    person.presses(Qt.Key.Key_Space)
    person.waits_until(lambda: QApplication.activeModalWidget() is not None)
    question = QApplication.activeModalWidget()
    assert isinstance(question, QMessageBox)
    cancels = next(b for b in question.buttons() if b.text() == "Cancel the download")
    for _ in range(3):
        if not cancels.hasFocus():
            person.qtbot.keyClick(question.focusWidget(), Qt.Key.Key_Tab)
    person.qtbot.keyClick(question.focusWidget(), Qt.Key.Key_Space)
    person.waits_until(lambda: rows() == () and QApplication.activeModalWidget() is None)
    hub.speed = hub.most = None
    person.waits_until(lambda: person.window.activateWindow() or person.window.isActiveWindow())
    tabs_to(person, lambda: quants)
    person.presses(Qt.Key.Key_Space)
    models = person.window.workspace.pages.models
    person.waits_until(lambda: bool(models.notices.notices()))
    tabs_to(person, lambda: button(models, "Chat"))
    person.presses(Qt.Key.Key_Space)
    (model,) = person.program.model_library.models()
    assert person.session.chat.model_id == model.path
    assert QApplication.focusWidget() is person.composer
    assert "Ada" in person.says("My name is Ada.")


class Listening(ScriptedEngine):
    """Keeps what it was given to read, and how it was to answer."""

    def __init__(self, path: str, heard: list[tuple[str, str, Sampling]]) -> None:
        super().__init__(path=path)
        self._heard = heard

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        text = self._vocabulary.says([token for token in request.tokens if token >= 16]) or ""
        self._heard.append((self.facts.path, text, request.sampling))
        return super().stream(request, stop)


def test_the_model_of_the_first_card_answers_with_its_authors_prompt_and_values(start, hub, starter):
    orca = "TheBloke/Mistral-7B-OpenOrca-GGUF"
    names = [f"mistral-7b-openorca.{label}.gguf" for label in ("Q2_K", "Q4_K_M", "Q8_0")]
    content = starter.read_bytes()
    hub.add(orca, {name: content + bytes([number]) for number, name in enumerate(names)})
    heard: list[tuple[str, str, Sampling]] = []
    person = start(lambda path, *_: Listening(path, heard))
    offer = person.window.page.welcome.offer
    person.waits_until(lambda: offer.button.isEnabled() and offer.button.text() == "Download")
    offer.button.click()
    person.waits_until(lambda: offer.button.text() == "Chat")
    offer.button.click()
    person.says("Why is the sky blue?")
    ((path, text, sampling),) = heard
    assert Path(path).parent == Path(person.program.model_library.folder(), *orca.split("/"))
    assert text.startswith(
        "system\nYou are MistralOrca, a large language model trained by Alignment Lab AI. Write out your"
    )
    assert "Why is the sky blue?" in text
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (0.7, 0.95, 40)
    assert (sampling.repeat_penalty, sampling.max_tokens) == (1.1, 512)


def test_a_paused_download_goes_on_after_a_restart_where_it_was(start, hub, starter):
    hub.most = 300_000
    person = start()
    finds_the_model(person)
    person.presses(Qt.Key.Key_Space)
    downloads = person.program.downloads
    person.waits_until(lambda: bool(downloads.rows()) and downloads.rows()[0].have_bytes > 200_000)
    person.window.workspace.pages.models.strip.all_button().click()
    assert downloads.rows()[0].state is DownloadState.PAUSED
    person = start()
    hub.most = None
    person.presses(Qt.Key.Key_M, CONTROL)
    strip = person.window.workspace.pages.models.strip
    person.waits_until(lambda: strip.lines()[0].row.have_bytes > 0)
    assert strip.lines()[0].words() == "Paused"
    strip.lines()[0].button("press").setFocus()
    person.presses(Qt.Key.Key_Space)
    person.waits_until(lambda: strip.lines()[0].row.state is DownloadState.DONE)
    assert hub.sent_bytes < starter.stat().st_size * 1.4


def test_offline_the_models_on_disk_stay_usable(start, hub):
    hub.faults.append(Fault(Kind.STATUS, on="api", times=None))
    person = start()
    person.presses(Qt.Key.Key_M, CONTROL)
    person.qtbot.keyClicks(QApplication.focusWidget(), "whale")
    home = person.window.workspace.pages.models.home
    person.waits_until(lambda: bool(home.trouble.words()))
    person.presses(Qt.Key.Key_Escape)
    home.local.setFocus()
    person.presses(Qt.Key.Key_Space)
    assert "Ada" in person.says("My name is Ada.")

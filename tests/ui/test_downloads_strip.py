"""The strip of downloads: true states, its buttons, and what is asked before bytes are thrown away."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QPushButton

from app.core.library import DownloadState, RemoteFile, Wanted
from app.engine.scripted import Script
from tests.standin_hub.faults import Fault, Kind

CONTENT = b"GGUF" + bytes(200_000)


@pytest.fixture
def stage(qtbot, standin, build, open_window):
    for letter in "abcdef":
        standin.add(f"them/{letter}-GGUF", {f"{letter}.Q4_K_M.gguf": CONTENT + letter.encode()})
    services = build(Script())
    services.preferences.set_fetching("endpoint", standin.url)
    services.preferences.set_fetching("connections", 1)
    made = open_window(services=services, size=(1440, 900))
    made.space.pages.show_models()
    return made


@pytest.fixture
def strip(stage):
    return stage.space.pages.models.strip


@pytest.fixture
def add(standin, stage):
    """Queue a download of the stand-in's: `add("a")`."""

    def make(letter: str, *, gated: object = False) -> int:
        repo = next(repo for repo in standin.repos if repo.repo_id == f"them/{letter}-GGUF")
        repo.gated = gated
        ((path, file),) = repo.files.items()
        wanted = Wanted(
            repo.repo_id,
            repo.commit,
            "Q4_K_M",
            (RemoteFile(path, file.size, file.sha256),),
            f"Model {letter}",
            endpoint=standin.url,
        )
        return stage.services.downloads.add(wanted)

    return make


def states(strip) -> list[str]:
    return [line.words() for line in strip.lines()]


def test_there_is_no_strip_without_downloads(strip, add, stage):
    assert not strip.isVisible()
    add("a")
    assert strip.isVisible()
    assert states(strip) == ["Waits for its turn"]
    assert strip.summary() == "200 kB to go in all"


def test_a_running_download_tells_its_speed_and_pauses_where_it_is(qtbot, stage, strip, add, standin):
    standin.speed, standin.most = 40_000, 150_000
    stage.services.downloads.start()
    number = add("a")
    qtbot.waitUntil(lambda: "running at" in strip.summary() and "0 kB/s" not in strip.summary(), timeout=15_000)
    (line,) = strip.lines()
    line.button("press").setFocus()
    qtbot.keyClick(line.button("press"), Qt.Key.Key_Space)
    assert states(strip) == ["Paused"]
    assert line.button("press").accessibleName() == "Resume Model a"
    assert strip.all_button().text() == "Resume all"
    standin.speed = standin.most = None
    qtbot.keyClick(line.button("press"), Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: states(strip) == ["Done, verified"], timeout=15_000)
    assert stage.services.downloads.row(number).state is DownloadState.DONE
    qtbot.mouseClick(line.button("cancel"), Qt.MouseButton.LeftButton)
    assert not strip.isVisible()
    assert len(stage.services.model_library.models()) == 1


def test_a_failing_hub_is_waited_for_and_retried_at_once_when_asked(qtbot, stage, strip, add, standin):
    fault = Fault(Kind.STATUS, on="resolve", times=None, status=503, headers={"Retry-After": "600"})
    standin.faults.append(fault)
    stage.services.downloads.start()
    add("a")
    qtbot.waitUntil(lambda: ", retry in " in states(strip)[0], timeout=15_000)
    standin.faults.clear()
    (line,) = strip.lines()
    assert line.button("press").accessibleName() == "Retry now Model a"
    qtbot.mouseClick(line.button("press"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: states(strip) == ["Done, verified"], timeout=15_000)


def test_a_gated_model_says_so_and_leads_to_the_token(qtbot, stage, strip, add):
    stage.services.downloads.start()
    add("a", gated="manual")
    qtbot.waitUntil(lambda: strip.lines()[0].row.state is DownloadState.FAILED, timeout=15_000)
    (line,) = strip.lines()
    assert line.remedy_button().text() == "Add token…"
    qtbot.mouseClick(line.remedy_button(), Qt.MouseButton.LeftButton)
    field = stage.space.pages.hub_settings.token
    assert isinstance(field, QLineEdit)
    assert field.isVisible()


def test_all_can_be_paused_and_resumed(qtbot, stage, strip, add, standin):
    standin.most = 150_000
    stage.services.downloads.start()
    for letter in "abc":
        add(letter)
    qtbot.waitUntil(lambda: sum(line.row.state is DownloadState.RUNNING for line in strip.lines()) == 2, timeout=15_000)
    assert strip.lines()[2].words() == "Waits for its turn"
    qtbot.mouseClick(strip.all_button(), Qt.MouseButton.LeftButton)
    assert states(strip) == ["Paused"] * 3
    qtbot.mouseClick(strip.all_button(), Qt.MouseButton.LeftButton)
    assert {line.row.state for line in strip.lines()} <= {DownloadState.RUNNING, DownloadState.QUEUED}


def test_a_download_moves_in_the_queue_and_keeps_the_keyboard(strip, add):
    for letter in "abc":
        add(letter)
    last = strip.lines()[2]
    last.button("more").setFocus()
    menu = last.button("more").menu()
    menu.aboutToShow.emit()
    menu.actions()[0].trigger()
    assert [line.row.wanted.name for line in strip.lines()] == ["Model a", "Model c", "Model b"]
    assert strip.lines()[1] is last


def test_cancelling_asks_where_bytes_would_be_thrown_away(qtbot, stage, strip, add, standin):
    standin.speed, standin.most = 40_000, 150_000
    stage.services.downloads.start()
    add("a")
    qtbot.waitUntil(lambda: strip.lines()[0].row.have_bytes > 0, timeout=15_000)
    qtbot.mouseClick(strip.lines()[0].button("cancel"), Qt.MouseButton.LeftButton)
    (box,) = stage.space.pages.models.findChildren(QMessageBox)
    assert len(strip.lines()) == 1
    next(b for b in box.buttons() if b.text() == "Cancel the download").click()
    assert strip.lines() == []
    add("b")
    strip.lines()[0].button("cancel").click()
    assert strip.lines() == []


def test_many_downloads_leave_room_for_the_page(qtbot, stage, strip, add):
    for letter in "abcdef":
        add(letter)
    for size in ((1440, 900), (720, 480)):
        stage.window.resize(*size)
        qtbot.waitUntil(lambda: strip.height() < stage.window.height() // 2 + 20)
        assert stage.space.pages.models.home.height() > 60


def test_every_button_of_a_line_has_a_name(strip, add):
    add("a")
    for button in strip.findChildren(QPushButton):
        if button.isVisible():
            assert button.text() or button.accessibleName()
    for which in ("press", "cancel", "more"):
        assert strip.lines()[0].button(which).accessibleName().endswith(("Model a", "is there"))
    assert QApplication.activeWindow() in (None, strip.window())

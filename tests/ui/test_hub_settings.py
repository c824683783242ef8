"""Settings of the model library: folder, token, address and the test of the connection."""

from __future__ import annotations

import os

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from app.engine.scripted import Script
from app.ui.hub_settings import HubSettings

TOKEN = "hf_" + "c4nary" * 6


@pytest.fixture
def services(build, standin):
    made = build(Script())
    made.preferences.set_fetching("endpoint", standin.url)
    return made


@pytest.fixture
def settings(qtbot, services, hub_of, light):
    made = HubSettings(hub_of(services), light)
    qtbot.addWidget(made)
    made.resize(620, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


def words(settings) -> list[str]:
    return [label.text() for label in settings.findChildren(QLabel) if label.isVisible()]


def test_a_token_goes_into_the_keychain_and_is_never_shown_again(qtbot, settings, services):
    assert "There is no token; most models need none." in words(settings)
    qtbot.keyClicks(settings.token, TOKEN)
    assert settings.token.echoMode() is QLineEdit.EchoMode.Password
    qtbot.mouseClick(settings.keep, Qt.MouseButton.LeftButton)
    assert settings.token.text() == ""
    qtbot.waitUntil(lambda: "There is a token." in words(settings))
    assert list(services.keychain.secrets.values()) == [TOKEN]
    assert not any(TOKEN in label for label in words(settings))
    qtbot.mouseClick(settings.forget, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "There is no token; most models need none." in words(settings))
    assert services.keychain.secrets == {}


def test_the_connection_is_tested_and_its_answer_stays(qtbot, settings, services):
    qtbot.mouseClick(settings.test, Qt.MouseButton.LeftButton)
    assert not settings.test.isEnabled()
    qtbot.waitUntil(settings.test.isEnabled, timeout=15_000)
    good = settings.answer()
    assert good
    services.preferences.set_fetching("endpoint", "http://127.0.0.1:9")
    qtbot.mouseClick(settings.test, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(settings.test.isEnabled, timeout=15_000)
    assert settings.answer() not in ("", good)


def test_the_address_is_a_setting_like_others(qtbot, settings, services):
    field = next(f for f in settings.findChildren(QLineEdit) if f.accessibleName() == "Hub address")
    field.setFocus()
    field.clear()
    qtbot.keyClicks(field, "https://hub.example")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert services.preferences.fetching().endpoint == "https://hub.example"
    reset = next(b for b in settings.findChildren(QPushButton) if b.accessibleName() == "Reset Hub address")
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert services.preferences.fetching().endpoint is None
    assert field.text() == ""


def test_another_folder_is_taken_and_the_usual_one_again(qtbot, settings, services, tmp_path):
    usual = services.model_library.folder()
    settings.set_folder(str(tmp_path / "elsewhere"))
    qtbot.waitUntil(lambda: str(tmp_path / "elsewhere") in words(settings), timeout=15_000)
    assert settings.usual.isVisible()
    qtbot.mouseClick(settings.usual, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: usual in words(settings), timeout=15_000)


def test_a_folder_that_cannot_be_used_is_told_at_once_and_nothing_changes(qtbot, settings, services, tmp_path):
    before = services.model_library.folder()
    (tmp_path / "file").write_bytes(b"")
    settings.set_folder(os.fspath(tmp_path / "file" / "below"))
    qtbot.waitUntil(lambda: bool(settings.folder_trouble()), timeout=15_000)
    assert services.model_library.folder() == before

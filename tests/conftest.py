"""What every test gets: no display, a home of its own, and no network but loopback."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services.garbage import collect_if_due
from tests.patience import PatientBot, wait_for_lanes

if "ORCINUS_TEST_WINDOW" not in os.environ:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("QT_SCALE_FACTOR", "1")
# never the keychain of the person who runs the suite
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "SSL_CERT_FILE"):
    os.environ.pop(name, None)
# a folder without certificates: nobody is trusted, and no client reads the system's hundred, which takes it 20 ms
os.environ["SSL_CERT_DIR"] = os.path.dirname(__file__)
# hundreds of processes are started: each would compile the program for itself, and each worker all tests
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.setswitchinterval(0.0005)
wait_for_lanes()
gc.disable()  # as in the app: see app/services/garbage.py

STARTER = Path(__file__).parent.parent / "resources" / "starter" / "starter.gguf"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests first, whatever the dice say: one that begins last would run alone.

    What one of them plays in a real window needs no other run offscreen.
    """
    played = tuple(story for item in items for mark in item.iter_markers("plays") for story in mark.args)
    if twice := [item for item in items if item.nodeid.startswith(played)]:
        items[:] = [item for item in items if item not in twice]
        config.hook.pytest_deselected(items=twice)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where data folders could be, each its own. None is made here: thousands of tests need none."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own: nothing of the person who runs the suite is read or written."""
    folder = next(homes)
    monkeypatch.setenv("ORCINUS_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection but to loopback fails the test that made it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        assert not host or host in {"127.0.0.1", "::1", "localhost"}, f"connected to {address}"
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _garbage_is_collected_in_the_gui_thread() -> Iterator[None]:
    """A worker that collected what a test before left would destroy Qt objects outside their thread.

    What is to be deleted later goes now: no event loop runs between tests, and each widget that is still there costs
    the next theme that is put on.
    """
    yield
    if (core := sys.modules.get("PySide6.QtCore")) is not None and core.QCoreApplication.instance() is not None:
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)
    collect_if_due()


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    """A thread that outlives its test would write into the next one's."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    for thread in left:
        thread.join(20)
    assert not [thread.name for thread in left if thread.is_alive()]


@pytest.fixture(autouse=True)
def _no_unexpected_log_lines(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An error in the log that no test asked for is a failure; a test that expects one clears it."""
    yield
    lines = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not lines


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> PatientBot:
    """In place of pytest-qt's: it waits for as long as a busy computer takes."""
    return PatientBot(request)


@pytest.fixture(scope="session")
def starter() -> Path:
    """The model that ships with the app."""
    return STARTER

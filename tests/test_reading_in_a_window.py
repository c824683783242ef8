"""A long prompt is read in slices, by the engine's own process: the window tells how far it is, and can stop it."""

from __future__ import annotations

import re
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.core.chat import MessageState
from app.engine.host import HostedEngine
from app.engine.llama import load
from app.engine.loader import Loader
from tests.test_stories import start

__all__ = ["start"]

SLOW = (sys.executable, "-m", "tests.engine.slow_reader")
LONG = "please remember that the colour of the boat is green and that the lamp is small and " * 60


@pytest.fixture
def person(start, starter):
    """Somebody whose model reads 32 tokens at a time, and takes its time."""
    person = start(Loader(load, SLOW, trusted=[str(starter)]))
    for key, value in (("context_tokens", 2048), ("batch_tokens", 32), ("max_tokens", 8)):
        person.program.preferences.set_for_model("starter", key, value)
    return person


def progress(person) -> tuple[int, int]:
    """How many of how many tokens the window says are read; 0, 0 while it says nothing of it."""
    words = " ".join(label.text() for label in person.window.page.composer.findChildren(QLabel))
    found = re.search(r"Reading ([\d,]+) of ([\d,]+) tokens", words)
    return (int(found[1].replace(",", "")), int(found[2].replace(",", ""))) if found else (0, 0)


def send_long(person) -> None:
    person.composer.setPlainText(LONG)
    person.qtbot.keyClick(person.composer, Qt.Key.Key_Return)


def test_the_window_tells_how_far_a_long_prompt_is_read(person):
    send_long(person)
    seen = []
    person.waits_until(lambda: seen.append(progress(person)) or (not person.session.busy and len(seen) > 2))
    told = [done for done, total in dict.fromkeys(seen) if total]
    assert isinstance(person.program.models._room._engine, HostedEngine)
    assert len(told) > 3
    assert told == sorted(told)
    how = person.session.path()[-1].provenance
    assert {total for _, total in seen if total} == {how.prompt_tokens}
    assert how.cached_tokens == 0
    assert progress(person) == (0, 0), "nothing is read any more"


def test_stop_acts_within_the_reading_and_what_was_read_is_kept(person):
    send_long(person)
    person.waits_until(lambda: progress(person)[0] > 64)
    person.presses(Qt.Key.Key_Escape)
    person.waits_until(lambda: not person.session.busy)
    reply = person.session.path()[-1]
    assert (reply.state, reply.text) == (MessageState.STOPPED, "")
    assert progress(person) == (0, 0)
    person.window.page.regenerate_last()
    person.waits_until(lambda: not person.session.busy and person.session.path()[-1].id != reply.id)
    how = person.session.path()[-1].provenance
    assert 64 <= how.cached_tokens < how.prompt_tokens - 100, "read once, and stopped in the middle"

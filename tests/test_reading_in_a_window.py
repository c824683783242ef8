"""A long prompt is read in slices, by the engine's own process: the window tells how far it is, and can stop it."""

from __future__ import annotations

import re
import sys

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


def progress(person) -> tuple[int, int]:
    """How many of how many tokens the window says are read; 0, 0 while it says nothing of it."""
    words = " ".join(label.text() for label in person.window.page.composer.findChildren(QLabel))
    found = re.search(r"Reading ([\d,]+) of ([\d,]+) tokens", words)
    return (int(found[1].replace(",", "")), int(found[2].replace(",", ""))) if found else (0, 0)


def test_the_window_tells_how_far_a_long_prompt_is_read_and_stop_acts_within(start, starter):
    person = start(Loader(load, SLOW, trusted=[str(starter)]))
    for key, value in (("context_tokens", 2048), ("batch_tokens", 32), ("max_tokens", 8)):
        person.program.preferences.set_for_model("starter", key, value)
    person.composer.setPlainText(LONG)
    person.qtbot.keyClick(person.composer, Qt.Key.Key_Return)
    seen: list[tuple[int, int]] = []
    person.waits_until(lambda: seen.append(progress(person)) or seen[-1][0] > 300)
    person.presses(Qt.Key.Key_Escape)
    person.waits_until(lambda: not person.session.busy)
    stopped = person.session.path()[-1]
    assert isinstance(person.program.models.room._engine, HostedEngine)
    assert (stopped.state, stopped.text) == (MessageState.STOPPED, "")
    told = [done for done, total in dict.fromkeys(seen) if total]
    assert len(told) > 3
    assert told == sorted(told)
    assert progress(person) == (0, 0), "nothing is read any more"

    person.window.page.regenerate_last()
    person.waits_until(lambda: not person.session.busy and person.session.path()[-1].id != stopped.id)
    how = person.session.path()[-1].provenance
    assert {total for _, total in seen if total} == {how.prompt_tokens}
    assert 300 < how.cached_tokens < how.prompt_tokens - 100, "what was read before Stop is not read again"

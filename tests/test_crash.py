"""kill -9 in the middle of a reply: nothing that was on the screen is lost but the last half second of the reply."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.chat import MessageState
from app.storage.stores import open_stores
from tests.crash_child import BEAT_MS

ROOT = Path(__file__).parent.parent
ALLOWED_BEATS = 500 // BEAT_MS
"""Half a second, where the computer is as quick as its clock."""
START_S = 300.0


@dataclass(frozen=True)
class Loss:
    """What one kill cost: shown messages gone, texts that differ, and how much of the growing reply.

    missing_s is measured by the clock, missing_beats by the pulse of the program itself.
    """

    gone: int
    damaged: int
    missing_s: float
    missing_beats: int
    shown: int


def kill_once(database: Path, after_s: float) -> Loss:
    """Chat into this database, kill the program `after_s` after its first word, and compare with what it showed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.crash_child", str(database)], cwd=ROOT, stdout=subprocess.PIPE, bufsize=0
    )
    assert child.stdout is not None
    os.set_blocking(child.stdout.fileno(), False)
    told, until = b"", time.monotonic() + START_S
    while time.monotonic() < until:
        told += child.stdout.read() or b""
        if b"\tgrew\t" in told and until - time.monotonic() > after_s:
            until = time.monotonic() + after_s
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    child.wait()
    told += child.stdout.read() or b""
    child.stdout.close()
    assert b"\tgrew\t" in told, "the program never began"
    return compare(database, told.decode(), killed_at)


def compare(database: Path, told: str, killed_at: float) -> Loss:
    """Hold what the program showed against what the next start finds."""
    questions: dict[int, str] = {}
    grown: dict[int, list[tuple[float, int, str]]] = {}
    beats = 0
    for line in told.splitlines():
        parts = line.split("\t", 2)
        if len(parts) < 3 or not told.endswith("\n"):
            continue
        moment, what, rest = float(parts[0]), parts[1], parts[2]
        number, _, text = rest.partition(" ")
        if what == "saved" and text.startswith("user "):
            questions[int(number)] = text.removeprefix("user ")
        elif what == "grew":
            grown.setdefault(int(number), []).append((moment, beats, text))
        elif what == "beat":
            beats += 1
    stores = open_stores(database)
    kept = {message.id: message for row in stores.chats.rows() for message in stores.chats.messages(row.id)}
    stores.close()
    gone = sum(number not in kept or kept[number].text != text for number, text in questions.items())
    damaged, missing_s, missing_beats = 0, 0.0, 0
    for number, pieces in grown.items():
        shown = "".join(text for *_, text in pieces)
        if number not in kept:
            gone += 1
        elif kept[number].state is MessageState.INTERRUPTED:
            length, seen = len(kept[number].text), 0
            if not shown.startswith(kept[number].text) and not kept[number].text.startswith(shown):
                damaged += 1
            for moment, beat, text in pieces:
                seen += len(text)
                if seen > length:
                    missing_s = max(missing_s, killed_at - moment)
                    missing_beats = max(missing_beats, beats - beat)
                    break
        elif kept[number].state is MessageState.STREAMING or not kept[number].text.startswith(shown):
            damaged += 1
    return Loss(gone, damaged, missing_s, missing_beats, len(questions))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_a_killed_program_loses_nothing_that_was_sent_and_at_most_half_a_second_of_the_reply(tmp_path):
    chance = random.Random(4)
    for _ in range(4):  # on one database: each start also recovers from the kill before it
        loss = kill_once(tmp_path / "orcinus.db", chance.uniform(0.05, 1.2))
        assert (loss.gone, loss.damaged) == (0, 0)
        assert loss.missing_beats <= ALLOWED_BEATS
        assert loss.shown >= 1

"""A program killed while somebody rates has lost no vote that was shown as given."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

from app.storage.opening import open_database
from tests.services import rating_child


def kill_once(database: Path, words: int, after_s: float) -> tuple[set[int], set[int]]:
    """Vote until killed, soon after so many words; the votes shown as given, and those taken back."""
    root = Path(rating_child.__file__).parent.parent.parent
    command = [sys.executable, "-m", "tests.services.rating_child", str(database)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    assert child.stdout is not None
    first = "".join(child.stdout.readline() for _ in range(words))
    timer = threading.Timer(after_s, child.kill)
    timer.start()
    rest = child.stdout.read()
    child.wait()
    timer.join()
    child.stdout.close()
    assert child.returncode < 0, "the child ended by itself"
    shown: set[int] = set()
    gone: set[int] = set()
    # a line cut by the kill says nothing
    for word, vote_id in map(str.split, (first + rest).rpartition("\n")[0].splitlines()):
        if word == "kept":
            shown.add(int(vote_id))
        else:
            shown.discard(int(vote_id))
            gone.add(int(vote_id))
    return shown, gone


def test_no_vote_that_was_shown_as_given_is_lost(tmp_path: Path):
    chance = random.Random()
    votes = 0
    for _ in range(4):
        shown, gone = kill_once(tmp_path / "orcinus.db", chance.randrange(5, 60), chance.uniform(0, 0.05))
        database = open_database(tmp_path / "orcinus.db")
        assert database.take_notices() == ()
        there = {vote_id for (vote_id,) in database.rows("SELECT id FROM vote")}
        database.close()
        # what was on its way when the kill came may be either
        assert len(shown - there) <= 1, "one that was being taken back"
        assert not gone & there
        votes += len(shown | gone)
    assert votes > 10

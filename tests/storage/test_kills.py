"""A program killed while it streams has lost nothing that was saved, and its file is sound."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.chat import MessageState
from app.storage.backups import Backups, is_sound
from app.storage.database import connect
from app.storage.opening import open_database
from app.storage.search_index import mend_index
from app.storage.stores import Stores
from tests.storage import streaming_child
from tests.storage.streaming_child import text_of

TOKEN_CHARACTERS = 5


@dataclass(frozen=True)
class Aftermath:
    """What one kill did. `missing_characters`: text that had come and is not there."""

    promised: int
    lost: int
    damaged: bool
    missing_characters: int
    interrupted: int


def kill_once(home: Path, rng: random.Random, token_s: float, save_s: float, after_s: tuple[float, float]) -> Aftermath:
    """Start the child on `home`, kill it at a random moment after its first word, start again and compare."""
    command = [sys.executable, streaming_child.__file__, str(home), str(token_s), str(save_s)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    timer = threading.Timer(rng.uniform(*after_s), child.kill)
    timer.start()
    rest = child.stdout.read()
    child.wait()
    timer.join()
    child.stdout.close()
    assert child.returncode < 0, "the child ended by itself"
    # a line cut by the kill says nothing
    lines = (first + rest).rpartition("\n")[0].splitlines()
    return compare(home, [(word, int(key), int(length)) for word, key, length in map(str.split, lines)])


def compare(home: Path, facts: list[tuple[str, int, int]]) -> Aftermath:
    """Open what the child left behind and hold it against what it said."""
    database = open_database(home / "orcinus.db")
    stores = Stores(database)
    damaged = bool(database.take_notices()) or mend_index(database.connection)
    interrupted = stores.chats.recover()
    texts = {key: (text, state) for key, text, state in database.rows("SELECT id, text, state FROM message")}
    size = stores.settings.values("app").get("text_size", 0)
    lost = missing = 0
    for word, key, length in facts:
        text, state = texts.get(key, ("", ""))
        if word == "made":
            missing = max(missing, length - len(text))
        elif word == "size":
            lost += size < key
        else:
            lost += key not in texts or not text.startswith(text_of(length))
            lost += word == "kept" and (state != MessageState.DONE or text != text_of(length))
    database.close()
    damaged |= not all(readable(copy) for copy in Backups(home / "backups").all())
    return Aftermath(sum(word != "made" for word, _, _ in facts), lost, damaged, missing, interrupted)


def readable(copy: Path) -> bool:
    connection = connect(copy)
    try:
        return is_sound(connection)
    finally:
        connection.close()


@pytest.mark.long
def test_nothing_saved_is_lost_when_the_program_is_killed_while_it_streams(tmp_path: Path):
    rng = random.Random()
    all_of_it: list[Aftermath] = []
    # twenty, and more where the computer is so slow that little happens between two kills
    while len(all_of_it) < 20 or sum(one.interrupted for one in all_of_it) < 10 or promised(all_of_it) <= 100:
        all_of_it.append(kill_once(tmp_path, rng, 0.002, 0.01, (0.02, 0.2)))
    assert sum(one.lost for one in all_of_it) == 0
    assert not any(one.damaged for one in all_of_it)


def promised(all_of_it: list[Aftermath]) -> int:
    return sum(one.promised for one in all_of_it)


def test_the_comparison_finds_what_is_missing(tmp_path: Path):
    stores = Stores(open_database(tmp_path / "orcinus.db"))
    chat = stores.chats.create("starter")
    user, reply = stores.chats.add_turn(chat.id, None, text_of(10))
    stores.chats.append_chunk(reply.id, text_of(7))
    stores.close()
    facts = [("sent", user.id, 10), ("sent", reply.id, 0), ("grew", reply.id, 7), ("made", reply.id, 9)]
    assert compare(tmp_path, facts) == Aftermath(3, 0, False, 2, 1)
    assert compare(tmp_path, [("sent", user.id, 11)]).lost == 1
    assert compare(tmp_path, [("kept", reply.id, 7)]).lost == 1
    assert compare(tmp_path, [("sent", 99, 0)]).lost == 1
    assert compare(tmp_path, [("size", 3, 0)]).lost == 1

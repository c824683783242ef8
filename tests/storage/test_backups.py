"""Copies of the database: the newest three, each one whole."""

from __future__ import annotations

import os
import time
from pathlib import Path

import apsw
import pytest

from app.core.errors import DiskFullError, StorageError
from app.storage.backups import INTERVAL_S, Backups
from app.storage.chats import ChatStore
from app.storage.opening import open_database
from app.storage.stores import open_stores
from tests.storage.faulty_disks import Disk, Failing


def test_the_newest_three_copies_are_kept_in_order_whatever_the_clock_says(tmp_path: Path):
    database = open_database(tmp_path / "orcinus.db")
    backups = Backups(tmp_path / "backups")
    made = []
    for number in range(5):
        ChatStore(database).create("starter", title=str(number))
        made.append(backups.make(database.connection))
        os.utime(made[-1], (1_000_000 - number, 1_000_000 - number))
    assert backups.all() == made[2:]
    copy = apsw.Connection(str(made[-1]))
    assert copy.execute("SELECT count(*) FROM chat").get == 5
    assert copy.pragma("journal_mode") == "delete"
    copy.close()
    assert {entry.name for entry in (tmp_path / "backups").iterdir()} == {file.name for file in made[2:]}
    database.close()


def test_a_copy_is_made_once_a_week_and_never_of_nothing(tmp_path: Path):
    stores = open_stores(tmp_path / "orcinus.db")
    backups = Backups(tmp_path / "backups")
    assert stores.upkeep() == ()
    assert backups.all() == []
    stores.chats.create("starter")
    for _ in range(3):
        stores.upkeep()
    (first,) = backups.all()
    week_ago = time.time() - INTERVAL_S - 1
    os.utime(first, (week_ago, week_ago))
    stores.upkeep()
    assert len(backups.all()) == 2
    in_future = time.time() + 3600
    os.utime(backups.all()[-1], (in_future, in_future))
    assert backups.is_due()
    stores.close()


def test_a_copy_that_cannot_be_made_is_told_and_leaves_the_older_ones(tmp_path: Path):
    failing = Failing(1_000_000, apsw.FullError, lasting=False)
    with Disk("full", failing.change) as disk:
        database = open_database(tmp_path / "orcinus.db")
        ChatStore(database).create("starter")
        backups = Backups(tmp_path / "backups", vfs=disk.disk_name)
        first = backups.make(database.connection)
        failing.left = 3
        with pytest.raises(DiskFullError):
            backups.make(database.connection)
        assert list((tmp_path / "backups").iterdir()) == [first]
        database.close()


def test_a_copy_that_does_not_read_back_never_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = open_database(tmp_path / "orcinus.db")
    backups = Backups(tmp_path / "backups")
    monkeypatch.setattr("app.storage.backups.is_sound", lambda _: False)
    with pytest.raises(StorageError) as caught:
        backups.make(database.connection)
    assert "backup" in caught.value.title
    assert list((tmp_path / "backups").iterdir()) == []
    database.close()


def test_trouble_with_a_copy_is_a_notice_and_no_error(tmp_path: Path):
    stores = open_stores(tmp_path / "orcinus.db")
    stores.chats.create("starter")
    (tmp_path / "backups").write_text("in the way")
    (notice,) = stores.upkeep()
    assert notice
    stores.close()


def test_a_copy_that_a_deleted_chat_cannot_be_taken_out_of_is_replaced(tmp_path: Path):
    stores = open_stores(tmp_path / "orcinus.db")
    backups = Backups(tmp_path / "backups")
    chat = stores.chats.create("starter", title="canary")
    stores.chats.create("starter", title="other")
    stores.upkeep()
    (first,) = backups.all()
    raw = bytearray(first.read_bytes())
    raw[100:4096] = b"canary" * 666
    first.write_bytes(raw)
    stores.chats.purge(chat.id)
    (copy,) = backups.all()
    assert b"canary" not in copy.read_bytes()
    found = apsw.Connection(str(copy))
    assert found.execute("SELECT title FROM chat").fetchall() == [("other",)]
    found.close()
    stores.close()

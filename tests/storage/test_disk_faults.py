"""A disk that is full or fails at any write ends in words for the person, and nothing saved before is lost."""

from __future__ import annotations

import errno
import random
from pathlib import Path
from typing import Any

import apsw
import pytest

from app.core.errors import DiskFullError, StorageError
from app.storage.chats import ChatStore
from app.storage.export import write_whole
from app.storage.opening import open_database
from app.storage.trouble import told
from tests.storage.daily_use import broken_promises, use
from tests.storage.faulty_disks import Disk, Failing


def use_a_failing_disk(path: Path, failing: Failing) -> tuple[dict[Any, Any], StorageError | None]:
    """One evening on such a disk: what was promised, and what the person was told, if it got that far."""
    promised: dict[Any, Any] = {}
    database = None
    told_them = None
    with Disk("failing", failing.change) as disk:
        try:
            database = open_database(path, vfs=disk.disk_name)
            database.connection.wal_autocheckpoint(20)
            use(database, promised.__setitem__, random.Random(5), turns=6)
        except StorageError as error:
            told_them = error
        finally:
            if database is not None:
                try:
                    database.close()
                except StorageError as error:
                    told_them = told_them or error
    return promised, told_them


@pytest.mark.parametrize("lasting", [True, False], ids=["for good", "once"])
@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_a_disk_that_fails_at_any_write_loses_nothing_saved(tmp_path: Path, error: type[apsw.Error], lasting: bool):
    good, step = 0, 1
    while True:
        failing = Failing(good, error, lasting=lasting)
        path = tmp_path / f"at{good}" / "orcinus.db"
        promised, told_them = use_a_failing_disk(path, failing)
        database = open_database(path)
        assert not database.take_notices()
        ChatStore(database).recover()
        assert broken_promises(database, promised) == []
        database.close()
        if not failing.failed:
            break
        if error is apsw.FullError and lasting:
            assert isinstance(told_them, DiskFullError)
        assert told_them is None or told_them.hint
        good += step
        step = 1 if good < 12 else 53
    assert good > 50
    assert promised


def test_the_reply_can_be_finished_once_there_is_room_again(tmp_path: Path):
    failing = Failing(1_000_000, apsw.FullError, lasting=True)
    with Disk("roomy", failing.change) as disk:
        database = open_database(tmp_path / "orcinus.db", vfs=disk.disk_name)
        chats = ChatStore(database)
        chat = chats.create("starter")
        _, reply = chats.add_turn(chat.id, None, "Tell me")
        chats.append_chunk(reply.id, "a story")
        failing.left = 0
        with pytest.raises(DiskFullError):
            chats.append_chunk(reply.id, " of")
        with pytest.raises(DiskFullError):
            chats.rename(chat.id, "A story")
        failing.left = 1_000_000
        chats.append_chunk(reply.id, " a whale")
        chats.recover()
        assert chats.messages(chat.id)[-1].text == "a story a whale"
        database.close()


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DiskFullError, "full"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), StorageError, "cannot be saved here"),
        (OSError(errno.EIO, "Input/output error", "/x"), StorageError, "Input/output error"),
        (OSError("odd"), StorageError, "odd"),
        (apsw.BusyError("busy"), StorageError, "in use"),
        (apsw.ReadOnlyError("no"), StorageError, "cannot be saved here"),
        (apsw.NotADBError("no"), StorageError, "damaged"),
        (apsw.TooBigError("no"), StorageError, "too large"),
        (apsw.IOError("disk I/O error"), StorageError, "disk does not work"),
    ],
)
def test_trouble_is_told_with_what_to_do(error: Exception, kind: type[StorageError], word: str):
    with pytest.raises(kind) as caught, told():
        raise error
    assert word in str(caught.value)
    assert caught.value.title
    assert caught.value.hint


def test_our_own_mistakes_are_not_dressed_up_as_trouble(tmp_path: Path):
    database = open_database(None)
    with pytest.raises(apsw.SQLError):
        database.rows("SELECT nothing FROM nowhere")
    with pytest.raises(apsw.ConstraintError):
        database.run("INSERT INTO chunk (message_id, text) VALUES (1, 'x')")
    database.close()


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "chat.md"
    write_whole(target, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["chat.md"]

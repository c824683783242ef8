"""The database opens whatever state its file is in, and what can be read of a damaged one comes back."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import apsw
import pytest

from app.core.chat import MessageState, MessageTree, Provenance
from app.core.errors import NewerDataError, StorageError
from app.storage import migrations, opening
from app.storage.backups import Backups
from app.storage.chats import ChatStore
from app.storage.database import connect, on_network_drive, prepare_to_write, remote_in
from app.storage.opening import open_database, open_to_read
from app.storage.remembered import read_remembered
from app.storage.salvage import salvage
from app.storage.stores import Stores, open_stores
from tests.storage.damage import Evening, damage, fill


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    return fill(tmp_path_factory.mktemp("evening") / "orcinus.db", chats=12, turns=8)


@pytest.fixture
def path(tmp_path: Path, evening: Evening) -> Path:
    target = tmp_path / "orcinus.db"
    shutil.copy(evening.path, target)
    return target


def texts(path_or_stores: Stores) -> set[str]:
    found = set()
    for row in path_or_stores.chats.rows():
        found |= {message.text for message in path_or_stores.chats.messages(row.id)}
    return found


def test_the_file_is_kept_as_safely_as_sqlite_can(path: Path):
    database = open_database(path)
    pragma = database.connection.pragma
    assert pragma("journal_mode") == "wal"
    wanted = {
        "synchronous": 2,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "temp_store": 2,
        "secure_delete": 1,
        "busy_timeout": 5000,
        "application_id": migrations.APPLICATION_ID,
        "user_version": migrations.NEWEST,
    }
    assert {name: pragma(name) for name in wanted} == wanted
    database.close()
    assert tuple(map(int, apsw.sqlite_lib_version().split("."))) >= (3, 51, 3)


def test_a_file_system_that_refuses_a_log_gets_a_rollback_journal(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.storage.database.on_network_drive", lambda _: True)
    stores = open_stores(path)
    connection = stores.chats._database.connection
    assert (connection.pragma("journal_mode"), connection.pragma("synchronous")) == ("delete", 3)
    stores.chats.purge(stores.chats.create("starter").id)
    stores.close()


def test_a_network_drive_is_known_by_its_mount():
    mounts = [
        "/dev/sda1 / ext4 rw 0 0",
        "nas:/home /home/ada nfs4 rw 0 0",
        "//srv/share /mnt/my\\040share cifs rw 0 0",
        "bad line",
        "/dev/sdb1 /home/ada/local ext4 rw 0 0",
    ]
    assert remote_in(mounts, Path("/home/ada/x/orcinus.db"))
    assert remote_in(mounts, Path("/mnt/my share/orcinus.db"))
    assert not remote_in(mounts, Path("/home/adam/orcinus.db"))
    assert not remote_in(mounts, Path("/home/ada/local/orcinus.db"))
    assert not on_network_drive(Path("/"))


def test_a_file_of_a_newer_version_is_left_alone(path: Path):
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", migrations.NEWEST + 1)
    connection.close()
    before = path.read_bytes()
    for open_it in (open_database, open_to_read):
        with pytest.raises(NewerDataError) as caught:
            open_it(path)
        assert "newer" in caught.value.title
    assert path.read_bytes() == before


def test_another_programs_file_is_set_aside_unharmed(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
    connection.close()
    before = path.read_bytes()
    stores = open_stores(path)
    assert stores.remembered().chats == ()
    stores.close()
    (aside,) = tmp_path.glob("orcinus.damaged-*.db")
    assert aside.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"x", b"not a database at all\n" * 500, bytes(8192)])
def test_a_file_that_is_no_database_does_not_stop_the_start(tmp_path: Path, content: bytes):
    path = tmp_path / "orcinus.db"
    path.write_bytes(content)
    stores = open_stores(path)
    assert bool(stores.remembered().notices) == (len(content) > 1)
    assert stores.chats.create("starter").id == 1
    stores.close()


def test_a_damaged_file_is_kept_aside_and_its_chats_come_back(path: Path, evening: Evening):
    raw = bytearray(path.read_bytes())
    raw[:512] = random.Random(1).randbytes(512)
    path.write_bytes(raw)
    stores = open_stores(path)
    (notice,) = stores.remembered().notices
    (aside,) = path.parent.glob("orcinus.damaged-*.db")
    assert aside.read_bytes() == raw
    assert aside.name in notice
    assert texts(stores) >= evening.texts - {None}
    first = stores.chats.rows()[0]
    assert MessageTree(stores.chats.messages(first.id)).path(stores.chats.chat(first.id).leaf_id)
    assert stores.settings.values("app") == {"theme": "dark"}
    assert stores.models.all()[0].name == "A model"
    assert stores.chats.search("answer")
    provenance = [m.provenance for m in stores.chats.messages(first.id) if m.provenance]
    assert provenance[0].system_prompt == "Be brief."
    stores.close()
    assert open_stores(path).remembered().notices == ()


@pytest.mark.parametrize("seed", range(30))
def test_random_damage_never_stops_the_start_and_takes_only_what_it_hit(path: Path, evening: Evening, seed: int):
    hit = damage(path, random.Random(seed))
    stores = open_stores(path)
    found = texts(stores)
    safe = evening.outside(hit)
    assert len(found & safe) >= 0.95 * len(safe)
    chat = stores.chats.rows()[0]
    stores.chats.finish(stores.chats.add_turn(chat.id, None, "Still here")[1].id, MessageState.DONE, "Yes")
    assert stores.chats.search("still here")
    stores.chats.purge(chat.id)
    stores.close()


def test_what_was_only_in_the_log_comes_back_too(path: Path):
    stores = open_stores(path)
    stores.chats.add_turn(stores.chats.create("starter", title="fresh").id, None, "only in the log")
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{path.with_name('copy.db')}{suffix}")
    stores.close()
    copy = path.with_name("copy.db")
    raw = bytearray(copy.read_bytes())
    raw[8192:9000] = bytes(808)
    copy.write_bytes(raw)
    database = connect(copy.with_name("new.db"))
    migrations.migrate(database, 0)
    salvage(copy, database)
    assert database.execute("SELECT count(*) FROM message WHERE text = 'only in the log'").get == 1
    database.close()


def test_a_damaged_log_costs_nothing_that_was_written_before_the_damage(path: Path):
    stores = open_stores(path)
    before = len(stores.chats.rows())
    log, marks = Path(f"{path}-wal"), []
    for number in range(12):
        chat_id = stores.chats.create("starter", title=f"new {number}").id
        stores.chats.add_turn(chat_id, None, f"question {number}")
        marks.append(log.stat().st_size)
    images = {suffix: Path(f"{path}{suffix}").read_bytes() for suffix in ("", "-wal")}
    stores.close()
    rng = random.Random(7)
    for round_ in range(24):
        at = rng.randrange(32, len(images["-wal"]))
        raw = bytearray(images["-wal"])
        raw[at] ^= 1 << rng.randrange(8)
        copy = path.with_name(f"round {round_}") / "orcinus.db"
        copy.parent.mkdir()
        copy.write_bytes(images[""])
        Path(f"{copy}-wal").write_bytes(raw)
        stores = open_stores(copy)
        whole = sum(mark <= at for mark in marks)
        assert len(stores.chats.rows()) >= before + whole
        kept = [row for row in stores.chats.rows() if row.title.startswith("new ")]
        for row in kept[1:]:
            assert [message.role for message in stores.chats.messages(row.id)] == ["user", "assistant"]
        stores.chats.create("starter", title="goes on")
        stores.close()


def test_what_the_damage_took_comes_from_the_newest_good_copy(path: Path):
    backups = Backups(path.parent / "backups")
    database = open_database(path, backups=backups)
    backups.make(database.connection)
    bad = backups.make(database.connection)
    fresh = ChatStore(database).create("starter", title="after the copy")
    ChatStore(database).add_turn(fresh.id, None, "a new question")
    database.close()
    bad.write_bytes(b"")
    path.write_bytes(path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096))
    stores = open_stores(path)
    (notice,) = stores.remembered().notices
    assert "earlier copy" in notice
    assert len(stores.chats.rows()) == 12
    stores.close()


def test_an_emptied_file_is_filled_from_the_copy_but_one_taken_away_starts_anew(path: Path):
    backups = Backups(path.parent / "backups")
    database = open_database(path, backups=backups)
    backups.make(database.connection)
    database.close()
    path.write_bytes(b"")
    stores = open_stores(path)
    assert len(stores.remembered().chats) == 12
    stores.close()
    path.unlink()
    stores = open_stores(path)
    assert stores.remembered().chats == ()
    stores.close()


def test_mending_that_is_cut_off_anywhere_goes_on_at_the_next_start(
    tmp_path: Path, evening: Evening, monkeypatch: pytest.MonkeyPatch
):
    class CutError(BaseException):
        pass

    for steps in range(12):
        path = tmp_path / str(steps) / "orcinus.db"
        path.parent.mkdir()
        shutil.copy(evening.path, path)
        raw = bytearray(path.read_bytes())
        raw[:100] = bytes(100)
        path.write_bytes(raw)
        path.with_name("orcinus.db-wal").write_bytes(b"a log that does not fit")
        left = [steps]

        def cut(function, left: list[int] = left):
            def guarded(*arguments):
                left[0] -= 1
                if left[0] < 0:
                    raise CutError
                return function(*arguments)

            return guarded

        with monkeypatch.context() as patch:
            patch.setattr("app.storage.opening.os.replace", cut(opening.os.replace))
            patch.setattr("app.storage.opening.sync_folder", cut(opening.sync_folder))
            try:
                open_database(path).close()
                whole = True
            except CutError:
                whole = False
        stores = open_stores(path)
        assert texts(stores) >= evening.texts
        assert [entry.name for entry in path.parent.glob("*.mend*")] == []
        assert len(list(path.parent.glob("orcinus.damaged-*.db"))) == 1
        stores.close()
    assert whole


def test_a_search_index_that_is_damaged_is_made_anew(path: Path):
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE message_words_data SET block = x'00' WHERE id > 1")
    connection.close()
    stores = open_stores(path)
    assert stores.chats.search("answer")
    assert stores.remembered().notices == ()
    stores.close()


def test_a_large_index_is_proved_after_the_start(path: Path, monkeypatch: pytest.MonkeyPatch):
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE message_words_data SET block = x'00' WHERE id > 1")
    connection.close()
    monkeypatch.setattr("app.storage.opening.QUICK_BYTES", 0)
    monkeypatch.setattr("app.storage.stores.QUICK_BYTES", 0)
    stores = open_stores(path)
    assert not stores.chats.search("answer")
    stores.upkeep()
    assert stores.chats.search("answer")
    stores.close()


def test_bytes_that_are_no_text_are_mended_when_they_are_met(path: Path):
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE message SET text = CAST(x'41ff42' AS TEXT) WHERE id = 3")
    connection.close()
    stores = open_stores(path)
    found = [m for row in stores.chats.rows() for m in stores.chats.messages(row.id)]
    assert [m.text for m in found if m.id == 3] == ["A\ufffdB"]
    (notice,) = stores.upkeep()
    assert "damaged" in notice
    stores.close()


def test_a_folder_in_the_files_place_is_told_in_words(tmp_path: Path):
    (tmp_path / "orcinus.db").mkdir()
    with pytest.raises(StorageError) as caught:
        open_database(tmp_path / "orcinus.db")
    assert caught.value.hint
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        open_database(tmp_path / "file" / "orcinus.db")


def test_memory_keeps_chats_as_long_as_it_is_open():
    stores = open_stores(None)
    chat = stores.chats.create("starter")
    stores.chats.finish(stores.chats.add_turn(chat.id, None, "Hi")[1].id, MessageState.DONE, "Hello")
    assert [m.text for m in stores.chats.messages(chat.id)] == ["Hi", "Hello"]
    assert stores.upkeep() == ()
    stores.chats.purge(chat.id)
    stores.close()


def test_another_program_reads_while_the_window_writes_and_changes_nothing(path: Path):
    stores = open_stores(path)
    chat = stores.chats.create("starter")
    _, reply = stores.chats.add_turn(chat.id, None, "Hi")
    stores.state.set("last_chat", chat.id)
    stores.state.set("last_model", "starter")
    remembered = read_remembered(path)
    assert (remembered.last_chat_id, remembered.last_model_id) == (chat.id, "starter")
    assert remembered.settings == {"app": {"theme": "dark"}}
    stores.chats.append_chunk(reply.id, "still growing")
    assert stores.chats.messages(chat.id)[-1].state is MessageState.STREAMING
    stores.close()


def test_reading_where_there_is_nothing_finds_nothing(tmp_path: Path):
    assert read_remembered(None).chats == ()
    assert read_remembered(tmp_path / "orcinus.db").settings == {}
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "orcinus.db").write_bytes(b"x" * 5000)
    with pytest.raises(StorageError):
        read_remembered(tmp_path / "orcinus.db")


def test_closing_twice_is_fine(path: Path):
    connection = connect(path)
    prepare_to_write(connection, path)
    connection.close()
    database = open_database(path)
    database.close()
    database.close()


def test_an_answer_without_anything_to_keep_has_no_provenance(path: Path):
    stores = open_stores(path)
    chat = stores.chats.create("starter")
    _, reply = stores.chats.add_turn(chat.id, None, "Hi")
    stores.chats.finish(reply.id, MessageState.FAILED, "", (), None)
    assert stores.chats.messages(chat.id)[-1].provenance is None
    again = stores.chats.add_reply(chat.id, chats_first(stores, chat.id))
    stores.chats.finish(again.id, MessageState.DONE, "", (), Provenance())
    assert stores.chats.messages(chat.id)[-1].provenance == Provenance()
    stores.close()


def chats_first(stores: Stores, chat_id: int) -> int:
    return stores.chats.messages(chat_id)[0].id

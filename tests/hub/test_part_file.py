"""What is held of a file: in order, ahead of order, after a restart, and behind a lock."""

from __future__ import annotations

import errno
import hashlib
import random

import pytest

from app.core.errors import DownloadBusyError, StorageError
from app.hub import part_file
from app.hub.part_file import Part, discard, held_bytes, lock_of
from tests.hub.fetching import noise

SIZE = 3_000_000
CONTENT = noise(SIZE)
SHA = hashlib.sha256(CONTENT).hexdigest()


def settle(part):
    while part.step():
        pass


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".partial"


def test_bytes_in_order_are_hashed_as_they_come(folder):
    with Part(folder, SHA, SIZE) as part:
        for at in range(0, SIZE, 100_000):
            part.write(at, CONTENT[at : at + 100_000])
            assert part.hashed == part.length
        assert part.is_whole
        assert part.is_right()
        part.finish()
    assert (folder / f"{SHA}.ready").read_bytes() == CONTENT


def test_bytes_in_any_order_make_the_same_file(folder):
    pieces = list(range(0, SIZE, 50_000))
    random.Random(2).shuffle(pieces)
    with Part(folder, SHA, SIZE) as part:
        for number, at in enumerate(pieces):
            part.write(at, CONTENT[at : at + 50_000])
            assert part.held_bytes == 50_000 * (number + 1)
            if number % 7 == 0:
                part.step()
        settle(part)
        assert part.is_right()
    assert [path.name for path in folder.iterdir()] == [f"{SHA}.part"]


def test_everything_that_was_held_is_held_by_the_next_run(folder):
    with Part(folder, SHA, SIZE) as part:
        part.write(0, CONTENT[:1000])
        part.write(500_000, CONTENT[500_000:600_000])
        part.write(600_000, CONTENT[600_000:700_000])
        part.write(900_000, CONTENT[900_000:950_000])
    assert held_bytes(folder, SHA, SIZE) == 251_000
    with Part(folder, SHA, SIZE) as part:
        assert sorted(part.held()) == [(0, 1000), (500_000, 700_000), (900_000, 950_000)]
        assert part.held_bytes == 251_000
        for start, end in ((1000, 500_000), (700_000, 900_000), (950_000, SIZE)):
            part.write(start, CONTENT[start:end])
        settle(part)
        assert part.is_right()


def test_a_run_that_was_killed_while_bytes_were_moved_loses_none(folder):
    with Part(folder, SHA, SIZE) as part:
        part.write(1000, CONTENT[1000:2_000_000])
        part.write(0, CONTENT[:1000])
        part.step()
        assert 1000 < part.length < 2_000_000
    with Part(folder, SHA, SIZE) as part:
        assert part.held_bytes == 2_000_000
        settle(part)
        assert part.length == part.hashed == 2_000_000
        part.write(2_000_000, CONTENT[2_000_000:])
        assert part.is_right()


def test_bytes_that_are_held_already_are_not_written_again(folder):
    with Part(folder, SHA, SIZE) as part:
        part.write(0, CONTENT[:2000])
        part.write(1000, CONTENT[1000:3000])
        assert part.length == 3000
    assert (folder / f"{SHA}.part").read_bytes() == CONTENT[:3000]


def test_other_files_in_the_folder_are_not_taken_for_pieces(folder):
    folder.mkdir()
    (folder / f"{SHA}.12x.ahead").write_bytes(b"1")
    (folder / f"{SHA}.{SIZE}.ahead").write_bytes(b"1")
    (folder / f"{'0' * 64}.5.ahead").write_bytes(b"1")
    with Part(folder, SHA, SIZE) as part:
        assert part.held() == [(0, 0)]
    assert sorted(path.name for path in folder.iterdir()) == [f"{'0' * 64}.5.ahead", f"{SHA}.12x.ahead"]


def test_a_restart_forgets_everything(folder):
    with Part(folder, SHA, SIZE) as part:
        part.write(0, bytes(1000))
        part.write(5000, bytes(1000))
        part.restart()
        assert part.held() == [(0, 0)]
        part.write(0, CONTENT)
        assert part.is_right()


def test_a_wrong_byte_is_not_right(folder):
    with Part(folder, SHA, SIZE) as part:
        part.write(0, CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
        assert part.is_whole
        assert not part.is_right()


def test_a_part_that_another_program_cuts_off_is_told_of_and_does_not_hang(folder):
    with Part(folder, SHA, SIZE) as part:
        part.write(0, CONTENT[:1000])
    with Part(folder, SHA, SIZE) as part:
        (folder / f"{SHA}.part").write_bytes(b"")
        with pytest.raises(StorageError, match="was changed"):
            settle(part)


def test_a_lock_is_held_by_one_alone_and_leaves_no_file(folder):
    first, second = lock_of(folder, SHA), lock_of(folder, SHA)
    first.take()
    with pytest.raises(DownloadBusyError):
        second.take()
    with pytest.raises(DownloadBusyError):
        discard(folder, SHA)
    first.drop()
    second.take()
    second.drop()
    assert list(folder.iterdir()) == []


def test_a_lock_file_that_a_kill_left_behind_locks_nobody_out(folder):
    folder.mkdir()
    (folder / f"{SHA}.lock").write_bytes(b"")
    lock = lock_of(folder, SHA)
    lock.take()
    lock.drop()


def test_a_share_that_knows_no_locks_is_used_without(folder, monkeypatch):
    def refuse(file):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(part_file, "_lock", refuse)
    lock = lock_of(folder, SHA)
    lock.take()
    lock.drop()
    assert list(folder.iterdir()) == []


def test_discarding_what_is_not_there_is_fine(folder):
    discard(folder, SHA)
    assert held_bytes(folder, SHA, SIZE) == 0

"""Files are brought into the models folder whole or not at all, and found, measured and taken away there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from app.core.errors import ModelFileError, NoRoomError, StorageError
from app.core.stopping import StopFlag
from app.storage import importing
from app.storage.importing import Stopped, bring_in, sums
from app.storage.model_folder import delete, free_bytes, freed_by_removing, is_inside, look, models_in

BIG = 40 << 20


def run(work):
    seen = []
    try:
        while True:
            seen.append(next(work))
    except StopIteration as end:
        return end.value, seen


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "models")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine" / "m.gguf"
    path.parent.mkdir()
    path.write_bytes(b"GGUF" + bytes(BIG))
    return path


def files_in(folder: str) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if not path.is_dir()]


def test_a_copy_tells_how_far_it_is_and_is_the_same(mine, folder):
    path, seen = run(bring_in(str(mine), folder, "copy", StopFlag()))
    assert Path(path).read_bytes() == mine.read_bytes()
    assert [whole for _, whole in seen] == [BIG + 4] * len(seen)
    assert len(seen) >= 3
    assert seen[-1][0] == BIG + 4
    assert files_in(folder) == [Path(path)]


@pytest.mark.parametrize("how", ["copy", "move"])
def test_stopped_in_the_middle_nothing_is_left_and_nothing_is_lost(mine, folder, monkeypatch, how):
    monkeypatch.setattr(importing, "_hard_link", lambda *_: False)  # as from disk to disk
    stop = StopFlag()
    work = bring_in(str(mine), folder, how, stop)
    next(work)
    stop.set()
    with pytest.raises(Stopped):
        run(work)
    assert files_in(folder) == []
    assert mine.stat().st_size == BIG + 4


def test_a_move_to_another_disk_copies_first_and_deletes_then(mine, folder, monkeypatch):
    monkeypatch.setattr(importing, "_hard_link", lambda *_: False)
    path, _ = run(bring_in(str(mine), folder, "move", StopFlag()))
    assert Path(path).stat().st_size == BIG + 4
    assert not mine.exists()


def test_a_link_to_another_disk_is_a_symbolic_one_and_frees_nothing(mine, folder, monkeypatch):
    monkeypatch.setattr(importing, "_hard_link", lambda *_: False)
    path, _ = run(bring_in(str(mine), folder, "link", StopFlag()))
    assert os.path.islink(path)
    assert freed_by_removing(path) == 0
    assert list(models_in(folder)) == [path]
    delete(path, folder)
    assert mine.exists()


def test_where_no_link_can_be_made_that_is_told(mine, folder, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(importing, "_hard_link", lambda *_: False)
    monkeypatch.setattr(Path, "symlink_to", refused)
    with pytest.raises(StorageError) as told:
        run(bring_in(str(mine), folder, "link", StopFlag()))
    assert "Copy or move" in told.value.hint
    assert files_in(folder) == []


def test_a_full_disk_is_told_before_anything_is_written(mine, folder, monkeypatch):
    monkeypatch.setattr(importing, "free_bytes", lambda _folder: BIG)
    with pytest.raises(NoRoomError) as told:
        run(bring_in(str(mine), folder, "copy", StopFlag()))
    assert told.value.hint
    assert files_in(folder) == []


def test_a_part_that_is_missing_is_told(tmp_path, folder):
    first = tmp_path / "m-00001-of-00002.gguf"
    first.write_bytes(b"x")
    with pytest.raises(ModelFileError) as told:
        run(bring_in(str(first), folder, "copy", StopFlag()))
    assert "00002-of-00002" in told.value.detail


def test_a_file_in_the_folder_stays_where_it_is(folder):
    path = Path(folder, "a", "m.gguf")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    for how in ("link", "copy", "move", "use"):
        assert run(bring_in(str(path), folder, how, StopFlag())) == (str(path), [])
    assert files_in(folder) == [path]


def test_the_sums_are_those_of_each_file(tmp_path):
    for number, content in ((1, b"one" * 1000), (2, bytes(BIG))):
        (tmp_path / f"m-0000{number}-of-00002.gguf").write_bytes(content)
    found, seen = run(sums(str(tmp_path / "m-00001-of-00002.gguf"), StopFlag()))
    assert found == (hashlib.sha256(b"one" * 1000).hexdigest(), hashlib.sha256(bytes(BIG)).hexdigest())
    assert seen[-1] == (BIG + 3000, BIG + 3000)
    stop = StopFlag()
    stop.set()
    with pytest.raises(Stopped):
        run(sums(str(tmp_path / "m-00001-of-00002.gguf"), stop))
    with pytest.raises(StorageError):
        run(sums(str(tmp_path / "gone.gguf"), StopFlag()))


def test_folders_that_link_back_are_walked_once(folder):
    path = Path(folder, "a", "m.gguf")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    (path.parent / "round").symlink_to(folder, target_is_directory=True)
    assert len(list(models_in(folder))) == 1
    assert list(models_in(folder + " that is not there")) == []


def test_a_linked_folder_of_models_is_looked_into(tmp_path, folder):
    elsewhere = tmp_path / "big disk"
    elsewhere.mkdir()
    (elsewhere / "m.gguf").write_bytes(b"x")
    Path(folder).mkdir()
    Path(folder, "more").symlink_to(elsewhere, target_is_directory=True)
    (found,) = models_in(folder)
    assert Path(found).name == "m.gguf"
    assert not is_inside(found, folder), "and is never deleted there"


def test_deleting_takes_empty_folders_along_but_nothing_else(folder):
    path, other = Path(folder, "a", "b", "m.gguf"), Path(folder, "a", "keep.txt")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    other.write_bytes(b"x")
    assert freed_by_removing(str(path)) == 1
    delete(str(path), folder)
    assert not path.parent.exists()
    assert other.exists()
    delete(str(path), folder)
    other.unlink()
    assert Path(folder).exists(), "never the models folder itself"


def test_what_is_inside_is_told_by_its_place(folder):
    assert is_inside(f"{folder}/a/m.gguf", folder)
    assert not is_inside(f"{folder}-other/m.gguf", folder)
    assert not is_inside(folder, folder)
    assert not is_inside("/m.gguf", "")


def test_room_is_told_for_a_folder_that_is_not_there_yet(folder, tmp_path):
    assert free_bytes(folder) == pytest.approx(free_bytes(str(tmp_path)), rel=0.1)
    assert look(f"{folder}/no.gguf") is None
    assert look("a\0b") is None


def test_a_file_that_was_brought_in_before_is_not_brought_in_again(mine, folder):
    first, _ = run(bring_in(str(mine), folder, "link", StopFlag()))
    again, seen = run(bring_in(str(mine), folder, "copy", StopFlag()))
    assert (again, seen) == (first, [])
    assert len(files_in(folder)) == 1


def test_an_empty_folder_left_by_a_kill_is_used(mine, folder):
    Path(folder, "local", "m").mkdir(parents=True)
    path, _ = run(bring_in(str(mine), folder, "link", StopFlag()))
    assert Path(path).parent.name == "m"


def test_half_copies_of_a_killed_program_are_removed_a_day_later(folder):
    partial = Path(folder, ".partial")
    partial.mkdir(parents=True)
    old, new, download = partial / "a.import", partial / "b.import", partial / f"{'a' * 64}.part"
    for file in (old, new, download):
        file.write_bytes(b"x")
    for file in (old, download):
        os.utime(file, (1, 1))
    importing.sweep(folder)
    assert not old.exists()
    assert new.exists()
    assert download.exists(), "an unfinished download is never too old"
    importing.sweep(folder + " that is not there")


def test_a_walk_through_folders_can_be_stopped(folder):
    stop = StopFlag()
    for name in ("a", "b"):
        Path(folder, name).mkdir(parents=True)
        Path(folder, name, "m.gguf").write_bytes(b"x")
    found = models_in(folder, stop)
    next(found)
    stop.set()
    assert list(found) == []

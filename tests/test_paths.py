"""Where files live, and what happens where they cannot."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from app import paths as module
from app.paths import find_paths, resources_dir, stand_ins


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder that nobody can make, not even root: its parent is a file."""
    (tmp_path / "file").write_text("x")
    return tmp_path / "file" / "home"


@pytest.fixture(autouse=True)
def _no_fallback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_program_dir", lambda: None)
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path / "temp"))


def test_orcinus_home_holds_everything(tmp_path: Path):
    home = tmp_path / "my home"
    paths = find_paths({"ORCINUS_HOME": str(home)})
    assert paths.database == home / "orcinus.db"
    for path in (paths.backups_dir, paths.logs_dir, paths.cache_dir, paths.lock_file, paths.window_file):
        assert path.is_relative_to(home)
    assert home.is_dir()
    assert list(home.iterdir()) == []
    assert (paths.warning, paths.lasting) == ("", True)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no XDG folders")
def test_without_it_the_systems_usual_places_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    paths = find_paths({"ORCINUS_HOME": "  "})
    assert paths.data_dir == tmp_path / "DATA" / "Orcinus"
    assert paths.cache_dir == tmp_path / "CACHE" / "Orcinus"
    assert paths.logs_dir.is_relative_to(tmp_path / "STATE" / "Orcinus")


def test_a_folder_data_beside_a_bundled_program_keeps_everything_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_program_dir", lambda: tmp_path / "stick")
    (tmp_path / "stick" / "data").mkdir(parents=True)
    monkeypatch.setattr(module, "_usable", lambda _: True)  # nothing is made in the person's own folders
    usual = find_paths({}).data_dir
    assert usual != tmp_path / "stick" / "data", "a checkout may have such a folder for reasons of its own"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    paths = find_paths({})
    assert paths.data_dir == tmp_path / "stick" / "data"
    assert paths.cache_dir.is_relative_to(paths.data_dir)
    assert paths.logs_dir.is_relative_to(paths.data_dir)
    assert find_paths({"ORCINUS_HOME": str(tmp_path / "wished")}).data_dir == tmp_path / "wished"
    (tmp_path / "stick" / "data").rmdir()
    assert find_paths({}).data_dir == usual


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_data_folder_is_for_this_persons_eyes_alone(tmp_path: Path):
    find_paths({"ORCINUS_HOME": str(tmp_path / "home")})
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_written_gives_way_to_a_folder_beside_the_program(
    tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_program_dir", lambda: tmp_path)
    paths = find_paths({"ORCINUS_HOME": str(nowhere)})
    assert paths.data_dir == tmp_path / "Orcinus data"
    assert str(nowhere) in paths.warning
    assert "beside the program" in paths.warning


def test_then_to_a_temporary_one(tmp_path: Path, nowhere: Path):
    paths = find_paths({"ORCINUS_HOME": str(nowhere)})
    assert paths.data_dir.parent == tmp_path / "temp"
    assert paths.lasting
    assert "may be emptied" in paths.warning


def test_and_at_last_to_memory_with_a_warning(nowhere: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(nowhere))
    paths = find_paths({"ORCINUS_HOME": str(nowhere)})
    assert (paths.lasting, paths.database) == (False, None)
    assert "gone when the window closes" in paths.warning
    assert "ORCINUS_HOME" in paths.warning


def test_a_name_that_is_no_text_is_not_used(tmp_path: Path):
    paths = find_paths({"ORCINUS_HOME": str(tmp_path / "\udcff")})
    assert paths.warning.encode()
    assert paths.data_dir.parent == tmp_path / "temp"
    assert find_paths({"ORCINUS_HOME": "a\0b"}).warning


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="only where folders have owners")
def test_a_temporary_folder_of_somebody_else_is_not_used(
    tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    paths = find_paths({"ORCINUS_HOME": str(nowhere)})
    assert not paths.lasting


def test_folders_that_stood_in_are_found_again_but_not_the_one_in_use_nor_a_strangers(
    tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_program_dir", lambda: tmp_path)
    first = find_paths({"ORCINUS_HOME": str(nowhere)})
    assert first.database is not None
    first.database.write_bytes(b"")
    temporary = tmp_path / "temp" / f"orcinus-{getattr(os, 'getuid', lambda: 'user')()}"
    temporary.mkdir()
    usual = find_paths({"ORCINUS_HOME": str(tmp_path / "home")})
    assert list(stand_ins(usual)) == [(first.data_dir, first.database)]
    assert list(stand_ins(first)) == []
    if hasattr(os, "getuid"):
        monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
        assert list(stand_ins(usual)) == []


def test_resources_come_from_the_source_tree_or_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert (resources_dir() / "starter").is_dir()
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resources_dir() == tmp_path / "resources"


def test_a_programs_place_is_what_a_person_sees_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    assert module._program_dir() == Path(module.__file__).parent.parent
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "Orcinus" / "orcinus"))
    assert module._program_dir() == tmp_path / "Orcinus"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "Orcinus.app" / "Contents" / "MacOS" / "orcinus"))
    assert module._program_dir() == tmp_path

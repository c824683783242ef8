"""What is known of model files: in the database, and in notes that travel with the models folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import StorageError
from app.core.library import LocalModel
from app.storage.database import Database
from app.storage.model_notes import (
    FOLDER,
    ModelFileStore,
    ModelNote,
    noted_now,
    read_notes,
    remove_note,
    write_note,
)
from app.storage.opening import open_database


def note_of(path: str) -> ModelNote:
    model = LocalModel(
        path, "M ☕", 5_000_000_000, "Q4_K_M", "llama", 7_000_000_000, 32768, "mit", "a/b", "c" * 40,
        ("d" * 64, "e" * 64), 1_700_000_000_000, inexact="experts",
    )  # fmt: skip
    return ModelNote(model, 1_700_000_000_123_456_789, 9)


@pytest.fixture
def database(tmp_path: Path):
    opened = open_database(tmp_path / "orcinus.db")
    yield opened
    opened.close()


def test_the_database_gives_back_what_it_was_told(database: Database):
    store = ModelFileStore(database)
    store.keep(note_of("/models/a.gguf"))
    forgotten = replace(note_of("/models/b.gguf"), forgotten=True)
    store.keep(forgotten)
    damaged = note_of("/models/a.gguf")
    damaged = replace(damaged, model=replace(damaged.model, damaged=True))
    store.keep(damaged)
    assert store.all() == {"/models/a.gguf": damaged, "/models/b.gguf": forgotten}
    store.remove("/models/a.gguf")
    assert list(store.all()) == ["/models/b.gguf"]


@pytest.mark.parametrize("broken", ["{", "[]", "7", '{"sha256": 3, "name": [], "n_params": "x"}'])
def test_a_damaged_row_breaks_nothing(database: Database, broken: str):
    store = ModelFileStore(database)
    store.keep(note_of("/models/a.gguf"))
    store.keep(note_of("/models/b.gguf"))
    database.run("UPDATE model_file SET details = ? WHERE path = '/models/a.gguf'", broken)
    found = store.all()
    assert found["/models/b.gguf"] == note_of("/models/b.gguf")
    if "/models/a.gguf" in found:
        assert found["/models/a.gguf"].model.name == "a"
        assert found["/models/a.gguf"].model.sha256 == ()


def test_a_note_travels_with_its_folder(tmp_path: Path):
    folder = tmp_path / "models"
    inside, outside = note_of(str(folder / "a" / "b" / "m.gguf")), note_of("/elsewhere/m.gguf")
    write_note(str(folder), inside)
    write_note(str(folder), outside)
    assert read_notes(str(folder)) == {inside.model.path: inside, outside.model.path: outside}
    moved = folder.rename(tmp_path / "moved")
    assert set(read_notes(str(moved))) == {str(moved / "a" / "b" / "m.gguf"), "/elsewhere/m.gguf"}
    remove_note(str(moved), "/elsewhere/m.gguf")
    remove_note(str(moved), "/never/there.gguf")
    assert len(read_notes(str(moved))) == 1
    assert not list(moved.rglob("*.tmp"))


def test_a_later_note_replaces_the_one_before(tmp_path: Path):
    note = note_of(str(tmp_path / "m.gguf"))
    write_note(str(tmp_path), note)
    write_note(str(tmp_path), noted_now(note, forgotten=True))
    (found,) = read_notes(str(tmp_path)).values()
    assert found.forgotten
    assert found.noted_ms > note.noted_ms


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"[1]", b'{"path": 7}', b'{"path": "a\\u0000b"}', b"[" * 100_000,
        b'{"path": "other.gguf"}',
        b'{"path": "m.gguf", "size_bytes": -5, "mtime_ns": 1e999, "verified_ms": true, "sha256": {"a": 1}}',
    ],
)  # fmt: skip
def test_what_strangers_write_there_is_never_trusted(tmp_path: Path, content: bytes):
    note = note_of(str(tmp_path / "m.gguf"))
    write_note(str(tmp_path), note)
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(content)
    found = read_notes(str(tmp_path))
    for read in found.values():
        assert read.model.path == note.model.path
        assert read.model.verified_ms == read.model.size_bytes == 0
        assert read.model.sha256 == ()


def test_a_note_of_absurd_length_is_passed_over(tmp_path: Path):
    note = note_of(str(tmp_path / "m.gguf"))
    write_note(str(tmp_path), note)
    (file,) = (tmp_path / FOLDER).iterdir()
    table = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(table | {"name": "x" * 100_000}), "utf-8")
    assert read_notes(str(tmp_path)) == {}


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(StorageError):
        write_note(str(blocked), note_of(str(blocked / "m.gguf")))
    assert read_notes(str(blocked)) == {}

"""Every model on this computer: found by itself, added, checked, removed, and one truth for the whole program."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import AppError, ModelFileError, StorageError
from app.core.library import LocalModel
from app.engine.scripted import Script
from app.storage.model_notes import ModelNote, write_note
from tests.services.keeping import SPLIT, add, from_the_hub, look_again, put, replace_managed


@pytest.fixture
def services(build):
    return build(Script())


def test_what_is_put_into_the_folder_by_hand_appears_and_can_be_chosen(services, tmp_path):
    folder = tmp_path / "models"
    flat = put(folder, "flat.gguf")
    deep = put(folder, "owner/repo/deep.gguf")
    put(folder, "owner/repo/mmproj-deep.gguf")
    put(folder, "owner/repo/deep.imatrix.gguf")
    put(folder, ".partial/half.gguf")
    put(folder, "notes.txt")
    assert {model.path for model in look_again(services, asked=False)} == {str(flat), str(deep)}
    assert all(model.managed and model.present for model in services.model_library.models())
    assert {entry.id for entry in services.models.entries()} == {"starter", str(flat), str(deep)}
    assert services.model_library.used_bytes() == 2 * len(b"GGUF model")


def test_a_split_model_is_one_and_only_there_when_all_its_parts_are(services, tmp_path):
    folder = tmp_path / "models"
    first = put(folder, SPLIT.format(1))
    assert look_again(services) == []
    put(folder, SPLIT.format(2), b"more")
    (model,) = look_again(services)
    assert model.path == str(first)
    assert model.size_bytes == len(b"GGUF model") + len(b"more")


def test_a_file_that_vanished_stays_listed_and_comes_back(services, tmp_path):
    path = put(tmp_path / "models", "here.gguf")
    look_again(services)
    path.rename(tmp_path / "away.gguf")
    (model,) = look_again(services)
    assert not model.present
    (tmp_path / "away.gguf").rename(path)
    (model,) = look_again(services)
    assert model.present


def test_what_was_found_is_known_at_the_next_start_before_anything_is_looked_at(build, tmp_path):
    path = put(tmp_path / "models", "here.gguf")
    services = build(Script())
    look_again(services)
    build.close(services)
    (model,) = build(Script()).model_library.models()
    assert (model.path, model.architecture, model.present) == (str(path), "llama", True)


def test_a_file_that_is_no_model_is_told_of_only_when_somebody_looks(services, tmp_path):
    put(tmp_path / "models", "junk.gguf", b"no GGUF")
    assert look_again(services, asked=False) == []
    assert services.notices == []
    look_again(services)
    assert [notice.title for notice in services.notices] == ["This is no model"]


def test_a_model_whose_file_was_replaced_by_junk_is_not_offered(services, tmp_path):
    path = put(tmp_path / "models", "here.gguf")
    look_again(services)
    path.write_bytes(b"no GGUF any more")
    (model,) = look_again(services)
    assert model.damaged
    assert [entry.id for entry in services.models.entries()] == ["starter"]


def test_only_new_and_changed_files_are_opened(services, tmp_path, monkeypatch):
    opened: list[str] = []
    path = put(tmp_path / "models", "here.gguf")
    look_again(services)
    monkeypatch.setattr(
        services.model_library, "_inspect", lambda found: opened.append(found) or LocalModel(found, "x")
    )
    look_again(services)
    assert opened == []
    path.write_bytes(b"GGUF model and more")
    look_again(services)
    assert opened == [str(path)]


def test_an_opened_file_is_in_the_library_and_in_the_picker_alike(services, tmp_path):
    path = put(tmp_path, "somewhere/mine.gguf")
    services.models.open_file(str(path))
    services.wait(lambda: bool(services.model_library.models()))
    (model,) = services.model_library.models()
    assert not model.managed
    assert services.models.entry(str(path)).size_bytes == model.size_bytes
    services.models.remove(str(path))
    assert services.model_library.models() == ()
    assert path.exists()
    assert look_again(services) == []


def test_a_link_shares_the_bytes_and_removing_it_frees_nothing(services, tmp_path):
    mine = put(tmp_path, "mine/Nice Model.gguf")
    model = add(services, mine, "link")
    assert Path(model.path) == tmp_path / "models" / "local" / "Nice Model" / "Nice Model.gguf"
    assert Path(model.path).samefile(mine)
    assert services.model_library.freed_by_removing(model.path) == 0
    services.model_library.remove(model.path)
    services.wait(lambda: not services.model_library.models())
    assert mine.exists()
    assert not (tmp_path / "models" / "local").exists()


@pytest.mark.parametrize("how", ["copy", "move"])
def test_all_parts_of_a_model_are_copied_or_moved(services, tmp_path, how):
    first, second = put(tmp_path, f"mine/{SPLIT.format(1)}"), put(tmp_path, f"mine/{SPLIT.format(2)}", b"second")
    model = add(services, first, how)
    inside = Path(model.path)
    assert inside.parent == tmp_path / "models" / "local" / "big"
    assert (inside.read_bytes(), inside.with_name(SPLIT.format(2)).read_bytes()) == (b"GGUF model", b"second")
    assert first.exists() is second.exists() is (how == "copy")
    assert services.model_library.freed_by_removing(model.path) == len(b"GGUF model") + len(b"second")
    services.model_library.remove(model.path)
    services.wait(lambda: not services.model_library.models())
    assert not inside.exists()
    assert not inside.with_name(SPLIT.format(2)).exists()


def test_a_copy_that_is_stopped_leaves_nothing(services, tmp_path):
    mine = put(tmp_path, "mine.gguf", b"GGUF" + bytes(80 << 20))
    library = services.model_library
    seen: list[tuple[object, object]] = []
    library.progressed.connect(lambda path, done, whole: (seen.append((done, whole)), library.cancel(path)))
    library.add_file(str(mine), "copy")
    library.cancel(str(mine))
    services.wait(lambda: not library._working)
    assert library.models() == ()
    assert [path for path in (tmp_path / "models").rglob("*") if path.is_file()] == []
    assert mine.exists()


def test_two_files_of_one_name_lie_side_by_side(services, tmp_path):
    one, two = put(tmp_path, "a/same.gguf", b"GGUF one"), put(tmp_path, "b/same.gguf", b"GGUF two")
    paths = [add(services, file, "copy").path for file in (one, two)]
    assert len(set(paths)) == 2
    assert {Path(path).read_bytes() for path in paths} == {b"GGUF one", b"GGUF two"}


def test_junk_is_refused_before_anything_is_copied(services, tmp_path, qtbot):
    with qtbot.waitSignal(services.model_library.failed) as heard:
        services.model_library.add_file(str(put(tmp_path, "junk.gguf", b"no GGUF")), "copy")
    assert isinstance(heard.args[0], ModelFileError)
    assert not (tmp_path / "models").exists()


def test_a_file_taken_off_the_list_stays_off_until_somebody_looks_again(build, tmp_path):
    path = put(tmp_path / "models", "here.gguf")
    services = build(Script())
    look_again(services)
    services.models.remove(str(path))
    assert services.model_library.models() == ()
    build.close(services)
    services = build(Script())
    assert look_again(services, asked=False) == []
    assert [model.path for model in look_again(services)] == [str(path)]
    assert path.exists()


def test_another_folder_is_used_from_now_on_and_models_elsewhere_stay_known(build, tmp_path, qtbot):
    old = put(tmp_path / "models", "old.gguf")
    new = put(tmp_path / "other", "new.gguf")
    services = build(Script())
    look_again(services)
    services.model_library.set_folder(str(tmp_path / "other"))
    services.wait(lambda: len(services.model_library.models()) == 2)
    assert services.model_library.folder() == str(tmp_path / "other")
    managed = {model.path: model.managed for model in services.model_library.models()}
    assert managed == {str(old): False, str(new): True}
    build.close(services)
    services = build(Script())
    assert services.model_library.folder() == str(tmp_path / "other")
    services.model_library.set_folder("")
    services.wait(lambda: services.model_library.folder() == str(tmp_path / "models"))
    services.model_library.remove(str(new))
    assert new.exists(), "it is not in the models folder any more"


def test_a_folder_that_cannot_be_written_to_is_told_at_once_and_not_taken(services, tmp_path, qtbot):
    blocked = put(tmp_path, "a file", b"")
    with qtbot.waitSignal(services.model_library.failed) as heard:
        services.model_library.set_folder(str(blocked / "models"))
    assert isinstance(heard.args[0], StorageError)
    assert heard.args[0].hint
    assert services.model_library.folder() == str(tmp_path / "models")


def test_a_fat_disk_is_taken_with_a_warning(services, tmp_path, monkeypatch):
    monkeypatch.setattr("app.services.model_library.has_fat_limit", lambda _folder: True)
    services.model_library.set_folder(str(tmp_path / "stick"))
    services.wait(lambda: services.model_library.folder() == str(tmp_path / "stick"))
    assert "over 4 GB" in services.notices[-1].title


def test_a_loaded_model_is_let_go_before_its_file_is_deleted(services, tmp_path):
    path = put(tmp_path / "models", "here.gguf")
    look_again(services)
    services.models.prepare(str(path))
    services.wait(lambda: services.models.state(str(path)).kind == "ready")
    services.model_library.remove(str(path))
    services.wait(lambda: services.models.state(str(path)).kind == "unloaded")
    services.wait(lambda: not path.exists())


def test_what_cannot_be_deleted_is_told_and_stays_listed(services, tmp_path, qtbot, monkeypatch):
    path = put(tmp_path / "models", "here.gguf")
    look_again(services)

    def refuse(_path: str, _folder: str) -> None:
        raise StorageError("No", "Not allowed.")

    monkeypatch.setattr("app.services.model_library.delete", refuse)
    with qtbot.waitSignal(services.model_library.failed) as heard:
        services.model_library.remove(str(path))
    assert isinstance(heard.args[0], AppError)
    assert len(services.model_library.models()) == 1


def test_free_room_is_known_also_before_the_folder_exists(services):
    assert (services.model_library.free_bytes() or 0) > 0
    assert services.model_library.used_bytes() == 0


def test_what_another_program_puts_there_appears_while_the_window_is_open(services, tmp_path):
    put(tmp_path / "models", "first.gguf")
    look_again(services, asked=False)
    put(tmp_path / "models", "second.gguf")
    services.wait(lambda: len(services.model_library.models()) == 2)


def test_what_the_command_line_finds_out_is_heard_of_while_the_window_is_open(services, tmp_path):
    folder = tmp_path / "models"
    path = put(folder, "a/b/hub.gguf")
    write_note(str(folder), from_the_hub(path, b"GGUF model"))
    look_again(services, asked=False)
    note = from_the_hub(path, b"GGUF model")
    write_note(str(folder), replace(note, model=replace(note.model, verified_ms=77)))
    services.wait(lambda: services.model_library.model(str(path)).verified_ms == 77)


def test_the_folder_is_looked_at_only_when_something_happened_there(services, tmp_path, qtbot):
    look_again(services, asked=False)
    surveys: list[None] = []
    services.model_library._watch.changed.connect(lambda: surveys.append(None))
    put(tmp_path / "models", "one.gguf")
    services.wait(lambda: bool(services.model_library.models()))
    services.wait(lambda: services.model_library._files.is_idle)
    qtbot.wait(1500)  # twice as long as a change takes to settle: looking must not cause the next look
    assert len(surveys) == 1


def test_what_is_known_of_a_file_moves_along_when_somebody_moves_it(build, tmp_path):
    content = b"GGUF model"
    folder = tmp_path / "models"
    path = put(folder, "a/b/hub.gguf", content)
    services = build(Script())
    services.model_library.arrived(replace_managed(from_the_hub(path, content)))
    new = folder / "tidy" / "hub.gguf"
    new.parent.mkdir()
    path.rename(new)
    (model,) = look_again(services)
    assert (model.path, model.repo_id, model.verified_ms) == (str(new), "a/b", 5)
    build.close(services)
    services = build(Script())
    assert [found.path for found in services.model_library.models()] == [str(new)]
    assert services.ask(lambda stores: list(stores.model_files.all())) == [str(new)]


def test_looking_again_writes_nothing_where_nothing_changed(services, tmp_path, monkeypatch):
    path = put(tmp_path / "models", "here.gguf")
    put(tmp_path / "models", "off.gguf")
    look_again(services)
    services.models.remove(str(tmp_path / "models" / "off.gguf"))
    kept: list[ModelNote] = []
    services.ask(lambda stores: monkeypatch.setattr(stores.model_files, "keep", kept.append))
    for _ in range(2):
        assert [model.path for model in look_again(services, asked=False)] == [str(path)]
    services.ask(lambda stores: None)
    assert kept == []


def test_a_file_behind_a_linked_folder_is_only_ever_forgotten(services, tmp_path):
    real = put(tmp_path / "big disk", "m.gguf")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "more").symlink_to(tmp_path / "big disk", target_is_directory=True)
    (model,) = look_again(services)
    assert not model.managed
    services.model_library.remove(model.path)
    assert look_again(services, asked=False) == []
    assert real.exists()

"""Models of the Hub are proven by their SHA-256, again where something touched them."""

from __future__ import annotations

import os

import pytest

from app.core.library import LocalModel, RemoteFile, Wanted
from app.engine.scripted import Script
from app.storage.model_notes import ModelNote, noted_now, write_note
from tests.services.keeping import from_the_hub, look_again, put, replace_managed


@pytest.fixture
def services(build):
    return build(Script())


def test_a_model_from_the_hub_can_be_verified_again(services, tmp_path, qtbot):
    content = b"GGUF model"
    path = put(tmp_path / "models", "a/b/hub.gguf", content)
    services.model_library.arrived(replace_managed(from_the_hub(path, content)))
    with qtbot.waitSignal(services.model_library.verified) as heard:
        services.model_library.verify(str(path))
    assert heard.args == [str(path), True]
    model = services.model_library.model(str(path))
    assert model is not None
    assert model.verified_ms > 5


def test_one_flipped_bit_is_found_told_and_never_offered_again(build, tmp_path, qtbot):
    content = b"GGUF model"
    path = put(tmp_path / "models", "a/b/hub.gguf", content)
    services = build(Script())
    services.model_library.arrived(replace_managed(from_the_hub(path, content)))
    assert str(path) in {entry.id for entry in services.models.entries()}
    changed = bytearray(content)
    changed[-1] ^= 1
    before = path.stat()
    path.write_bytes(changed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with qtbot.waitSignal(services.model_library.verified) as heard:
        services.model_library.verify(str(path))
    assert heard.args == [str(path), False]
    assert "is damaged" in services.notices[-1].title
    assert [entry.id for entry in services.models.entries()] == ["starter"]
    look_again(services)
    build.close(services)
    services = build(Script())
    look_again(services, asked=False)
    assert [entry.id for entry in services.models.entries()] == ["starter"], "nor after the next start"


def test_a_file_that_did_not_come_from_the_hub_has_nothing_to_be_compared_with(services, tmp_path, qtbot):
    path = put(tmp_path / "models", "mine.gguf")
    look_again(services)
    with qtbot.waitSignal(services.model_library.failed) as heard:
        services.model_library.verify(str(path))
    assert "nothing to compare" in heard.args[0].title


def test_what_the_command_line_noted_is_taken_over(services, tmp_path):
    content = b"GGUF model"
    path = put(tmp_path / "models", "a/b/hub.gguf", content)
    write_note(str(tmp_path / "models"), from_the_hub(path, content))
    (model,) = look_again(services)
    assert (model.repo_id, model.licence, model.verified_ms) == ("a/b", "mit", 5)
    wanted = Wanted("a/b", "c" * 40, "Q4_K_M", (RemoteFile("hub.gguf", len(content), model.sha256[0]),), "b")
    assert services.model_library.having(wanted) == model
    path.unlink()
    gone = noted_now(ModelNote(LocalModel(str(path), "x")), forgotten=True)
    write_note(str(tmp_path / "models"), gone)
    assert look_again(services) == [], "removed there is removed here"


def test_a_proof_goes_along_when_the_folder_moves(build, tmp_path):
    content = b"GGUF model"
    path = put(tmp_path / "models", "a/b/hub.gguf", content)
    write_note(str(tmp_path / "models"), from_the_hub(path, content))
    (tmp_path / "models").rename(tmp_path / "moved")
    services = build(Script())
    services.preferences.set_fetching("models_folder", str(tmp_path / "moved"))
    (model,) = look_again(services)
    assert model.path == str(tmp_path / "moved" / "a" / "b" / "hub.gguf")
    assert model.verified_ms == 5


@pytest.mark.parametrize("right", [True, False])
def test_a_file_of_the_hub_that_something_touched_is_proven_again_by_itself(services, tmp_path, qtbot, right):
    content = b"GGUF model"
    path = put(tmp_path / "models", "a/b/hub.gguf", content)
    write_note(str(tmp_path / "models"), from_the_hub(path, content))
    path.write_bytes(content if right else b"GGUF medal")
    os.utime(path, ns=(1, 1))
    with qtbot.waitSignal(services.model_library.verified) as heard:
        (model,) = look_again(services, asked=False)
        assert (model.repo_id, model.verified_ms) == ("a/b", 0)
    assert heard.args == [str(path), right]
    (model,) = services.model_library.models()
    assert (model.verified_ms > 5, model.damaged) == (right, not right)
    assert [notice.title for notice in services.notices] == ([] if right else [f"{model.name} is damaged"])
    assert len(services.models.entries()) == (2 if right else 1)


def test_a_file_that_was_changed_meanwhile_is_found_out_when_it_is_loaded(services, tmp_path):
    content = b"GGUF model"
    path = put(tmp_path / "models", "a/b/hub.gguf", content)
    services.model_library.arrived(replace_managed(from_the_hub(path, content)))
    path.write_bytes(b"GGUF medal")
    os.utime(path, ns=(1, 1))
    services.models.prepare(str(path))
    services.wait(lambda: services.model_library.model(str(path)).damaged)
    assert [entry.id for entry in services.models.entries()] == ["starter"]

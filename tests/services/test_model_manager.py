"""The models to choose from, and the life of the loaded one."""

from __future__ import annotations

import threading

import pytest

from app.core.errors import ModelFileError, SettingError
from app.core.options import Loading, Sampling
from app.core.overflow import Overflow
from app.core.settings import Source
from app.engine.scripted import Script, scripted_loader


def test_the_model_that_comes_with_the_app_stands_first(build):
    services = build(Script())
    first = services.models.entries()[0]
    assert first.id == "starter"
    assert first.bundled
    assert first.size_bytes > 1_000_000


def test_a_file_from_disk_is_known_from_then_on_until_it_is_forgotten(build, tmp_path):
    services = build(Script())
    file = tmp_path / "Some Model.gguf"
    file.write_bytes(b"x")
    services.models.open_file(str(file))
    services.wait(lambda: len(services.models.entries()) == 2)
    build.close(services)
    services = build(Script())
    assert services.models.entries()[1].name == "Some Model"
    services.models.remove(str(file))
    assert file.exists(), "only forgotten, never deleted"
    build.close(services)
    assert len(build(Script()).models.entries()) == 1


def test_the_model_that_comes_with_the_app_cannot_be_forgotten(build):
    services = build(Script())
    services.models.remove("starter")
    assert services.models.entries()


def test_a_file_that_cannot_be_used_is_refused_with_its_reason(build, tmp_path, qtbot):
    services = build(Script())
    with qtbot.waitSignal(services.models.file_refused) as heard:
        services.models.open_file(str(tmp_path / "gone.gguf"))
    assert isinstance(heard.args[0], ModelFileError)
    assert len(services.models.entries()) == 1


def test_loading_shows_its_progress_and_then_the_facts(build):
    half_seen = threading.Event()

    def load(path, loading, stop, on_progress):
        on_progress(0.5)
        assert half_seen.wait(300)
        return scripted_loader(Script())(path, loading, stop, on_progress)

    services = build(loader=load)
    seen: list[float] = []
    services.models.state_changed.connect(lambda model_id: seen.append(services.models.state(model_id).progress))
    services.models.prepare("starter")
    services.wait(lambda: any(0 < share < 1 for share in seen))
    half_seen.set()
    services.wait(lambda: services.models.state("starter").kind == "ready")
    assert services.models.state("starter").facts is not None
    services.wait(lambda: bool(seen) and seen[-1] == 1.0)
    assert seen == sorted(seen)


def test_unloading_gives_the_model_back(build):
    services = build(Script())
    services.models.prepare("starter")
    services.wait(lambda: services.models.state("starter").kind == "ready")
    services.models.unload()
    services.wait(lambda: services.models.state("starter").kind == "unloaded")


def test_the_starters_own_values_come_from_the_catalogue(build):
    services = build(Script())
    resolved = services.preferences.resolved(Sampling, "starter")
    assert resolved.values.temperature == 0
    assert resolved.sources["temperature"] is Source.MODEL
    assert services.preferences.model_prompt("starter") == "You are a helpful assistant."


@pytest.mark.parametrize(
    "name", ["mistral-7b-openorca.Q4_K_M.gguf", "Mistral-7B-OpenOrca-Q8_0.gguf", "openorca_mistral_7b.gguf"]
)
def test_mistralorca_is_known_by_its_file_name(build, tmp_path, name):
    services = build(Script())
    file = tmp_path / name
    file.write_bytes(b"x")
    values = services.preferences.resolved(Sampling, str(file)).values
    assert (values.temperature, values.top_p, values.top_k) == (0.7, 0.95, 40)
    assert (values.repeat_penalty, values.max_tokens) == (1.1, 512)
    assert services.preferences.model_prompt(str(file)).startswith("You are MistralOrca")


def test_changed_values_are_kept_and_can_go_back(build):
    services = build(Script())
    services.preferences.set_for_model("starter", "top_k", None)
    services.preferences.set_for_model("starter", "context_tokens", 512)
    services.preferences.set_model_prompt("starter", "Be brief.")
    build.close(services)
    services = build(Script())
    assert services.preferences.resolved(Sampling, "starter").values.top_k is None
    assert services.preferences.resolved(Loading, "starter").values.context_tokens == 512
    assert services.preferences.model_prompt("starter") == "Be brief."
    services.preferences.clear_for_model("starter", "top_k")
    services.preferences.clear_model_prompt("starter")
    build.close(services)
    services = build(Script())
    assert services.preferences.resolved(Sampling, "starter").values.top_k == 40
    assert services.preferences.model_prompt("starter") == "You are a helpful assistant."


def test_a_value_that_a_model_has_anyway_is_no_change(build):
    services = build(Script())
    preferences = services.preferences
    changes = (("temperature", 0.5, 0), ("top_k", 10, 40), ("threads", 2, None), ("move_kept", False, True))
    for key, other, own in changes:
        preferences.set_for_model("starter", key, other)
        assert services.ask(lambda stores: stores.settings.values("model:starter"))
        preferences.set_for_model("starter", key, own)
        assert services.ask(lambda stores: stores.settings.values("model:starter")) == {}
        for group in (Sampling, Loading, Overflow):
            assert Source.MODEL_CHANGED not in preferences.resolved(group, "starter").sources.values()
    preferences.set_look("theme", "dark")
    preferences.set_look("theme", "system")
    assert services.ask(lambda stores: stores.settings.values("app")) == {}


def test_a_value_that_is_not_allowed_changes_nothing(build):
    services = build(Script())
    with pytest.raises(SettingError):
        services.preferences.set_for_model("starter", "temperature", 99)
    assert services.preferences.resolved(Sampling, "starter").values.temperature == 0
    with pytest.raises(SettingError):
        services.preferences.set_look("theme", "purple")

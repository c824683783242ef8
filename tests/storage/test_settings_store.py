"""Changed settings, remembered things and known model files."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.core.errors import StorageError
from app.core.looks import Look
from app.core.options import Sampling
from app.core.settings import Source, resolve
from app.storage.database import Database
from app.storage.opening import open_database
from app.storage.settings import ModelStore, SettingsStore, StateStore
from app.storage.stores import open_stores


@pytest.fixture
def database(tmp_path: Path):
    opened = open_database(tmp_path / "orcinus.db")
    yield opened
    opened.close()


def test_only_what_was_changed_is_kept_by_scope(database: Database):
    settings = SettingsStore(database)
    assert settings.all() == {}
    settings.set("app", "theme", "dark")
    settings.set("model:starter", "temperature", 0.1)
    settings.set("model:starter", "top_k", None)
    settings.set("model:starter", "stop", ("\n", "x"))
    settings.set("model:starter", "system_prompt", "Be brief.")
    assert settings.all() == {
        "app": {"theme": "dark"},
        "model:starter": {"temperature": 0.1, "top_k": None, "stop": ["\n", "x"], "system_prompt": "Be brief."},
    }
    resolved = resolve(Sampling, [(Source.MODEL_CHANGED, settings.values("model:starter"))])
    assert (resolved.values.stop, resolved.values.top_k) == (("\n", "x"), None)
    settings.clear("model:starter", "top_k")
    settings.clear("model:starter", "unknown")
    assert "top_k" not in settings.values("model:starter")
    settings.clear_all("model:starter")
    assert settings.all() == {"app": {"theme": "dark"}}


def test_settings_survive_a_restart(tmp_path: Path):
    stores = open_stores(tmp_path / "home" / "orcinus.db")
    stores.settings.set("app", "text_size", 14)
    stores.close()
    stores = open_stores(tmp_path / "home" / "orcinus.db")
    assert stores.remembered().settings == {"app": {"text_size": 14}}
    stores.close()


def test_a_damaged_value_is_passed_over_and_told(database: Database):
    settings = SettingsStore(database)
    settings.set("app", "theme", "dark")
    database.run("UPDATE setting SET value = '{dark'")
    settings.set("app", "text_size", 14)
    assert settings.all() == {"app": {"text_size": 14}}
    (notice,) = database.take_notices()
    assert "theme" in notice


def test_500_mangled_values_are_500_starts(database: Database):
    rng = random.Random(4)
    settings, state = SettingsStore(database), StateStore(database)
    with database.transaction():
        for _ in range(500):
            mangled = "".join(rng.choices('{}[]",:0123eE-+.truefalsn\\u\ufffd', k=rng.randrange(12)))
            database.run("INSERT OR REPLACE INTO setting VALUES ('app', 'theme', ?)", mangled)
            database.run("INSERT OR REPLACE INTO state VALUES ('last_chat', ?)", mangled)
            look = resolve(Look, [(Source.APP, settings.values("app"))])
            assert look.values.theme == "system"
            state.get("last_chat")


def test_remembered_things_come_back_or_their_default(database: Database):
    state = StateStore(database)
    assert state.get("last_chat") is None
    assert state.get("window", [1, 2]) == [1, 2]
    state.set("window", {"size": [800, 600]})
    state.set("window", {"size": [900, 600]})
    assert state.get("window") == {"size": [900, 600]}
    database.run("UPDATE state SET value = '{'")
    assert state.get("window", 3) == 3


def test_model_files_are_known_with_the_last_used_first(database: Database):
    now = [1000]
    models = ModelStore(database, clock=lambda: now[0])
    for path in ("/a.gguf", "/b.gguf", "C:\\models\\ç.gguf"):
        models.add(path, path[-6:])
    now[0] = 1
    models.used("/a.gguf")
    models.used("/unknown.gguf")
    models.add("/b.gguf", "Better name")
    assert [(model.path, model.name) for model in models.all()] == [
        ("/b.gguf", "Better name"),
        ("/a.gguf", "a.gguf"),
        ("C:\\models\\ç.gguf", "ç.gguf"),
    ]
    assert (models.all()[0].added_ms, models.all()[0].last_used_ms) == (1000, 1)
    models.remove("/b.gguf")
    assert len(models.all()) == 2


def test_a_file_whose_name_is_no_text_is_refused_in_words(database: Database):
    with pytest.raises(StorageError) as caught:
        ModelStore(database).add("/models/\udcff.gguf", "odd")
    assert "name" in caught.value.title
    assert caught.value.hint

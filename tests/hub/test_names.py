"""Names from the Hub: none leads out of the models folder, hides, deceives, or breaks on another system."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from app.core.errors import HubError
from app.hub.names import safe_path, safe_repo_id

HOSTILE = {
    "up": "../evil.gguf",
    "up from within": "a/../../evil.gguf",
    "absolute": "/etc/evil.gguf",
    "drive": "C:/evil.gguf",
    "share": "//server/share/evil.gguf",
    "backslash": "..\\..\\evil.gguf",
    "device": "CON.gguf",
    "device in a folder": "aux/model.gguf",
    "numbered device": "sub/com1.q4.gguf",
    "device with a raised figure": "lpt².gguf",
    "second stream": "model.gguf:hidden.gguf",
    "trailing dot": "folder./model.gguf",
    "trailing space": "folder /model.gguf",
    "leading space": " model.gguf",
    "hidden": ".cache/huggingface/model.gguf",
    "hidden file": ".gguf",
    "right-to-left override": "model\u202efugg.gguf",
    "zero width": "mod\u200bel.gguf",
    "newline": "model\n.gguf",
    "end of text": "model.gguf\0.gguf",
    "too long a name": "m" * 300 + ".gguf",
    "too many bytes": "é" * 119 + "\U0001f40b" * 5 + ".gguf",
    "too long a path": "/".join(["folder"] * 80) + "/model.gguf",
    "empty part": "folder//model.gguf",
    "no letters": "",
    "decomposed": unicodedata.normalize("NFD", "modèle.gguf"),
    "wildcard": "model*.gguf",
    "half a character": "model\ud800.gguf",
    "not a model": "model.safetensors",
    "program": "model.gguf.exe",
}


@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_refused_with_a_sentence(path):
    with pytest.raises(HubError) as caught:
        safe_path(path)
    assert caught.value.title
    assert caught.value.detail.endswith(".")


@pytest.mark.parametrize(
    "path",
    [
        "mistral-7b-openorca.Q4_K_M.gguf",
        "Q8_0/Qwen2.5-7B-Instruct-Q8_0-00001-of-00003.gguf",
        "UD-IQ2_XXS/model (v2)+fix [imat]_final, é.GGUF",
        "консоль.gguf",
        "模型/模型.gguf",
        "console.gguf",
        "auxiliary/com10.gguf",
    ],
)
def test_an_ordinary_name_is_kept_and_stays_in_its_folder_on_every_system(path):
    assert safe_path(path) == path
    for kind in (PurePosixPath, PureWindowsPath):
        below = kind("models") / path
        assert not below.is_absolute()
        assert ".." not in below.parts
        assert below.parts[0] == "models"


@pytest.mark.parametrize("path", ["model.gguf", "é" * 60 + ".gguf", "a" * 115 + ".gguf"])
def test_a_kept_name_can_really_be_made(tmp_path: Path, path):
    (tmp_path / safe_path(path)).write_bytes(b"GGUF")
    assert [file.name for file in tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    "repo_id",
    ["TheBloke/Mistral-7B-OpenOrca-GGUF", "Qwen/Qwen2.5-0.5B-Instruct-GGUF", "_a/b_", "a/b", "x" * 96 + "/" + "y" * 96],
)
def test_a_repository_of_the_hubs_form_is_kept(repo_id):
    assert safe_repo_id(repo_id) == repo_id


@pytest.mark.parametrize(
    "repo_id",
    [
        "",
        "name",
        "a/b/c",
        "../b",
        "a/..",
        "a/.",
        "/b",
        "a/",
        "a b/c",
        "a/b--c",
        "a/b.git",
        "-a/b",
        "a/b.",
        "con/model",
        "owner/NUL",
        "owner/aux.gguf",
        "ownér/name",
        "a/b?c=d",
        "a/b#c",
        "a\\b/c",
        "x" * 97 + "/y",
    ],
)
def test_any_other_repository_name_is_refused(repo_id):
    with pytest.raises(HubError):
        safe_repo_id(repo_id)

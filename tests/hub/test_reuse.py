"""Files that are on this computer already are linked or used in place, and only when their content is right."""

from __future__ import annotations

import os

import pytest

from app.core.library import RemoteFile
from app.hub import download_job
from app.hub.download import held_bytes
from app.hub.reuse import candidates, known_places, link
from app.hub.session import prepare_environment
from tests.hub.fetching import NAME, fetch, left_in, noise, wanted_of

MIB = 2**20
SIZE = 3 * MIB


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def repo(standin):
    return standin.add("alice/Tiny-GGUF", {NAME: noise(SIZE)})


def hub_cache(folder, repo, content, name=NAME, *, links=True):
    """A Hugging Face cache with one file in it, as huggingface_hub lays it out; without links as on Windows."""
    home = folder / ("models--" + repo.repo_id.replace("/", "--"))
    snapshot = home / "snapshots" / repo.commit / name
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    if not links:
        snapshot.write_bytes(content)
        return snapshot
    blob = home / "blobs" / repo.files[name].sha256
    blob.parent.mkdir(exist_ok=True)
    blob.write_bytes(content)
    snapshot.symlink_to(os.path.relpath(blob, snapshot.parent))
    return blob


@pytest.mark.parametrize("links", [True, False])
def test_a_file_in_the_hugging_face_cache_is_linked_and_not_fetched(standin, repo, models, tmp_path, links):
    kept = hub_cache(tmp_path / "hub", repo, noise(SIZE), links=links)
    fetched = fetch(standin, wanted_of(repo), models, places=(tmp_path / "hub",))
    assert fetched.path == str(models / "alice" / "Tiny-GGUF" / NAME)
    assert os.path.samefile(fetched.path, kept)
    assert not os.path.islink(fetched.path)
    assert standin.asked == []
    assert left_in(models) == [f"alice/Tiny-GGUF/{NAME}"]


def test_what_huggingface_hub_itself_downloaded_is_found(standin, repo, models, tmp_path, monkeypatch):
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)  # its thread would outlive the test
    prepare_environment()  # read when it is first imported, so not at the top
    from huggingface_hub import hf_hub_download

    cache = tmp_path / "hub"
    hf_hub_download(repo.repo_id, NAME, endpoint=standin.url, cache_dir=cache, token=False)
    before = len(standin.asked)
    fetched = fetch(standin, wanted_of(repo), models, places=(cache,))
    assert fetched.content == noise(SIZE)
    assert len(standin.asked) == before


def test_the_same_file_of_another_repository_in_the_models_folder_is_linked(standin, repo, models):
    copy = standin.add("bob/Same-GGUF", {f"folder/{NAME.upper()[:-5]}.gguf": noise(SIZE)})
    first = fetch(standin, wanted_of(copy, *copy.files), models).path
    before = standin.sent_bytes
    second = fetch(standin, wanted_of(repo), models)
    assert os.path.samefile(first, second.path)
    assert standin.sent_bytes == before


def test_a_file_of_ollama_is_linked(standin, repo, models, tmp_path):
    blob = tmp_path / "ollama" / "blobs" / f"sha256-{repo.files[NAME].sha256}"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(noise(SIZE))
    fetched = fetch(standin, wanted_of(repo), models, places=(tmp_path / "ollama",))
    assert os.path.samefile(fetched.path, blob)
    assert standin.asked == []


def test_a_damaged_file_of_another_program_is_left_alone_and_fetched_anew(standin, repo, models, tmp_path):
    damaged = bytearray(noise(SIZE))
    damaged[SIZE // 2] ^= 1
    blob = hub_cache(tmp_path / "hub", repo, bytes(damaged))
    fetched = fetch(standin, wanted_of(repo), models, places=(tmp_path / "hub",))
    assert fetched.content == noise(SIZE)
    assert blob.read_bytes() == bytes(damaged)
    assert blob.stat().st_nlink == 1


def test_where_no_link_is_possible_a_single_file_is_used_in_place(standin, repo, models, tmp_path, monkeypatch):
    """As on a stick with FAT, or when the cache lies on another disk."""
    hub_cache(tmp_path / "hub", repo, noise(SIZE))
    monkeypatch.setattr(download_job, "link", lambda source, target: False)
    fetched = fetch(standin, wanted_of(repo), models, places=(tmp_path / "hub",))
    assert fetched.path.startswith(str(tmp_path / "hub"))
    assert fetched.path.endswith(NAME)
    assert fetched.content == noise(SIZE)
    assert standin.asked == []
    assert left_in(models) == []


PARTS = ("big-00001-of-00002.gguf", "big-00002-of-00002.gguf")


def test_parts_are_used_in_place_only_where_all_lie_together(standin, models, tmp_path, monkeypatch):
    repo = standin.add("bob/Big", {name: noise(MIB, seed) for seed, name in enumerate(PARTS)})
    monkeypatch.setattr(download_job, "link", lambda source, target: False)
    hub_cache(tmp_path / "hub", repo, noise(MIB, 0), PARTS[0])
    fetched = fetch(standin, wanted_of(repo, *PARTS), models, places=(tmp_path / "hub",))
    assert fetched.path == str(models / "bob" / "Big" / PARTS[0])
    hub_cache(tmp_path / "hub", repo, noise(MIB, 1), PARTS[1])
    before = len(standin.asked)
    fetched = fetch(standin, wanted_of(repo, *PARTS), tmp_path / "others", places=(tmp_path / "hub",))
    assert fetched.path == str(tmp_path / "hub" / "models--bob--Big" / "snapshots" / repo.commit / PARTS[0])
    assert len(standin.asked) == before


def test_one_part_that_is_here_already_leaves_only_the_other_to_fetch(standin, models, tmp_path):
    repo = standin.add("bob/Big", {name: noise(MIB, seed) for seed, name in enumerate(PARTS)})
    hub_cache(tmp_path / "hub", repo, noise(MIB, 1), PARTS[1])
    fetch(standin, wanted_of(repo, *PARTS), models, places=(tmp_path / "hub",))
    assert standin.sent_bytes == MIB
    assert left_in(models) == [f"bob/Big/{name}" for name in PARTS]


def test_what_was_fetched_so_far_is_not_needed_once_the_file_is_found(standin, repo, models, tmp_path):
    wanted = wanted_of(repo)
    part = models / ".partial" / f"{wanted.files[0].sha256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(noise(SIZE)[:MIB])
    (part.parent / f"{wanted.files[0].sha256}.{2 * MIB}.ahead").write_bytes(noise(SIZE)[2 * MIB :])
    assert held_bytes(wanted, models) == 2 * MIB
    hub_cache(tmp_path / "hub", repo, noise(SIZE))
    fetch(standin, wanted, models, places=(tmp_path / "hub",))
    assert standin.asked == []
    assert left_in(models) == [f"alice/Tiny-GGUF/{NAME}"]


def test_links_that_lead_nowhere_and_folders_are_no_candidates(tmp_path):
    places = tuple(tmp_path / name for name in "abcde")
    for place in places:
        place.mkdir()
    (places[0] / "x.gguf").symlink_to(tmp_path / "gone")
    (places[1] / "x.gguf").mkdir()
    (places[2] / "x.gguf").write_bytes(b"12345")
    (places[3] / "x.gguf").symlink_to(places[2] / "x.gguf")
    (places[4] / "x.gguf").write_bytes(b"123")
    (found,) = candidates(RemoteFile("x.gguf", 5, "0" * 64), (*places, tmp_path / "missing"))
    assert found.resolve() == places[2] / "x.gguf"


def test_a_file_of_the_same_size_under_another_name_is_not_read(tmp_path):
    (tmp_path / "another-model.Q4_K_M.gguf").write_bytes(b"12345")
    assert list(candidates(RemoteFile("x.gguf", 5, "0" * 64), (tmp_path,))) == []


def test_a_link_replaces_what_was_there_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "source").write_bytes(b"right")
    target = tmp_path / "folder" / "target"
    for _ in range(2):
        assert link(tmp_path / "source", target)
    assert target.read_bytes() == b"right"
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert not link(tmp_path / "missing", target)
    assert target.read_bytes() == b"right"


@pytest.mark.parametrize(
    ("place", "environ"),
    [
        (".lmstudio/models/alice/Tiny-GGUF/{name}", {}),
        (".cache/lm-studio/models/alice/Tiny-GGUF/{name}", {}),
        (".local/share/nomic.ai/GPT4All/{name}", {}),
        ("AppData/Local/nomic.ai/GPT4All/{name}", {"LOCALAPPDATA": "AppData/Local"}),
        ("Library/Application Support/nomic.ai/GPT4All/{name}", {}),
        (".local/share/Jan/data/llamacpp/models/tiny/model.gguf", {}),
        (".config/Jan/data/llamacpp/models/alice/tiny/model.gguf", {}),
        ("AppData/Roaming/Jan/data/llamacpp/models/tiny/model.gguf", {"APPDATA": "AppData/Roaming"}),
        (".cache/llama.cpp/alice_Tiny-GGUF_{name}", {}),
        ("Library/Caches/llama.cpp/alice_Tiny-GGUF_{name}", {}),
        ("AppData/Local/llama.cpp/alice_Tiny-GGUF_{name}", {"LOCALAPPDATA": "AppData/Local"}),
        ("mine/{name}", {"LLAMA_CACHE": "mine"}),
        (".ollama/models/blobs/sha256-{sha256}", {}),
    ],
)
def test_a_file_of_any_well_known_program_is_linked(standin, repo, models, tmp_path, place, environ):
    home, file = tmp_path / "person", repo.files[NAME]
    there = home / place.format(name=NAME, sha256=file.sha256)
    there.parent.mkdir(parents=True)
    there.write_bytes(file.content)
    places = known_places({key: str(home / value) for key, value in environ.items()}, home)
    fetched = fetch(standin, wanted_of(repo), models, places=places)
    assert os.path.samefile(fetched.path, there)
    assert standin.asked == []


def test_places_are_those_that_exist_and_follow_the_environment(tmp_path):
    home = tmp_path / "home"
    for folder in (".cache/huggingface/hub", ".ollama/models", ".lmstudio/models"):
        (home / folder).mkdir(parents=True)
    assert known_places({}, home) == (
        home / ".cache" / "huggingface" / "hub",
        home / ".ollama" / "models",
        home / ".lmstudio" / "models",
    )
    (tmp_path / "hf").mkdir()
    assert known_places({"HF_HUB_CACHE": str(tmp_path / "hf")}, home)[0] == tmp_path / "hf"
    assert known_places({"HF_HOME": str(tmp_path / "none")}, tmp_path / "nobody") == ()

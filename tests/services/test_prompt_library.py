"""The library of prompts tells what changed, keeps what it is given, and never changes what came with the app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.bundled_prompts import read_bundled_prompts
from app.core.prompt_variables import BUILT_IN, variables
from app.core.prompts import Prompt
from app.hub.catalog import read_catalog
from app.paths import find_paths
from app.services.archive import Archive
from app.services.prompt_library import PromptLibrary
from app.storage.stores import Stores, open_stores


class Desk:
    """A library over a database of its own, and what it told."""

    def __init__(self, database: Path, qtbot: Any) -> None:
        resources = find_paths().resources_dir
        self.qtbot = qtbot
        self.archive: Archive[Stores] = Archive(lambda: open_stores(database))
        self.library = PromptLibrary(self.archive, read_bundled_prompts(resources, read_catalog(resources).entries))
        self.notices: list[Any] = []
        self.library.notice.connect(self.notices.append)

    def answer(self, signal: Any, wish: Any) -> list[Any]:
        """Do something and wait for what is told of it."""
        with self.qtbot.waitSignal(signal, timeout=20_000) as told:
            wish()
        return list(told.args)

    def made(self, wish: Any) -> Prompt:
        (prompt,) = self.answer(self.library.made, wish)
        return prompt

    def versions(self, prompt_id: int) -> list[Any]:
        return list(self.answer(self.library.versions_read, lambda: self.library.read_versions(prompt_id))[1])


@pytest.fixture
def desk(tmp_path: Path, qtbot: Any) -> Iterator[Desk]:
    desk = Desk(tmp_path / "orcinus.db", qtbot)
    yield desk
    assert desk.archive.close(lambda stores: stores.close())


def test_a_prompt_is_made_saved_and_told(desk: Desk):
    library = desk.library
    assert not library.ready
    prompt = desk.made(lambda: library.create("Pirate", "Arr.", tags=["fun"], note="n"))
    assert library.ready
    assert library.prompts() == (prompt,)
    told_id, version = desk.answer(library.version_saved, lambda: library.save(prompt.id, "Arr, {{name}}!", note="w"))
    assert told_id == prompt.id
    assert (version.text, version.parent, version.note) == ("Arr, {{name}}!", prompt.current, "w")
    current = library.prompt(prompt.id)
    assert current is not None
    assert (current.text, current.current, current.versions) == (version.text, version.hash, 2)
    assert [one.text for one in desk.versions(prompt.id)] == ["Arr.", "Arr, {{name}}!"]
    _, restored = desk.answer(library.version_saved, lambda: library.restore_version(prompt.id, prompt.current))
    assert (restored.text, restored.parent) == ("Arr.", version.hash)
    desk.answer(library.changed, lambda: library.set_current(prompt.id, version.hash))
    branch = desk.made(lambda: library.branch(prompt.id, version.hash, "Mate"))
    assert [one.text for one in desk.versions(branch.id)] == ["Arr.", "Arr, {{name}}!", "Arr, {{name}}!"]
    assert desk.versions(branch.id)[-1].note == "Mate, branched from Pirate, version 2"
    assert desk.made(lambda: library.duplicate(prompt.id)).versions == 4
    assert desk.notices == []


def test_name_tags_and_note_are_changed(desk: Desk):
    library = desk.library
    prompt = desk.made(lambda: library.create("A", "one"))
    desk.answer(library.changed, lambda: library.rename(prompt.id, "B"))
    desk.answer(library.changed, lambda: library.set_tags(prompt.id, iter(["x"])))
    desk.answer(library.changed, lambda: library.set_note(prompt.id, "n"))
    (changed,) = library.prompts()
    assert (changed.name, changed.tags, changed.note, changed.current) == ("B", ("x",), "n", prompt.current)


def test_a_deleted_prompt_leaves_at_once_and_can_be_undone(desk: Desk):
    library = desk.library
    prompt = desk.made(lambda: library.create("A", "one"))
    library.delete(prompt.id)
    assert library.prompts() == ()
    (notice,) = desk.notices
    assert "“A” was deleted" in notice.title
    (listed,) = desk.answer(library.trash_listed, library.list_trash)
    assert [one.id for one in listed] == [prompt.id]
    desk.answer(library.changed, notice.actions[0][1])
    assert [one.id for one in library.prompts()] == [prompt.id]
    library.delete(prompt.id)
    assert desk.answer(library.trash_listed, lambda: library.purge(prompt.id)) == [()]
    library.delete(prompt.id)
    assert len(desk.notices) == 2, "what is gone is not deleted again"


def test_what_failed_is_told_and_the_list_is_what_is_kept(desk: Desk):
    library = desk.library
    prompt = desk.made(lambda: library.create("A", "one"))
    (notice,) = desk.answer(library.notice, lambda: library.save(prompt.id, "x" * 2_000_000))
    assert (notice.level, notice.title) == ("error", "This prompt is too long")
    desk.answer(library.notice, lambda: library.save(99, "x"))
    desk.answer(library.notice, lambda: library.import_from("/no/such/file"))
    desk.versions(prompt.id)
    assert [one.text for one in library.prompts()] == ["one"]


def test_a_bundled_prompt_becomes_ones_own_with_the_same_first_version(desk: Desk):
    library = desk.library
    origin = library.bundled_prompt("teacher")
    assert origin is not None
    prompt = desk.made(lambda: library.copy_bundled("teacher"))
    assert (prompt.name, prompt.text, prompt.tags, prompt.current) == (
        origin.name,
        origin.version.text,
        origin.tags,
        origin.version.hash,
    )
    edited = desk.made(lambda: library.copy_bundled("teacher", text="Teach {{me}}.", note="mine"))
    assert (edited.name, edited.text) == (f"{origin.name} 2", "Teach {{me}}.")
    first, second = desk.versions(edited.id)
    assert first == origin.version
    assert (second.parent, second.note) == (first.hash, "mine")
    assert library.bundled_prompt("teacher") == origin
    assert library.bundled_prompt("no such") is None


def test_a_search_finds_own_and_bundled_prompts(desk: Desk):
    library = desk.library
    mine = desk.made(lambda: library.create("Mine", "Speak of translations"))
    query, own, bundled = desk.answer(library.found, lambda: library.search("TRANSLAT"))
    assert (query, own, [one.key for one in bundled]) == ("TRANSLAT", (mine,), ["translator"])
    _, own, bundled = desk.answer(library.found, lambda: library.search(""))
    assert (len(own), len(bundled)) == (1, len(library.bundled()))


def test_a_version_is_found_by_its_hash_wherever_it_is(desk: Desk):
    library = desk.library
    prompt = desk.made(lambda: library.create("A", "one"))
    found: list[Any] = []
    for version_hash in (prompt.current, library.bundled()[0].version.hash, "f" * 64):
        library.find_version(version_hash, found.append)
    desk.qtbot.waitUntil(lambda: len(found) == 3)
    assert [one and one.text for one in found] == ["one", library.bundled()[0].version.text, None]


def test_prompts_go_to_a_file_and_come_back(desk: Desk, tmp_path: Path):
    library = desk.library
    one = desk.made(lambda: library.create("A", "one"))
    desk.made(lambda: library.create("B", "two"))
    path = str(tmp_path / "p.json")
    assert desk.answer(library.exported, lambda: library.export_to(path, [one.id])) == [path]
    library.delete(one.id)
    (done,) = desk.answer(library.imported, lambda: library.import_from(path))
    assert (len(done.added), done.versions) == (1, 1)
    assert [prompt.current for prompt in library.prompts()][:1] == [one.current]
    assert desk.notices[-1].title == "1 prompt was read"
    (again,) = desk.answer(library.imported, lambda: library.import_from(path))
    assert again.unchanged == 1
    assert desk.notices[-1].detail == "1 that were here already."


def test_the_bundled_prompts_are_sound(desk: Desk):
    bundled = desk.library.bundled()
    assert len({one.key for one in bundled}) == len({one.name for one in bundled}) == len(bundled) >= 6
    assert len({one.version.hash for one in bundled}) == len(bundled)
    for one in bundled:
        assert one.version.text == one.version.text.strip()
        assert 20 < len(one.version.text) < 1000, f"{one.key}: a small model reads it with every message"
        assert one.note
        assert one.tags
        assert re.fullmatch(r"[a-z-]+", one.key)
        assert one.version.text.count("{{") == len(variables(one.version.text)), one.key
        assert one.version.created_ms > 0
    asked = {variable.name for one in bundled for variable in variables(one.version.text)} - set(BUILT_IN)
    assert "language" in asked


def test_mistralorcas_own_prompt_is_the_catalogues(desk: Desk):
    entry = read_catalog(find_paths().resources_dir).entry("mistral-7b-openorca")
    (orca,) = [one for one in desk.library.bundled() if one.model_id == "mistral-7b-openorca"]
    assert entry is not None
    assert orca.version.text == entry.system_prompt
    assert entry.system_prompt not in (find_paths().resources_dir / "prompts.toml").read_text("utf-8")


def test_every_default_of_the_catalogue_is_a_version_with_a_name(desk: Desk):
    entries = read_catalog(find_paths().resources_dir).entries
    versions = desk.library.authors_versions(entries)
    assert versions.keys() == {entry.id for entry in entries if entry.system_prompt}
    texts = {one.version.hash: one.version.text for one in desk.library.bundled()}
    assert all(texts[versions[entry.id]] == entry.system_prompt for entry in entries if entry.system_prompt)

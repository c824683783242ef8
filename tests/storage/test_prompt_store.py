"""Prompts keep every version, can be found, branched and brought back, and are gone when they are deleted for good."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.errors import StorageError
from app.core.prompts import LONGEST_PROMPT, hash_of, same, version_of
from app.storage.backups import Backups
from app.storage.opening import open_database
from app.storage.prompts import PromptStore
from app.storage.remembered import read_remembered
from app.storage.stores import open_stores

DAY_MS = 24 * 3600 * 1000


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_790_000_000_000

    def __call__(self) -> int:
        self.now_ms += 1
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[PromptStore]:
    database = open_database(None)
    yield PromptStore(database, clock=clock)
    database.close()


def texts(store: PromptStore, prompt_id: int) -> list[str]:
    return [version.text for version in store.versions(prompt_id)]


def test_a_new_prompt_has_one_version(store: PromptStore):
    prompt = store.create(" Pirate\n", "Arr.", tags=["#fun", "Fun", "short"], note="n", version_note="first")
    assert (prompt.name, prompt.text, prompt.tags, prompt.note) == ("Pirate", "Arr.", ("fun", "short"), "n")
    (version,) = store.versions(prompt.id)
    assert version == version_of("Arr.", "", "first", version.created_ms)
    assert (prompt.current, prompt.versions) == (version.hash, 1)
    assert store.rows() == [prompt]
    assert store.prompt(prompt.id) == prompt


def test_every_save_is_a_version_made_from_the_one_before(store: PromptStore):
    prompt = store.create("A", "one")
    second = store.save(prompt.id, "two", note="why")
    third = store.save(prompt.id, "three")
    assert texts(store, prompt.id) == ["one", "two", "three"]
    assert (second.parent, third.parent, second.note) == (prompt.current, second.hash, "why")
    assert store.prompt(prompt.id).current == third.hash
    assert store.prompt(prompt.id).text == "three"
    for version in store.versions(prompt.id):
        assert version.hash == hash_of(version.text, version.parent, version.note, version.created_ms)
        assert store.version(version.hash) == version
        assert store.holder(version.hash) == prompt.id


def test_saving_what_is_there_makes_no_version_unless_there_is_something_to_note(store: PromptStore):
    prompt = store.create("A", "one")
    assert store.save(prompt.id, "one").hash == prompt.current
    assert store.prompt(prompt.id).versions == 1
    store.save(prompt.id, "one", note="this one won")
    assert store.prompt(prompt.id).versions == 2


def test_a_wording_can_be_made_from_any_version(store: PromptStore):
    prompt = store.create("A", "one")
    second = store.save(prompt.id, "two")
    side = store.save(prompt.id, "side", parent=prompt.current)
    assert side.parent == prompt.current != second.hash
    assert store.prompt(prompt.id).current == side.hash
    store.set_current(prompt.id, second.hash)
    assert store.prompt(prompt.id).text == "two"


def test_restoring_says_the_old_text_again_and_undoes_nothing(store: PromptStore):
    prompt = store.create("A", "one")
    second = store.save(prompt.id, "two")
    restored = store.restore_version(prompt.id, prompt.current)
    assert texts(store, prompt.id) == ["one", "two", "one"]
    assert restored.parent == second.hash
    assert prompt.current[:8] in restored.note
    assert store.restore_version(prompt.id, restored.hash) == restored, "the current one is restored already"
    assert store.prompt(prompt.id).versions == 3


def test_a_branch_has_what_led_to_it_under_equal_hashes(store: PromptStore):
    prompt = store.create("A", "one", tags=["t"], note="n")
    second = store.save(prompt.id, "two")
    store.save(prompt.id, "three")
    branch = store.branch(prompt.id, second.hash)
    assert (branch.name, branch.text, branch.tags, branch.note) == ("A 2", "two", ("t",), "n")
    assert store.versions(branch.id)[:2] == store.versions(prompt.id)[:2]
    assert texts(store, branch.id) == ["one", "two", "two"]
    store.save(branch.id, "other")
    assert texts(store, prompt.id) == ["one", "two", "three"]
    store.trash(branch.id)
    assert store.holder(second.hash) == prompt.id
    assert store.branch(prompt.id, second.hash, "B").name == "B"


def test_a_version_belongs_to_the_prompt_it_was_made_in_whatever_copies_of_it_use(store: PromptStore):
    prompt = store.create("A", "one")
    second = store.save(prompt.id, "two")
    copies = [store.duplicate(prompt.id), store.branch(prompt.id, second.hash)]
    store.save(prompt.id, "three")
    origin = store.origin(second.hash)
    assert (origin.words, origin.prompt_id) == ("A, version 2", prompt.id)
    store.trash(prompt.id)
    assert store.holder(second.hash) == copies[0].id


def test_what_is_made_with_a_fresh_copy_bears_its_name_and_is_saved_in_it(store: PromptStore):
    prompt = store.create("A", "one")
    second = store.save(prompt.id, "two")
    copies = [store.duplicate(prompt.id), store.duplicate(prompt.id), store.branch(prompt.id, second.hash, "B")]
    assert [store.origin(copy.current).words for copy in copies] == [
        "A 2, version 3",
        "A 3, version 3",
        "B, version 3",
    ]
    assert [store.holder(copy.current) for copy in copies] == [copy.id for copy in copies]
    assert [store.versions(copy.id)[-1].note for copy in copies] == [
        "A 2, copied from A",
        "A 3, copied from A",
        "B, branched from A, version 2",
    ]
    assert {copy.text for copy in copies} == {"two"}


def test_a_prompt_knows_the_number_of_its_current_version(store: PromptStore):
    prompt = store.create("A", "one")
    second = store.save(prompt.id, "two")
    store.save(prompt.id, "three")
    assert (store.prompt(prompt.id).number, store.prompt(prompt.id).versions) == (3, 3)
    assert store.save(prompt.id, "two", parent=second.hash) == second, "nothing new is said: that one is current again"
    assert (store.prompt(prompt.id).number, store.prompt(prompt.id).versions) == (2, 3)
    assert [one.number for one in store.rows()] == [2]


def test_a_duplicate_has_all_of_it(store: PromptStore):
    prompt = store.create("A", "one")
    store.save(prompt.id, "two")
    store.set_current(prompt.id, prompt.current)
    copy = store.duplicate(prompt.id)
    assert (copy.name, copy.text, copy.versions) == ("A 2", "one", 3)
    assert store.history(copy.id).versions[:2] == store.history(prompt.id).versions
    assert store.duplicate(prompt.id, "Mine").name == "Mine"


def test_names_are_told_apart_by_numbers(store: PromptStore):
    first, second = store.create("Pirate", "1"), store.create("PIRATE", "2")
    assert second.name == "PIRATE 2"
    assert store.rename(second.id, "pirate").name == "pirate 2"
    assert store.rename(first.id, "pirate").name == "pirate", "its own name is free for it"
    assert store.rename(first.id, "  ").name == "pirate"
    assert store.create("", "3").name == "Untitled prompt"
    assert len({same(prompt.name) for prompt in store.rows()}) == 3


def test_rows_stand_by_name(store: PromptStore):
    for name in ("b", "A", "ä", "C"):
        store.create(name, name)
    assert [prompt.name for prompt in store.rows()] == ["A", "b", "C", "ä"]


def test_tags_and_notes_are_replaced(store: PromptStore):
    prompt = store.create("A", "one", tags=["old"])
    store.set_tags(prompt.id, ["x", "X", " y "])
    store.set_note(prompt.id, "for \0letters")
    changed = store.prompt(prompt.id)
    assert (changed.tags, changed.note) == (("x", "y"), "for letters")
    assert changed.current == prompt.current, "neither is a part of a version"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("pirate", ["Pirate", "Sea"]),
        ("PIRATE merry", ["Sea"]),
        ("fun", ["Pirate"]),
        ("letters", ["Formal"]),
        ("100% _", ["Formal"]),
        ("'; --", []),
        ("ﬁne", ["Formal"]),
        ("日本", ["Sea"]),
        ("", ["Formal", "Pirate", "Sea"]),
        ("gone", []),
    ],
)
def test_search_looks_at_names_tags_notes_and_texts(store: PromptStore, typed: str, found: list[str]):
    store.create("Pirate", "Arr.", tags=["fun"])
    store.create("Sea", "Speak like a merry pirate. 日本語")
    store.create("Formal", "Be 100% _formal_, fine.", note="For letters")
    store.trash(store.create("gone", "gone").id)
    assert [prompt.name for prompt in store.search(typed)] == found


def test_long_names_and_texts_are_searched_to_their_end(store: PromptStore):
    prompt = store.create("A", "x " * 5000 + "needle")
    assert store.search("needle") == [prompt]


def test_the_trash_keeps_a_prompt_for_30_days(store: PromptStore, clock: Clock):
    old, new = store.create("Old", "1"), store.create("New", "2")
    store.trash(old.id)
    clock.now_ms += 20 * DAY_MS
    store.trash(new.id)
    assert store.rows() == []
    assert [prompt.name for prompt in store.rows(trashed=True)] == ["New", "Old"]
    clock.now_ms += 11 * DAY_MS
    assert store.purge_old() == 1
    assert [prompt.name for prompt in store.rows(trashed=True)] == ["New"]
    assert store.versions(old.id) == []
    assert store.purge_old() == 0


def test_a_prompt_comes_back_from_the_trash_under_a_free_name(store: PromptStore):
    old = store.create("Pirate", "1")
    store.trash(old.id)
    new = store.create("Pirate", "2")
    assert new.name == "Pirate", "a name in the trash is free"
    assert store.restore(old.id).name == "Pirate 2"
    assert store.restore(old.id).name == "Pirate 2", "twice is once"
    assert store.holder(old.current) == old.id


def test_what_is_not_there_is_told(store: PromptStore):
    prompt = store.create("A", "one")
    other = store.create("B", "two")
    tries: list[Callable[[], object]] = [
        lambda: store.prompt(99),
        lambda: store.save(99, "x"),
        lambda: store.rename(99, "x"),
        lambda: store.set_tags(99, []),
        lambda: store.trash(99),
        lambda: store.restore(99),
        lambda: store.duplicate(99),
        lambda: store.branch(prompt.id, other.current),
        lambda: store.save(prompt.id, "x", parent=other.current),
        lambda: store.restore_version(prompt.id, other.current),
        lambda: store.set_current(prompt.id, "f" * 64),
        lambda: store.save(prompt.id, "x" * (LONGEST_PROMPT + 1)),
    ]
    before = [store.history(one.id) for one in store.rows()]
    for attempt in tries:
        with pytest.raises(StorageError) as told:
            attempt()
        assert told.value.hint
    assert [store.history(one.id) for one in store.rows()] == before
    assert store.version("f" * 64) is None


def test_texts_may_hold_anything_and_are_hashed_as_they_are_kept(store: PromptStore):
    prompt = store.create("A", "a\0b\ud800 {{x}} 🏴‍☠️\r\n")
    (version,) = store.versions(prompt.id)
    assert version.text == "ab\ufffd {{x}} 🏴‍☠️\r\n"
    assert version == version_of(version.text, "", "", version.created_ms)
    assert store.save(prompt.id, "").text == ""


def test_a_clock_that_jumps_changes_no_order(store: PromptStore, clock: Clock):
    prompt = store.create("A", "one")
    clock.now_ms = 5
    store.save(prompt.id, "two")
    clock.now_ms = -10
    store.save(prompt.id, "three")
    assert texts(store, prompt.id) == ["one", "two", "three"]


def test_the_same_save_in_the_same_millisecond_is_one_version():
    database = open_database(None)
    store = PromptStore(database, clock=lambda: 7)
    first, second = store.create("A", "one"), store.create("B", "one")
    assert first.current == second.current
    assert store.save(first.id, "two") == store.save(second.id, "two")
    database.close()


def test_prompts_last_and_are_kept_beside_chats(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    stores = open_stores(path)
    prompt = stores.prompts.create("A", "one")
    stores.upkeep()
    assert Backups(tmp_path / "backups").all(), "prompts alone are worth a copy"
    stores.close()
    assert read_remembered(path).notices == ()
    stores = open_stores(path)
    assert stores.prompts.rows() == [prompt]
    stores.close()


def test_what_is_deleted_for_good_is_in_no_file_any_more(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    stores = open_stores(path)
    kept = stores.prompts.create("Kept", "stays here")
    prompt = stores.prompts.create("secretname", "secretfirst")
    stores.prompts.save(prompt.id, "secretsecond " * 2000)
    stores.upkeep()
    stores.prompts.trash(prompt.id)
    stores.prompts.purge(prompt.id)
    for file in (path, path.with_name(path.name + "-wal"), *Backups(tmp_path / "backups").all()):
        content = file.read_bytes()
        assert b"secret" not in content, file
    assert len(Backups(tmp_path / "backups").all()) == 1
    assert stores.prompts.rows() == [kept]
    stores.close()


def test_copies_from_before_there_were_prompts_are_kept(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    stores = open_stores(path)
    (tmp_path / "backups").mkdir()
    old = tmp_path / "backups" / "orcinus-000001.db"
    old.write_bytes((Path(__file__).parent.parent / "data" / "old_databases" / "v2.db").read_bytes())
    stores.prompts.purge(stores.prompts.create("A", "one").id)
    assert Backups(tmp_path / "backups").all() == [old]
    stores.close()


def test_a_prompt_whose_row_was_lost_comes_back_with_its_versions(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    stores = open_stores(path)
    lost, cut, empty = (stores.prompts.create(name, name * 3) for name in ("lost", "cut", "empty"))
    stores.prompts.save(lost.id, "newest")
    stores.close()
    raw = sqlite3.connect(path)
    raw.execute("DELETE FROM prompt WHERE id = ?", (lost.id,))
    raw.execute("UPDATE prompt_version SET text = 'cu' WHERE prompt_id = ?", (cut.id,))
    raw.execute("DELETE FROM prompt_version WHERE prompt_id = ?", (empty.id,))
    raw.commit()
    raw.close()
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    found = {prompt.id: prompt for prompt in stores.prompts.rows()}
    assert (found[lost.id].name, found[lost.id].text) == ("Prompt without a name", "newest")
    assert texts(stores.prompts, lost.id) == ["lostlostlost", "newest"]
    (version,) = stores.prompts.versions(cut.id)
    assert version == version_of("cu", "", "", version.created_ms), "a hash is always of what is there"
    assert (found[cut.id].text, found[cut.id].current) == ("cu", version.hash)
    assert (found[empty.id].name, found[empty.id].text, found[empty.id].current) == ("empty", "", "")
    assert stores.prompts.save(empty.id, "again").parent == ""
    stores.close()


def test_a_thousand_versions_are_one_line(store: PromptStore):
    prompt = store.create("A", "0")
    for number in range(1, 1000):
        store.save(prompt.id, str(number))
    versions = store.versions(prompt.id)
    assert all(later.parent == earlier.hash for earlier, later in itertools.pairwise(versions))
    assert store.branch(prompt.id, versions[499].hash).versions == 501

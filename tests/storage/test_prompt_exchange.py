"""Prompts go to files and come back with equal hashes; what cannot be trusted changes nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import StorageError
from app.core.prompt_markdown import created_of, created_text
from app.core.prompts import LAST_MS, LONGEST_PROMPT, PromptHistory, hash_of, version_of
from app.storage import prompt_exchange
from app.storage.prompts import PromptStore
from app.storage.stores import Stores, open_stores

NASTY = [
    "---\nname: no\n---\n",
    "ends with lines\n\n",
    "\n\nbegins with lines",
    "",
    "\n",
    "carriage\r\nreturns\r\n\r",
    "  blanks  \t",
    "{{name=x}} \\{{y}} # Title\n\n```py\nd = {{}}\n```",
    "Ünï 🏴‍☠️ \u2028 \x85 \ufeff",
    "\ufeffmark",
]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = open_stores(tmp_path / "mine" / "orcinus.db")
    yield stores
    stores.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Stores]:
    stores = open_stores(tmp_path / "other" / "orcinus.db")
    yield stores
    stores.close()


def fill(store: PromptStore) -> None:
    for name in ("Pirate", "CON", 'a/b: "c" <d>?', "...", "Ünï 🏴‍☠️", "[x]", "'q'", "yes: no # c"):
        prompt = store.create(name, f"{name} one", tags=["a b", "c:d", "'e'", 'f"g', "[h]"], note="a\nnote: yes\n---\n")
        for text in NASTY:
            store.save(prompt.id, text, note=f"why: “{text[:3]}”")
        store.save(prompt.id, "side", parent=prompt.current)
        store.set_current(prompt.id, store.versions(prompt.id)[3].hash)


def all_of(store: PromptStore) -> list[PromptHistory]:
    return [store.history(prompt.id) for prompt in store.rows()]


@pytest.mark.parametrize("name", ["p.json", "p.zip", "folder"])
def test_a_round_trip_gives_equal_histories(tmp_path: Path, stores: Stores, other: Stores, name: str):
    fill(stores.prompts)
    stores.export_prompts(None, tmp_path / name)
    done = other.import_prompts(tmp_path / name)
    assert all_of(other.prompts) == all_of(stores.prompts)
    assert (len(done.added), done.merged, done.unchanged) == (8, (), 0)
    assert done.versions == sum(len(history.versions) for history in all_of(stores.prompts))
    again = other.import_prompts(tmp_path / name)
    assert (again.added, again.merged, again.versions, again.unchanged) == ((), (), 0, 8)
    assert all_of(other.prompts) == all_of(stores.prompts)


def test_the_same_prompts_give_the_same_bytes(tmp_path: Path, stores: Stores):
    fill(stores.prompts)
    for name in ("a.json", "b.json", "a.zip", "b.zip"):
        stores.export_prompts(None, tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_chosen_prompts_alone_are_written_and_none_of_the_trash(tmp_path: Path, stores: Stores, other: Stores):
    one, two, gone = (stores.prompts.create(name, name) for name in ("one", "two", "gone"))
    stores.prompts.trash(gone.id)
    stores.export_prompts([two.id], tmp_path / "two.json")
    stores.export_prompts(None, tmp_path / "all.json")
    other.import_prompts(tmp_path / "two.json")
    assert [prompt.name for prompt in other.prompts.rows()] == ["two"]
    other.import_prompts(tmp_path / "all.json")
    assert [prompt.name for prompt in other.prompts.rows()] == [one.name, two.name]


def test_work_on_two_computers_is_put_together(tmp_path: Path, stores: Stores, other: Stores):
    mine = stores.prompts.create("A", "one")
    stores.export_prompts(None, tmp_path / "p.json")
    (theirs_id,) = other.import_prompts(tmp_path / "p.json").added
    theirs = other.prompts.save(theirs_id, "two, theirs")
    other.export_prompts(None, tmp_path / "theirs.zip")
    done = stores.import_prompts(tmp_path / "theirs.zip")
    assert (done.merged, done.versions) == ((mine.id,), 1)
    assert stores.prompts.prompt(mine.id).current == theirs.hash, "theirs goes on from mine"
    other.prompts.save(theirs_id, "three, theirs")
    other.export_prompts(None, tmp_path / "theirs.json")
    own = stores.prompts.save(mine.id, "three, mine")
    stores.import_prompts(tmp_path / "theirs.json")
    assert stores.prompts.prompt(mine.id).current == own.hash, "mine stays, theirs is beside it"
    assert [version.text for version in stores.prompts.versions(mine.id)][-2:] == ["three, mine", "three, theirs"]
    merged = stores.prompts.prompt(mine.id)
    assert (merged.number, merged.versions) == (3, 4), "the current version is not the last one"


def test_another_prompt_of_the_same_name_gets_a_number(tmp_path: Path, stores: Stores, other: Stores):
    stores.prompts.create("A", "mine")
    stores.export_prompts(None, tmp_path / "p.json")
    other.prompts.create("a", "theirs")
    other.import_prompts(tmp_path / "p.json")
    assert [(prompt.name, prompt.text) for prompt in other.prompts.rows()] == [("a", "theirs"), ("A 2", "mine")]


def test_markdown_that_a_person_wrote_is_read(tmp_path: Path, stores: Stores):
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "Plain one.md").write_text("# Be brief\n\nThat is all.\n", "utf-8")
    (folder / "deep" / "x.md").write_bytes(
        b"\xef\xbb\xbf---\r\nname: 'It''s me'\r\ntags:\r\n  - fun\r\n  - two words, more\r\n# a comment\r\n"
        b"created: 2024-05-01\r\nprompt_note: plain: text\r\n---\r\n\r\nHello\r\nyou\r\n"
    )
    (folder / "deep" / "y.MD").write_text("---\ntags: a, b\nname:\n---\nY", "utf-8")
    (folder / "not.txt").write_text("no", "utf-8")
    (folder / ".hidden.md").write_text("no", "utf-8")
    assert len(stores.import_prompts(folder).added) == 3
    found = {prompt.name: prompt for prompt in stores.prompts.rows()}
    assert found["Plain one"].text == "# Be brief\n\nThat is all."
    mine = found["It's me"]
    assert (mine.text, mine.tags, mine.note) == ("Hello\nyou", ("fun", "two words more"), "plain: text")
    assert stores.prompts.versions(mine.id)[0].created_ms == 1_714_521_600_000
    assert (found["y"].tags, found["y"].text) == (("a", "b"), "Y")
    again = stores.import_prompts(folder)
    assert (again.added, again.unchanged) == ((), 3)
    assert stores.import_prompts(folder / "Plain one.md").unchanged == 1


def test_an_exported_version_edited_by_hand_is_a_new_one_made_from_it(tmp_path: Path, stores: Stores):
    prompt = stores.prompts.create("A", "one")
    current = stores.prompts.save(prompt.id, "two")
    stores.export_prompts(None, tmp_path / "out")
    file = next(file for file in (tmp_path / "out").rglob("*.md") if current.hash[:8] in file.name)
    file.write_text(file.read_text("utf-8").replace("two", "two, edited"), "utf-8")
    done = stores.import_prompts(tmp_path / "out")
    assert (done.merged, done.versions) == ((prompt.id,), 1)
    edited = stores.prompts.versions(prompt.id)[-1]
    assert (edited.text, edited.parent) == ("two, edited", current.hash)
    assert stores.prompts.prompt(prompt.id).text == "two, edited"
    assert stores.import_prompts(tmp_path / "out").unchanged == 1


@pytest.mark.parametrize("how", ["crlf", "no last line end", "one more line end"])
def test_line_ends_that_others_changed_make_no_new_version(tmp_path: Path, stores: Stores, how: str):
    stores.prompts.create("A", "one\ntwo")
    stores.export_prompts(None, tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.md")
    raw = file.read_bytes()
    changed = {"crlf": raw.replace(b"\n", b"\r\n"), "no last line end": raw[:-1], "one more line end": raw + b"\n"}
    file.write_bytes(changed[how])
    assert stores.import_prompts(tmp_path / "out").unchanged == 1


def test_a_history_with_a_lost_beginning_can_be_carried_over(tmp_path: Path, stores: Stores, other: Stores):
    late = version_of("late", "a" * 64, "", 5)
    stores.prompts.add(PromptHistory("A", (late,), late.hash))
    for name in ("p.json", "p.zip"):
        stores.export_prompts(None, tmp_path / name)
        other.import_prompts(tmp_path / name)
    assert all_of(other.prompts) == all_of(stores.prompts)


def test_a_text_that_went_bad_on_the_disk_can_still_be_carried_over(tmp_path: Path, stores: Stores, other: Stores):
    bad = version_of("good")
    stores.prompts.add(PromptHistory("A", (replace(bad, text="g\ufffdd"), version_of("next", bad.hash)), bad.hash))
    stores.export_prompts(None, tmp_path / "p.json")
    other.import_prompts(tmp_path / "p.json")
    (history,) = all_of(other.prompts)
    assert [version.text for version in history.versions] == ["g\ufffdd", "next"]
    assert history.current == hash_of("g\ufffdd", "", "", 0)


GOOD = {"hash": hash_of("text", "", "", 5), "parent": "", "text": "text", "note": "", "created_ms": 5}


def prompts_with(**changes: object) -> bytes:
    version = {**GOOD, **changes}
    prompt = {"name": "Bad", "tags": [], "note": "", "current": version["hash"], "versions": [version]}
    good = {"name": "Good", "tags": [], "note": "", "current": GOOD["hash"], "versions": [GOOD]}
    return json.dumps({"format": "orcinus-prompts", "version": 1, "prompts": [good, prompt]}).encode()


def hashed(**changes: object) -> bytes:
    made = {**GOOD, **changes}
    return prompts_with(
        **changes, hash=hash_of(str(made["text"]), str(made["parent"]), str(made["note"]), int(str(made["created_ms"])))
    )


def with_prompt(**changes: object) -> bytes:
    prompt = {"name": "Bad", "tags": [], "note": "", "current": GOOD["hash"], "versions": [GOOD], **changes}
    return json.dumps({"format": "orcinus-prompts", "version": 1, "prompts": [prompt]}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"{",
        b"[" * 100_000,
        b"[]",
        b'{"format": "orcinus-chats", "version": 1}',
        b'{"format": "orcinus-prompts", "version": 2, "prompts": []}',
        b'{"format": "orcinus-prompts", "version": 1}',
        b'{"format": "orcinus-prompts", "version": 1, "prompts": [1]}',
        prompts_with(text="changed"),
        prompts_with(hash="x"),
        prompts_with(hash=5),
        prompts_with(note=None),
        prompts_with(created_ms=5.0),
        prompts_with(created_ms=True),
        hashed(created_ms=1 << 70),
        hashed(created_ms=-1),
        hashed(parent="../../etc"),
        hashed(text="\ud800"),
        hashed(text="a\0b"),
        hashed(text="x" * (LONGEST_PROMPT + 1)),
        with_prompt(current="f" * 64),
        with_prompt(versions=[]),
        with_prompt(versions=["x"]),
        with_prompt(tags="fun"),
        with_prompt(tags=[1]),
        with_prompt(name=None),
    ],
)
def test_a_hostile_json_file_is_told_and_changes_nothing(tmp_path: Path, stores: Stores, data: bytes):
    stores.prompts.create("Mine", "mine")
    before = all_of(stores.prompts)
    path = tmp_path / "p.json"
    path.write_bytes(data)
    with pytest.raises(StorageError) as told:
        stores.import_prompts(path)
    assert told.value.hint
    assert all_of(stores.prompts) == before


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\0",
        b"---\nname: x\n",
        b"---\nno pair\n---\nx",
        b"---\ncreated: yesterday\n---\nx",
        b"---\ncreated: 1066-10-14\n---\nx",
        b"---\ntags: [a, b\n---\nx",
        b'---\nname: "open\n---\nx',
        b"---\nname: 'open\n---\nx",
        b"---\nparent: x\n---\nx",
        b"---\n- a\n---\nx",
        b"---\nname: x\n---\n" + b"x" * (LONGEST_PROMPT + 1),
    ],
)
def test_a_hostile_markdown_file_is_told_and_changes_nothing(tmp_path: Path, stores: Stores, text: bytes):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a good one.md").write_text("good", "utf-8")
    (folder / "bad.md").write_bytes(text)
    with pytest.raises(StorageError) as told:
        stores.import_prompts(folder)
    assert told.value.hint
    assert stores.prompts.rows() == []


def zip_of(entries: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_hostile_zips_are_told_and_change_nothing(tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prompt_exchange, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(prompt_exchange, "MOST_FILES", 100)
    good = zip_of({"a.md": b"good " * 50})
    at = good.index(b"a.md") + 4
    locked = bytearray(good)
    for header in (good.index(b"PK\3\4") + 6, good.index(b"PK\1\2") + 8):
        locked[header] |= 1
    hostile = {
        "bomb": zip_of({"a.md": bytes(50 << 20)}),
        "many": zip_of({f"{number}.md": b"x" for number in range(101)}),
        "damaged": good[:at] + b"\xff" * 10 + good[at + 10 :],
        "cut off": good[:-30],
        "locked": bytes(locked),
        "empty": zip_of({}),
        "none": zip_of({"a.txt": b"x"}),
        "big": b"x" * (1 << 21),
    }
    for name, data in hostile.items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(data)
        with pytest.raises(StorageError) as told:
            stores.import_prompts(path)
        assert told.value.hint, name
        assert stores.prompts.rows() == [], name
    (tmp_path / "up.zip").write_bytes(zip_of({"../../up.md": b"text", "/abs/olute.md": b"text"}))
    stores.import_prompts(tmp_path / "up.zip")
    assert {prompt.name for prompt in stores.prompts.rows()} == {"up", "olute"}
    assert not list(tmp_path.parent.glob("up.md")), "nothing is ever unpacked to the disk"


def test_an_import_that_fails_in_the_middle_changes_nothing(
    tmp_path: Path, stores: Stores, other: Stores, monkeypatch: pytest.MonkeyPatch
):
    for name in ("A", "B"):
        other.prompts.create(name, name)
    other.export_prompts(None, tmp_path / "p.json")
    add = stores.prompts.add

    def fails_at_the_second(history: PromptHistory) -> object:
        if history.name == "B":
            raise StorageError("The disk is full")
        return add(history)

    monkeypatch.setattr(stores.prompts, "add", fails_at_the_second)
    with pytest.raises(StorageError):
        stores.import_prompts(tmp_path / "p.json")
    assert stores.prompts.rows() == []


def test_nothing_that_is_there_is_written_over(tmp_path: Path, stores: Stores):
    stores.prompts.create("A", "one")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(StorageError, match="not empty"):
        stores.export_prompts(None, full)
    assert [file.name for file in full.iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    stores.export_prompts(None, tmp_path / "empty")
    assert [folder.name for folder in (tmp_path / "empty").iterdir()] == ["A"]
    with pytest.raises(StorageError):
        stores.export_prompts(None, tmp_path / "no such folder" / "x")
    with pytest.raises(StorageError):
        stores.import_prompts(tmp_path / "no such file.json")
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize("created_ms", [0, 1, 999, 1_790_000_000_123, LAST_MS])
def test_times_are_written_to_the_millisecond(created_ms: int):
    assert created_of(created_text(created_ms)) == created_ms


def test_times_of_other_zones_are_understood():
    assert created_of("2026-11-21T02:00:00+02:00") == created_of("2026-11-21") == 1_795_219_200_000

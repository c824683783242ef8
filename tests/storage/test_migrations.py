"""Databases of every version so far open, and a step that is cut off goes on at the next start."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from app.core.chat import Mark, MessageState
from app.core.judging import Duel
from app.core.library import DownloadState, Trouble
from app.core.prompts import hash_of
from app.storage import migrations, opening
from app.storage.backups import Backups
from app.storage.migrations import NEWEST, STEPS, migrate
from app.storage.opening import open_database
from app.storage.remembered import read_remembered
from app.storage.salvage import COLUMNS, fits
from app.storage.stores import Stores, open_stores

OLD = Path(__file__).parent.parent / "data" / "old_databases"


def m_next_note(connection: apsw.Connection) -> None:
    """A step as a later version may add it."""
    connection.execute("ALTER TABLE chat ADD COLUMN note TEXT NOT NULL DEFAULT ''")
    connection.execute("UPDATE chat SET note = 'moved'")


@pytest.fixture
def newer_app(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("app.storage.migrations", "app.storage.opening"):
        monkeypatch.setattr(f"{module}.STEPS", (*STEPS, m_next_note))
        monkeypatch.setattr(f"{module}.NEWEST", NEWEST + 1)


def test_there_is_an_old_database_of_every_version():
    assert {file.name for file in OLD.glob("*.db")} == {f"v{number + 1}.db" for number in range(NEWEST)}


@pytest.mark.parametrize("name", [f"v{number + 1}.db" for number in range(NEWEST)])
def test_a_database_of_any_version_opens_with_all_that_is_in_it(tmp_path: Path, name: str):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / name, path)
    stores = open_stores(path)
    remembered = stores.remembered()
    assert remembered.notices == ()
    assert [row.title for row in remembered.chats] == ["Pinned whales", "Namen"]
    assert [row.title for row in stores.chats.rows(trashed=True)] == ["In the trash"]
    chat = stores.chats.chat(remembered.chats[1].id)
    messages = stores.chats.messages(chat.id)
    assert [(m.text, m.state) for m in messages] == [
        ("My name is Ada. 👋", MessageState.DONE),
        ("Hello Ada!", MessageState.DONE),
        ("What is my name?", MessageState.DONE),
        ("Your na", MessageState.INTERRUPTED),
    ]
    assert messages[1].token_ids == (1, 2, 70_000)
    assert messages[1].provenance is not None
    assert messages[1].provenance.sampling == {"temperature": 0.7, "stop": ("x",), "seed": None}
    assert (chat.system_prompt, chat.overrides) == ("Be brief.", {"top_k": 5})
    assert remembered.settings == {"app": {"theme": "dark"}, "model:starter": {"temperature": 0.1}}
    assert [(model.path, model.name) for model in remembered.models] == [("/models/a.gguf", "A")]
    assert (remembered.last_chat_id, remembered.last_model_id) == (chat.id, "starter")
    assert stores.chats.draft(chat.id) == "and"
    assert [hit.title for hit in stores.chats.search("ada")] == ["Namen"]
    stores.close()


def test_the_queue_and_what_was_known_of_models_open_too(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v2.db", path)
    stores = open_stores(path)
    remembered = stores.remembered()
    (saved,) = remembered.downloads
    assert (saved.folder, saved.download.id, saved.download.position) == ("/models", 7, 3)
    assert (saved.download.state, saved.download.wanted.name) == (DownloadState.FAILED, "B ☕")
    assert [file.size_bytes for file in saved.download.wanted.files] == [10, 20]
    assert saved.download.trouble == Trouble("No room", "Full.", "Free some.", "folder")
    note = remembered.model_files["/models/a.gguf"]
    assert note.seen == (4_000_000_000, 1_700_000_000_123_456_789)
    assert (note.model.repo_id, note.model.licence, note.model.verified_ms) == (
        "them/A-GGUF",
        "apache-2.0",
        1_700_000_000_000,
    )
    stores.close()


def prompts_of(stores: Stores) -> list[tuple[str, tuple[str, ...], list[str]]]:
    found = [*stores.prompts.rows(), *stores.prompts.rows(trashed=True)]
    return [
        (prompt.name, prompt.tags, [version.hash[:8] for version in stores.prompts.versions(prompt.id)])
        for prompt in found
    ]


PROMPTS = [
    ("Pirate 🏴", ("fun", "short"), ["e7176955", "055a8bf9", "acb34cb8", "74f6eb49"]),
    ("In the trash", (), ["19a7f172"]),
]


def test_prompts_and_their_histories_open_too(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v3.db", path)
    stores = open_stores(path)
    assert prompts_of(stores) == PROMPTS
    (prompt,) = stores.prompts.rows()
    assert (prompt.text, prompt.note, prompt.current[:8]) == ("Answer like a pirate.", "For a laugh", "74f6eb49")
    assert [version.hash for version in stores.prompts.versions(prompt.id)] == [
        hash_of(version.text, version.parent, version.note, version.created_ms)
        for version in stores.prompts.versions(prompt.id)
    ]
    stores.close()


@pytest.mark.parametrize("damaged", [False, True])
def test_where_a_chats_prompt_came_from_is_known_too(tmp_path: Path, damaged: bool):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v5.db", path)
    if damaged:
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    versions = {row.title: stores.chats.chat(row.id).prompt_version[:8] for row in stores.chats.rows()}
    assert versions == {"Pinned whales": "", "Namen": "74f6eb49"}
    stores.close()


@pytest.mark.parametrize("damaged", [False, True])
def test_what_stood_in_the_places_of_a_prompts_variables_is_known_too(tmp_path: Path, damaged: bool):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v7.db", path)
    if damaged:
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    found = {row.title: stores.chats.chat(row.id).variables for row in stores.chats.rows()}
    assert found == {
        "Pinned whales": {},
        "Namen": {"learner": "a child 🐳\nof six", "date": "Saturday 21 November 2026", "time": "20:10"},
    }
    stores.close()


def test_prompts_are_salvaged_from_a_damaged_file(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v3.db", path)
    raw = bytearray(path.read_bytes())
    raw[:100] = b"\0" * 100
    path.write_bytes(raw)
    stores = open_stores(path)
    (notice,) = stores.remembered().notices
    assert "2 prompts of your own came back." in notice
    assert prompts_of(stores) == PROMPTS
    stores.close()


@pytest.mark.parametrize("name", [f"v{number + 1}.db" for number in range(NEWEST)])
def test_a_database_of_any_version_is_read_beside_a_window_without_changing_it(tmp_path: Path, name: str):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / name, path)
    before = path.read_bytes()
    remembered = read_remembered(path)
    assert remembered.settings["app"] == {"theme": "dark"}
    assert len(remembered.downloads) == (1 if name != "v1.db" else 0)
    assert path.read_bytes() == before


def test_rows_that_the_first_version_wrote_are_salvaged_by_this_one(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v1.db", path)
    raw = bytearray(path.read_bytes())
    raw[:100] = b"\0" * 100
    path.write_bytes(raw)
    stores = open_stores(path)
    remembered = stores.remembered()
    assert "damaged" in remembered.notices[0]
    assert [(model.path, model.name) for model in remembered.models] == [("/models/a.gguf", "A")]
    assert {row.title for row in remembered.chats} == {"Pinned whales", "Namen"}
    stores.close()


def test_the_queue_is_salvaged_from_a_damaged_file(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v2.db", path)
    raw = bytearray(path.read_bytes())
    raw[:100] = b"\0" * 100
    path.write_bytes(raw)
    stores = open_stores(path)
    remembered = stores.remembered()
    assert [saved.download.wanted.name for saved in remembered.downloads] == ["B ☕"]
    assert list(remembered.model_files) == ["/models/a.gguf"]
    stores.close()


@pytest.mark.usefixtures("newer_app")
def test_a_database_is_copied_before_it_is_migrated(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / f"v{NEWEST}.db", path)
    backups = Backups(tmp_path / "backups")
    database = open_database(path, backups=backups)
    assert database.rows("SELECT DISTINCT note FROM chat") == [("moved",)]
    (copy,) = backups.all()
    old = apsw.Connection(str(copy))
    assert old.pragma("user_version") == NEWEST
    assert old.execute("SELECT count(*) FROM chat").get == 3
    old.close()
    database.close()
    open_database(path, backups=backups).close()
    assert len(backups.all()) == 1


@pytest.mark.usefixtures("newer_app")
def test_a_step_that_is_cut_off_leaves_the_old_version_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / f"v{NEWEST}.db", path)

    def cut_off(connection: apsw.Connection) -> None:
        m_next_note(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("app.storage.migrations.STEPS", (*STEPS, cut_off))
        with pytest.raises(KeyboardInterrupt):
            open_database(path)
    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == NEWEST
    connection.close()
    database = open_database(path)
    assert database.rows("SELECT DISTINCT note FROM chat") == [("moved",)]
    database.close()


def test_the_newest_version_is_the_number_of_steps_and_each_says_what_it_does():
    assert len(migrations.STEPS) == NEWEST
    for number, step in enumerate(STEPS, start=1):
        assert step.__name__.startswith(f"m{number:03}_")
        assert step.__doc__


def test_every_table_can_be_brought_back_and_none_is_taken_for_another():
    connection = apsw.Connection(":memory:")
    migrate(connection, 0)
    tables = connection.execute(
        "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    assert {name for (name,) in tables} == set(COLUMNS)
    samples = {"i": 1, "t": "x", "b": b"x", "n": None, "?": None}
    for table, (columns, kinds) in COLUMNS.items():
        real = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        assert tuple(real) == columns
        record = tuple(samples[kind] for kind in kinds)
        assert [other for other, (_, shape) in COLUMNS.items() if fits(shape, record)] == [table]
    connection.close()


@pytest.mark.parametrize("damaged", [False, True])
def test_what_was_thought_of_answers_is_known_too(tmp_path: Path, damaged: bool):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v8.db", path)
    if damaged:
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    chat_id = next(row.id for row in stores.chats.rows() if row.title == "Namen")
    assert [message.mark for message in stores.chats.messages(chat_id)] == [None, Mark.GOOD, None, Mark.BAD]
    stores.close()


def test_a_file_that_the_window_brings_a_step_further_meanwhile_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v3.db", path)
    connect = opening.connect

    def late(place: Path | None, **how: object) -> apsw.Connection:
        if place is None:  # the copy is about to be made: the version was looked at before
            window = connect(path)
            migrate(window, 3)
            window.close()
        return connect(place, **how)

    monkeypatch.setattr("app.storage.opening.connect", late)
    assert read_remembered(path).last_model_id == "starter"


@pytest.mark.parametrize("damaged", [False, True])
def test_what_made_a_judges_verdict_is_known_too_and_of_those_of_before_nothing(tmp_path: Path, damaged: bool):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v11.db", path)
    if damaged:
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    (row,) = stores.runs.rows()
    tie, hm = (Duel(0, 0, 0, 1), Duel(0, 0, 1, 0))
    assert [(one.duel, one.outcome) for one in stores.runs.judgements(row.id)] == [(tie, 0.5), (hm, None)]
    (how,) = stores.runs.judged_by(row.id, stores.runs.plan(row.id)).values()
    assert (how.model_name, how.model_quant, how.seed, how.system_prompt) == ("Judge ☕", "Q4_K_M", 1, "Judge.")
    assert (how.sampling, how.running["devices"]) == ({"temperature": 0.0, "seed": 1}, ("CPU",))
    stores.close()


@pytest.mark.parametrize("damaged", [False, True])
def test_what_was_said_side_by_side_is_known_too(tmp_path: Path, damaged: bool):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v12.db", path)
    if damaged:
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    found = stores.comparison.exchanges()
    assert [(spot, one.question, one.text, one.state) for spot, one in found.items()] == [
        ((0, 0), "Wer? 🐳", "Ein Wal.", MessageState.DONE),
        ((1, 0), "Wer? 🐳", "Ein", MessageState.INTERRUPTED),
    ]
    first, second = found.values()
    assert first.provenance is not None
    assert (first.provenance.model_name, first.provenance.seed, first.token_ids) == ("Starter", 42, (1, 70_000))
    assert (second.provenance, second.token_ids) == (None, ())
    assert stores.comparison.columns()["draft"] == "Und"
    stores.close()

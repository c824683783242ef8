"""The prompt that is open in the library: nothing that was written is lost, whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.bundled_prompts import read_bundled_prompts
from app.hub.catalog import read_catalog
from app.paths import find_paths
from app.services.archive import Archive
from app.services.prompt_desk import NEW, PromptDesk, bundled_key, own_key
from app.services.prompt_library import PromptLibrary
from app.storage.stores import Stores, open_stores


class Room:
    """A library over a database of its own, and a desk."""

    def __init__(self, database: Path, qtbot: Any) -> None:
        resources = find_paths().resources_dir
        self.qtbot = qtbot
        self.archive: Archive[Stores] = Archive(lambda: open_stores(database))
        self.library = PromptLibrary(self.archive, read_bundled_prompts(resources, read_catalog(resources).entries))
        self.library.refresh()
        self.desk = PromptDesk(self.library)
        self.wait(lambda: self.library.ready)

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=20_000)

    def settle(self) -> None:
        """Until all that was asked of the disk is done."""
        done: list[bool] = []
        self.archive.ask(lambda stores: True, done.append)
        self.wait(lambda: bool(done))

    def kept(self) -> Any:
        """The drafts on the disk."""
        found: list[Any] = []
        self.archive.ask(lambda stores: stores.state.get("prompt_drafts"), found.append)
        self.wait(lambda: bool(found))
        return found[0]

    def make(self, name: str, *texts: str) -> int:
        with self.qtbot.waitSignal(self.library.made, timeout=20_000) as made:
            self.library.create(name, texts[0])
        prompt_id = int(made.args[0].id)
        for text in texts[1:]:
            with self.qtbot.waitSignal(self.library.version_saved, timeout=20_000):
                self.library.save(prompt_id, text)
        return prompt_id

    def open(self, prompt_id: int) -> None:
        self.desk.open(own_key(prompt_id))
        self.wait(lambda: self.desk.base is not None)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "orcinus.db"


@pytest.fixture
def rooms(database: Path, qtbot: Any) -> Iterator[Callable[[], Room]]:
    """A room; asked again, another one over the same database, as after a restart."""
    made: list[Room] = []

    def close() -> None:
        for room in made:
            room.desk.flush()
            assert room.archive.close(lambda stores: stores.close())
        made.clear()

    def make() -> Room:
        close()
        made.append(Room(database, qtbot))
        return made[-1]

    yield make
    close()


@pytest.fixture
def room(rooms: Callable[[], Room]) -> Room:
    return rooms()


def test_what_is_written_while_it_is_saved_is_an_edit_of_the_new_version(room: Room):
    prompt_id = room.make("A", "one")
    room.open(prompt_id)
    room.desk.write("two")
    saved: list[Any] = []
    room.desk.saved.connect(saved.append)
    room.desk.save()
    room.desk.save()
    room.desk.write("two and more")
    room.wait(lambda: len(room.desk.versions) == 2)
    assert [version.text for version in saved] == ["two"], "once, though asked for twice"
    assert (room.desk.base, room.desk.text, room.desk.is_edited) == (saved[0], "two and more", True)


def test_a_version_that_comes_from_elsewhere_is_shown_unless_something_is_written(room: Room):
    prompt_id = room.make("A", "one")
    room.open(prompt_id)
    first = room.desk.base
    assert first is not None
    room.library.keep_wording("two", first.hash, lambda prompt, version: None)
    room.wait(lambda: room.desk.text == "two")
    room.desk.write("two, edited")
    assert room.desk.base is not None
    room.library.keep_wording("three", room.desk.base.hash, lambda prompt, version: None)
    room.wait(lambda: len(room.desk.versions) == 3)
    assert room.desk.text == "two, edited"
    room.desk.save()
    room.wait(lambda: len(room.desk.versions) == 4)
    assert room.desk.versions[3].parent == room.desk.versions[1].hash


def test_a_deleted_prompt_is_closed_and_comes_back_with_what_was_written(room: Room):
    prompt_id = room.make("A", "one")
    room.open(prompt_id)
    room.desk.write("better")
    room.desk.flush()
    assert list(room.kept().values()) == ["better"]
    room.library.delete(prompt_id)
    assert (room.desk.key, room.desk.text) == ("", "")
    room.settle()
    with room.qtbot.waitSignal(room.library.changed, timeout=20_000):
        room.library.restore(prompt_id)
    room.open(prompt_id)
    assert room.desk.text == "better"


def test_nothing_of_a_deleted_prompt_stays_among_the_drafts(room: Room, rooms: Callable[[], Room]):
    prompt_id = room.make("A", "one")
    room.open(prompt_id)
    room.desk.write("secret")
    room.desk.flush()
    room.library.delete(prompt_id)
    room.wait(lambda: room.kept() == {})
    room.desk.open(NEW)
    room.desk.write("something else")
    room.desk.flush()
    assert room.kept() == {NEW: "something else"}
    again = rooms()
    again.desk.open(NEW)
    again.wait(lambda: again.desk.text == "something else")


def test_what_says_the_same_again_is_no_edit(room: Room):
    prompt_id = room.make("A", "one")
    room.open(prompt_id)
    told: list[bool] = []
    room.desk.edited.connect(told.append)
    for text in ("two", "three", "one", "one"):
        room.desk.write(text)
    assert told == [True, False]
    room.desk.save()
    room.settle()
    assert len(room.desk.versions) == 1


def test_a_bundled_prompt_cannot_be_written_in(room: Room):
    room.desk.open(bundled_key("teacher"))
    text = room.desk.text
    room.desk.write("Mine.")
    room.desk.save()
    room.settle()
    assert (room.desk.text, room.desk.is_edited, room.library.prompts()) == (text, False, ())


@pytest.mark.parametrize("kept", [[1, 2], {"new": 5, "1:x": None}, "text", None])
def test_damaged_drafts_are_left_out(room: Room, rooms: Callable[[], Room], kept: Any):
    room.archive.ask(lambda stores: stores.state.set("prompt_drafts", kept))
    room.settle()
    again = rooms()
    again.desk.open(NEW)
    again.settle()
    assert (again.desk.text, again.desk.is_edited) == ("", False)


def test_one_that_is_gone_is_not_opened(room: Room):
    room.desk.open(own_key(99))
    assert room.desk.key == ""
    room.desk.open(bundled_key("no such"))
    assert room.desk.key == ""

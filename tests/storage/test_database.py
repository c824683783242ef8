"""Writes come to stay together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import StorageError
from app.storage.database import Database
from app.storage.opening import open_database
from app.storage.settings import StateStore


@pytest.fixture
def database(tmp_path: Path):
    opened = open_database(tmp_path / "orcinus.db")
    yield opened
    opened.close()


def test_an_error_inside_a_transaction_takes_all_of_it_back(database: Database):
    state = StateStore(database)
    state.set("kept", 1)

    def half() -> None:
        with database.transaction():
            state.set("kept", 2)
            with database.transaction():
                state.set("other", 2)
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert (state.get("kept"), state.get("other")) == (1, None)
    with database.transaction():
        state.set("other", 3)
    assert state.get("other") == 3


def test_a_transaction_inside_another_belongs_to_it(database: Database):
    state = StateStore(database)
    with database.transaction(), database.transaction():
        state.set("a", 1)
    assert state.get("a") == 1


def test_notices_are_taken_once(database: Database):
    database.tell("Something was mended.")
    database.tell("Something was mended.")
    database.tell("Something else.")
    assert database.take_notices() == ("Something was mended.", "Something else.")
    assert database.take_notices() == ()


def test_a_file_that_another_program_holds_is_told_in_words(database: Database):
    assert database.path is not None
    other = open_database(database.path)
    database.connection.execute("BEGIN IMMEDIATE")
    other.connection.set_busy_timeout(10)
    with pytest.raises(StorageError) as caught:
        StateStore(other).set("a", 1)
    assert "in use" in caught.value.title
    database.connection.execute("ROLLBACK")
    StateStore(other).set("a", 1)
    other.close()

"""Questions that are kept under a name come back as they were, through reopening, upgrades and damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.core.errors import StorageError
from app.core.lab import Check, Question
from app.storage.stores import open_stores

OLD = Path(__file__).parent.parent / "data" / "old_databases"
QUESTIONS = (
    Question("q1", "Where is it? ☕", "Here.", tags=("late",)),
    Question("q2", "When?", system_prompt="You are a clock.", checks=(Check("contains", {"texts": ["noon"]}),)),
)


@pytest.fixture
def stores(tmp_path: Path):
    opened = open_stores(tmp_path / "orcinus.db")
    yield opened
    opened.close()


def test_a_set_is_kept_renamed_changed_and_deleted(stores):
    sets = stores.question_sets
    second = sets.create("Zebra", QUESTIONS)
    first = sets.create("  apples  ", QUESTIONS[:1])
    assert [(one.name, one.count) for one in sets.rows()] == [("apples", 1), ("Zebra", 2)]
    assert sets.questions(second) == QUESTIONS
    sets.replace(first, QUESTIONS)
    sets.rename(first, "Pears\n and more")
    sets.rename(first, "  ")
    assert [(one.name, one.count) for one in sets.rows()] == [("Pears and more", 2), ("Zebra", 2)]
    sets.delete(first)
    assert [one.id for one in sets.rows()] == [second]
    with pytest.raises(StorageError, match="gone"):
        sets.questions(first)


def test_a_set_of_any_text_comes_back_after_a_restart(tmp_path: Path):
    stores = open_stores(tmp_path / "orcinus.db")
    odd = Question("k", 'a\n"b"\\ \x00 \ud800 <|im_end|> ' + "x" * 100_000)
    kept = stores.question_sets.create("", [odd])
    stores.close()
    stores = open_stores(tmp_path / "orcinus.db")
    (row,) = stores.question_sets.rows()
    assert row.name == "Questions"
    (back,) = stores.question_sets.questions(kept)
    assert back.text.startswith('a\n"b"\\ ')
    assert back.text.endswith("x" * 100_000)
    stores.close()


@pytest.mark.parametrize("damaged", [False, True])
def test_sets_of_an_older_database_are_there_even_where_it_is_damaged(tmp_path: Path, damaged: bool):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v6.db", path)
    if damaged:
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    (row,) = stores.question_sets.rows()
    assert (row.name, row.count) == ("Support ☕", 2)
    assert stores.question_sets.questions(row.id) == QUESTIONS
    stores.close()

"""What the person thinks of answers is kept with them, and goes with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.chat import Chat, Mark, Message, MessageState
from app.storage.opening import open_database
from app.storage.stores import Stores, open_stores


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orcinus.db"


@pytest.fixture
def stores(path: Path):
    opened = open_stores(path)
    yield opened
    opened.close()


def answered(stores: Stores, text: str = "Because.") -> tuple[Chat, Message]:
    chat = stores.chats.create("starter", title="Why")
    _, reply = stores.chats.add_turn(chat.id, None, "Why?")
    return chat, stores.chats.finish(reply.id, MessageState.DONE, text)


def marks(stores: Stores, chat: Chat) -> list[Mark | None]:
    return [message.mark for message in stores.chats.messages(chat.id)]


def test_a_mark_is_set_changed_and_taken_back(stores: Stores):
    chat, reply = answered(stores)
    assert marks(stores, chat) == [None, None]
    stores.marks.set(reply.id, Mark.GOOD)
    assert marks(stores, chat) == [None, Mark.GOOD]
    stores.marks.set(reply.id, Mark.BAD)
    assert marks(stores, chat) == [None, Mark.BAD]
    stores.marks.set(reply.id, None)
    assert marks(stores, chat) == [None, None]


def test_a_message_that_is_gone_is_not_marked(stores: Stores):
    stores.marks.set(77, Mark.GOOD)
    assert stores.marks.marked_chats() == []


def test_chats_with_marks_are_found_unless_they_are_in_the_trash(stores: Stores):
    (first, good), (second, bad), (_, _) = answered(stores), answered(stores), answered(stores)
    stores.marks.set(good.id, Mark.GOOD)
    stores.marks.set(bad.id, Mark.BAD)
    assert stores.marks.marked_chats() == [first.id, second.id]
    stores.chats.trash(first.id)
    assert stores.marks.marked_chats() == [second.id]


def test_a_deleted_chat_takes_its_marks_with_it(stores: Stores, path: Path):
    chat, reply = answered(stores)
    stores.marks.set(reply.id, Mark.GOOD)
    stores.chats.purge(chat.id)
    stores.close()
    database = open_database(path)
    assert database.rows("SELECT * FROM mark") == []
    database.close()


def test_an_exported_chat_tells_what_was_thought_of_its_answers(stores: Stores, tmp_path: Path):
    chat, reply = answered(stores)
    stores.marks.set(reply.id, Mark.BAD)
    file = tmp_path / "chat.json"
    stores.export(chat.id, file)
    (exported,) = json.loads(file.read_text("utf-8"))["chats"]
    assert [message["mark"] for message in exported["messages"]] == [None, "bad"]
    file = tmp_path / "chat.md"
    stores.export(chat.id, file)
    assert "## Assistant (marked as bad)\n\nBecause." in file.read_text("utf-8")

"""Chats as Markdown and JSON files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.chat import MessageState, Provenance
from app.core.errors import StorageError
from app.storage.stores import Stores, open_stores


@pytest.fixture
def stores():
    opened = open_stores(None)
    yield opened
    opened.close()


def filled(stores: Stores) -> int:
    chat = stores.chats.create("starter", title="Two\nlines", system_prompt="Be brief.", overrides={"top_k": 5})
    user, reply = stores.chats.add_turn(chat.id, None, "Show me **code**")
    stores.chats.finish(reply.id, MessageState.DONE, "```\nold\n```", (1, 2), Provenance(sampling={"stop": ("a",)}))
    again = stores.chats.add_reply(chat.id, user.id)
    stores.chats.finish(again.id, MessageState.STOPPED, "Ünïcode 🐋")
    return chat.id


def test_markdown_shows_the_path_on_screen(stores: Stores, tmp_path: Path):
    chat_id = filled(stores)
    stores.export(chat_id, tmp_path / "chat.md")
    text = (tmp_path / "chat.md").read_text("utf-8")
    assert text.startswith("# Two lines\n\n*starter, 20")
    assert "## System prompt\n\nBe brief.\n\n## You\n\nShow me **code**\n\n" in text
    assert text.endswith("## Assistant (stopped)\n\nÜnïcode 🐋\n")
    assert "old" not in text


def test_json_holds_every_version_and_how_it_came_about(stores: Stores, tmp_path: Path):
    chat_id = filled(stores)
    stores.export(chat_id, tmp_path / "chat.JSON")
    read = json.loads((tmp_path / "chat.JSON").read_text("utf-8"))
    assert (read["format"], read["version"]) == ("orcinus-chats", 1)
    (chat,) = read["chats"]
    assert (chat["title"], chat["overrides"]) == ("Two\nlines", {"top_k": 5})
    assert [message["text"] for message in chat["messages"]] == ["Show me **code**", "```\nold\n```", "Ünïcode 🐋"]
    assert chat["messages"][1]["token_ids"] == [1, 2]
    assert chat["messages"][1]["provenance"]["sampling"] == {"stop": ["a"]}


def test_all_chats_go_into_one_file_without_the_trash(stores: Stores, tmp_path: Path):
    filled(stores)
    stores.chats.trash(stores.chats.create("starter", title="trashed").id)
    odd_clock = stores.chats.create("starter", title="Odd clock")
    stores._database.run("UPDATE chat SET created_ms = 1 << 60 WHERE id = ?", odd_clock.id)
    for name in ("all.md", "all.json"):
        stores.export(None, tmp_path / name)
        text = (tmp_path / name).read_text("utf-8")
        assert "Odd clock" in text
        assert "trashed" not in text


def test_a_place_that_cannot_be_written_is_told(stores: Stores, tmp_path: Path):
    chat_id = filled(stores)
    with pytest.raises(StorageError) as caught:
        stores.export(chat_id, tmp_path / "missing" / "chat.md")
    assert caught.value.hint
    with pytest.raises(StorageError):
        stores.export(99, tmp_path / "chat.md")
    assert list(tmp_path.iterdir()) == []

"""Chats as Markdown and JSON files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from app.core.chat import MessageState, Provenance
from app.core.errors import StorageError
from app.storage.replies import provenance_from
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


def test_the_values_of_a_prompts_variables_are_told_with_it(stores: Stores, tmp_path: Path):
    values = {"who": "Ada\nLovelace", "date": "Saturday 21 November 2026", "time": "17:05"}
    chat = stores.chats.create("starter", system_prompt="Teach {{who}} on {{date}}.", variables=values)
    stores.export(chat.id, tmp_path / "chat.md")
    text = (tmp_path / "chat.md").read_text("utf-8")
    told = "- date: Saturday 21 November 2026\n- time: 17:05\n- who: Ada Lovelace\n"
    assert f"## System prompt\n\nTeach {{{{who}}}} on {{{{date}}}}.\n\n{told}" in text
    stores.export(chat.id, tmp_path / "chat.json")
    (kept,) = json.loads((tmp_path / "chat.json").read_text("utf-8"))["chats"]
    assert kept["variables"] == values


def test_markdown_tells_what_made_the_answers_once_for_all_that_are_alike(stores: Stores, tmp_path: Path):
    made = Provenance(
        model_name="tiny_*Q8*", model_path="/m/tiny.gguf", model_size_bytes=5, model_mtime_ns=6, seed=7,
        sampling={"temperature": 0.5, "stop": ()}, stop_reason="end", engine="engine 1",
    )  # fmt: skip
    chat = stores.chats.create("starter", title="Alike")
    leaf = None
    for seed, temperature in ((7, 0.5), (8, 0.5), (9, 1.5)):
        _, reply = stores.chats.add_turn(chat.id, leaf, "Hi?")
        how = dataclasses.replace(made, seed=seed, sampling={"temperature": temperature, "stop": ()})
        stores.chats.finish(reply.id, MessageState.DONE, "Hello.", (), how)
        leaf = reply.id
    stores.model_sums.keep("/m/tiny.gguf", 5, 6, ("ab" * 32,))
    stores.export(chat.id, tmp_path / "chat.md")
    text = (tmp_path / "chat.md").read_text("utf-8")
    assert "Hello.\n\n*tiny\\_\\*Q8\\* · sha256 ababab…abab · seed 8 · temp 0.5*\n\n## You" in text
    head, _, rest = text.partition("## What made these answers\n\n")
    assert "tiny.gguf" not in head
    assert "- File: `tiny.gguf`" in rest
    assert "/m/" not in text, "folders may name a person"
    first, _, second = rest.partition("Answer 3:")
    assert first.startswith("Answers 1, 2:\n\n**Model**\n\n- Name: `tiny_*Q8*`\n")
    assert [part.count("ab" * 32) for part in (first, second)] == [1, 1]
    assert "- Temperature: `0.5`" in first
    assert "- Temperature: `1.5`" in second
    read = stores.chats.messages(chat.id)
    stores.export(chat.id, tmp_path / "chat.json")
    told = json.loads((tmp_path / "chat.json").read_text("utf-8"))["chats"][0]["messages"]
    assert [provenance_from(one["provenance"]) for one in told[1::2]] == [one.provenance for one in read[1::2]]


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

"""Chats as Markdown and JSON files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from app.core.chat import MessageState, Provenance
from app.core.errors import StorageError
from app.core.made_by import handed_on
from app.core.prompts import BundledPrompt, version_of
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


MADE = Provenance(
    model_name="tiny_*Q8*", model_path="/home/ada/tiny.gguf", model_size_bytes=5, model_mtime_ns=6, seed=7,
    system_prompt="Be brief.", sampling={"temperature": 0.5, "stop": ()}, stop_reason="end", engine="engine 1",
    prompt_tokens=40, cached_tokens=30, completion_tokens=12, ttft_ms=310.0, tokens_per_s=24.0, duration_ms=500.0,
    made_ms=1_795_254_000_000,
)  # fmt: skip


def answered(stores: Stores, *how: Provenance | None, **chat: str) -> int:
    """A chat with so many answers."""
    made = stores.chats.create("/home/ada/tiny.gguf", **chat)
    leaf = None
    for one in how:
        _, reply = stores.chats.add_turn(made.id, leaf, "Hi?")
        state = MessageState.STOPPED if one and one.stop_reason == "stopped" else MessageState.DONE
        stores.chats.finish(reply.id, state, "Hello.", (), one)
        leaf = reply.id
    return made.id


def markdown(stores: Stores, tmp_path: Path, chat_id: int) -> str:
    stores.export(chat_id, tmp_path / "chat.md")
    return (tmp_path / "chat.md").read_text("utf-8")


def test_markdown_tells_below_each_answer_what_is_its_own_and_at_the_end_what_all_share(stores: Stores, tmp_path: Path):
    stopped = dataclasses.replace(MADE, seed=8, stop_reason="stopped", completion_tokens=3)
    hotter = dataclasses.replace(MADE, seed=9, sampling={"temperature": 1.5, "stop": ()})
    chat_id = answered(stores, MADE, stopped, hotter, title="Alike", system_prompt="Be brief.")
    stores.model_sums.keep("/home/ada/tiny.gguf", 5, 6, ("ab" * 32,))
    text = markdown(stores, tmp_path, chat_id)
    took = (
        "prompt 40 tokens, 30 read before · answer {} tokens · first token after 0.31 s · speed 24.0 tokens per second"
        " · time 0.50 s · ended by {} · made 21 Nov 2026, 09:40 UTC"
    )
    first, second = took.format(12, "the model itself"), took.format(3, "the person")
    assert (
        f"Hello.\n\n*Answer 1 · tiny\\_\\*Q8\\* · sha256 ababab…abab · seed 7 · temp 0.5 · {first}*\n\n## You" in text
    )
    assert f"## Assistant (stopped)\n\nHello.\n\n*Answer 2 · seed 8 · {second}*\n\n## You" in text
    assert f"Hello.\n\n*Answer 3 · temperature 1.5 · seed 9 · {first}*\n\n## What made these answers\n\n" in text
    told = text.partition("## What made these answers\n\n")[2]
    assert told == (
        "**Model**\n\n- Name: `tiny_*Q8*`\n- File: `tiny.gguf`\n- Size: `5 bytes`\n- SHA-256: `" + "ab" * 32 + "`\n\n"
        "**Sampler**\n\n- Stop strings: `none`\n\n**Computed by**\n\n- Engine: `engine 1`\n\n"
        "### Answers 1, 2\n\n**Sampler**\n\n- Temperature: `0.5`\n\n"
        "### Answer 3\n\n**Sampler**\n\n- Temperature: `1.5`\n"
    )


def test_a_system_prompt_that_is_not_the_chats_any_more_is_told_with_its_answers(stores: Stores, tmp_path: Path):
    wordy = dataclasses.replace(MADE, system_prompt="Be wordy,\n\nplease, Ada.")
    ada = dataclasses.replace(MADE, system_prompt="Be brief, Ada.")
    chat = {"system_prompt": "Be brief, {{who}}.", "variables": {"who": "Ada"}}
    text = markdown(stores, tmp_path, answered(stores, wordy, ada, ada, **chat))
    assert "*Answer 2 · another system prompt · seed 7 · prompt 40 tokens" in text
    assert "*Answer 3 · seed 7 · prompt 40 tokens" in text
    assert "\n### Answer 1\n\n**System prompt**\n\n> Be wordy,\n>\n> please, Ada.\n" in text
    assert "> Be brief" not in text, "it is to be read above"


def test_a_prompts_version_is_told_by_name_and_hash(stores: Stores, tmp_path: Path):
    prompt = stores.prompts.create("Support desk", "One.")
    second = stores.prompts.save(prompt.id, "Two.")
    plain = BundledPrompt("plain", "Plain words", version_of("Be plain."))
    versions = ((second.hash, "Two."), (second.hash, "Two!"), (plain.version.hash, "Be plain."), ("c" * 64, "Gone."))
    how = [dataclasses.replace(MADE, prompt_version=version, system_prompt=text) for version, text in versions]
    chat_id = answered(stores, *how)
    stores.export(chat_id, tmp_path / "chat.md", {plain.version.hash: plain})
    text = (tmp_path / "chat.md").read_text("utf-8")
    told = [line for line in text.splitlines() if line.startswith("- Version: ")]
    assert told == [
        f"- Version: `Support desk, version 2 ({second.hash})`",
        f"- Version: `Support desk, version 2, edited since ({second.hash})`",
        f"- Version: `Plain words ({plain.version.hash})`",
        f"- Version: `{'c' * 64}`",
    ]


def test_one_answer_is_not_numbered_and_one_of_which_nothing_was_kept_is_said_to_be(stores: Stores, tmp_path: Path):
    text = markdown(stores, tmp_path, answered(stores, MADE, system_prompt="Be brief."))
    assert "Hello.\n\n*tiny\\_" in text
    assert "## What made this answer\n" in text
    assert "###" not in text
    text = markdown(stores, tmp_path, answered(stores, MADE, None, MADE, MADE, MADE, system_prompt="Be brief."))
    assert text.count("###") == 1
    assert text.endswith("### Answer 2\n\nWhat made this was not kept.\n")


def test_code_that_was_cut_off_does_not_take_in_the_rest_of_the_chat(stores: Stores, tmp_path: Path):
    chat = stores.chats.create("starter")
    _, reply = stores.chats.add_turn(chat.id, None, "Code?")
    stores.chats.finish(reply.id, MessageState.STOPPED, "Here:\n```python\nprint(", (), MADE)
    assert "```python\nprint(\n```\n\n*tiny" in markdown(stores, tmp_path, chat.id)


def test_no_export_of_a_chat_names_a_folder(stores: Stores, tmp_path: Path):
    failed = dataclasses.replace(MADE, error="/home/ada/tiny.gguf is gone.", stop_reason="")
    chat_id = answered(stores, MADE, failed)
    stores.export(chat_id, tmp_path / "chat.json")
    raw = (tmp_path / "chat.json").read_text("utf-8")
    for text in (raw, markdown(stores, tmp_path, chat_id)):
        assert "ada" not in text
        assert "tiny.gguf is gone." in text
    (chat,) = json.loads(raw)["chats"]
    assert chat["model_id"] == "tiny.gguf"
    given = [provenance_from(one["provenance"]) for one in chat["messages"][1::2]]
    assert given == [handed_on(one.provenance) for one in stores.chats.messages(chat_id)[1::2]]


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

"""A chat that outgrows the context, with the real model and a small one: what the person chose is what happens."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise

import pytest

from app.core.context import Cut
from app.core.overflow import Overflow, WhenFull
from app.core.role import Role
from app.services.reply_job import kept_of
from tests.services.filling import LONG, OLD, ROOM, agrees, cut_of, fill


@pytest.mark.parametrize("choice", [WhenFull.DROP_OLDEST, WhenFull.FIRST_AND_LATEST])
def test_meter_lines_and_engine_agree_at_every_turn(start, choice):
    services, chat = start(choice)
    cuts = []
    for number in range(10):
        services.say(chat, f"{LONG}That was number {number}.")
        agrees(services, chat)
        cuts.append(cut_of(chat))
    assert cuts[-1].head == (2 if choice is WhenFull.FIRST_AND_LATEST else 0)
    steps = [now for before, now in pairwise(cuts) if now != before]
    assert 2 <= len(steps) <= 6, "several turns at once, then none for a while"
    assert all(now.end - before.end >= 4 for before, now in pairwise(steps))


def test_the_line_stands_while_the_reply_still_grows(start):
    services, chat = start()
    fill(services, chat, lambda chat: chat.usage.used_tokens > ROOM - 40)
    seen = []
    chat.markers_changed.connect(lambda: seen.append((chat.busy, chat.markers(), chat.usage.used_tokens)))
    fill(services, chat)
    busy, marks, used = seen[-1]
    assert busy
    assert used == chat.path()[-1].provenance.prompt_tokens, "the meter knows before the first word"
    assert marks == chat.markers()
    assert marks[-1].kind == "context"


def test_the_first_exchange_is_sent_and_the_middle_is_marked(start):
    services, chat = start(WhenFull.FIRST_AND_LATEST)
    services.say(chat, "My name is Zorvik.")
    fill(services, chat)
    above, below = (mark for mark in chat.markers() if mark.kind != "system_prompt")
    assert "Not sent" in above.text
    assert above.before_id == chat.path()[2].id
    assert "Everything below" in below.text
    assert "Zorvik" in services.say(chat, "What is my name?")


def test_regenerating_and_editing_keep_to_the_same_cut(start):
    services, chat = start()
    fill(services, chat)
    services.say(chat, "What is 3 + 4?")
    cut, last = cut_of(chat), chat.path()[-1]
    chat.regenerate(last.id)
    services.wait(lambda: not chat.busy)
    assert cut_of(chat) == cut
    chat.edit(chat.path()[-2].id, "What is the capital of Italy?")
    services.wait(lambda: not chat.busy)
    assert cut_of(chat) == cut
    assert "Rome" in chat.path()[-1].text
    agrees(services, chat)


def test_a_restart_changes_nothing_of_what_is_left_out(start, build):
    services, chat = start()
    fill(services, chat)
    chat_id, cut, marks = chat.chat.id, cut_of(chat), chat.markers()
    build.close(services)
    services = build()
    chat = services.reopen(chat_id)
    assert (cut_of(chat), chat.markers()) == (cut, marks)
    services.say(chat, "What is 3 + 4?")
    assert cut_of(chat) == cut
    agrees(services, chat)


def test_a_larger_context_brings_back_what_was_left_out(start):
    services, chat = start()
    fill(services, chat)
    services.preferences.set_for_model("starter", "context_tokens", 1024)
    services.say(chat, "What is 3 + 4?")
    assert cut_of(chat) == Cut()
    assert [mark for mark in chat.markers() if mark.kind != "system_prompt"] == []


def test_a_smaller_context_leaves_out_more_and_the_meter_tells_before(start):
    services, chat = start(context=1024)
    chat.set_override("max_tokens", 64)
    fill(services, chat, lambda chat: chat.usage.used_tokens > 600)
    services.preferences.set_for_model("starter", "context_tokens", 256)
    services.models.prepare("starter")
    services.wait(lambda: chat.usage.context_tokens == 256 and chat.usage.exact)
    assert chat.usage.used_tokens > 256
    services.say(chat, "What is 3 + 4?")
    assert cut_of(chat).dropped
    services.wait(lambda: chat.usage.used_tokens <= 256)


def test_a_reply_tells_what_was_dropped_moved_and_read(start):
    services, chat = start()
    fill(services, chat)
    how = chat.path()[-1].provenance
    assert how.dropped_turns == cut_of(chat).dropped
    assert how.moved_tokens > 50
    assert how.moved_tokens <= how.cached_tokens < how.prompt_tokens
    services.say(chat, "What is 3 + 4?")
    after = chat.path()[-1].provenance
    assert (after.dropped_turns, after.moved_tokens) == (0, 0)


def test_with_moving_off_nothing_is_moved(start):
    services, chat = start()
    chat.set_override("move_kept", False)
    fill(services, chat)
    how = chat.path()[-1].provenance
    assert how.dropped_turns
    assert how.moved_tokens == 0
    assert how.cached_tokens < how.prompt_tokens - 50


def test_the_choice_is_kept_with_the_chat_over_that_of_its_model(start, build):
    services, chat = start()
    services.say(chat, "Hello")
    chat.set_override("when_full", WhenFull.FIRST_AND_LATEST.value)
    chat.set_override("move_kept", False)
    chat_id = chat.chat.id
    build.close(services)
    services = build()
    chat = services.reopen(chat_id)
    assert chat.overflow() == Overflow("first_and_latest", False)
    services.preferences.set_for_model("starter", "when_full", "ask")
    assert services.chat().overflow().asks
    assert chat.overflow().when_full == "first_and_latest"
    chat.clear_override("when_full")
    assert chat.overflow().asks


@pytest.mark.parametrize("name", sorted(file.name for file in OLD.glob("*.db")))
def test_chats_of_every_older_version_drop_the_oldest_until_another_choice_is_made(build, tmp_path, name):
    shutil.copy(OLD / name, tmp_path / "orcinus.db")
    services = build()
    chat_id = next(row.id for row in services.library.chats() if row.title == "Namen")
    chat = services.reopen(chat_id)
    assert chat.overflow() == Overflow()
    assert kept_of(chat.path()) is None or cut_of(chat) == Cut()
    chat.set_override("when_full", WhenFull.ASK.value)
    build.close(services)
    chat = build().reopen(chat_id)
    assert chat.overflow().asks
    assert chat.chat.overrides["top_k"] == 5


def test_an_export_tells_the_choice_and_what_was_left_out(start, tmp_path):
    services, chat = start()
    chat.set_override("when_full", WhenFull.FIRST_AND_LATEST.value)
    fill(services, chat)
    written: list[str] = []
    services.library.exported.connect(written.append)
    services.library.export_chat(chat.chat.id, str(tmp_path / "chat.json"))
    services.wait(lambda: bool(written))
    (exported,) = json.loads((tmp_path / "chat.json").read_text("utf-8"))["chats"]
    assert exported["overrides"]["when_full"] == "first_and_latest"
    how = exported["messages"][-1]["provenance"]
    assert how["left_out_from_id"] == chat.path()[2].id
    assert how["first_sent_id"] == chat.path()[cut_of(chat).end].id
    assert chat.path()[cut_of(chat).end].role is Role.USER

"""A chat that outgrows the context, with the real model and a small one: what the person chose is what happens."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from app.core.chat import MessageState, Role
from app.core.context import Cut
from app.core.overflow import Overflow, WhenFull
from app.services.full_context import bigger_context
from app.services.reply_job import kept_of, turns_of

OLD = Path(__file__).parent.parent / "data" / "old_databases"
CONTEXT = 512
LONG = "Please remember that the colour of the boat is green and that the lamp is small. " * 2
ROOM = CONTEXT - CONTEXT // 4


@pytest.fixture
def start(build):
    """Services whose starter has a small context, and a chat with this choice."""

    def started(when_full: WhenFull = WhenFull.DROP_OLDEST, context: int = CONTEXT):
        services = build()
        services.preferences.set_for_model("starter", "context_tokens", context)
        services.preferences.set_for_model("starter", "when_full", when_full.value)
        chat = services.chat()
        return services, chat

    return started


def engine_of(services):
    return services.models.room.loaded(services.models.spec("starter"))


def cut_of(chat) -> Cut:
    kept = kept_of(chat.path())
    return kept.cut if kept is not None else Cut()


def fill(services, chat, until=lambda chat: cut_of(chat).dropped, limit=40) -> int:
    """Say something until turns are left out; how many questions that took."""
    for number in range(limit):
        services.say(chat, f"{LONG}That was number {number}.")
        if until(chat):
            return number + 1
    raise AssertionError("the context never filled up")


def agrees(services, chat) -> None:
    """The meter, the lines and the engine tell the same."""
    cut = cut_of(chat)
    turns = turns_of(chat.path(), chat.chat.system_prompt)
    system = 1 if chat.chat.system_prompt else 0
    sent = [*turns[: system + cut.head], *turns[system + cut.end :]]
    engine = engine_of(services)
    used = len(engine.render(sent, reply=False).tokens)
    services.wait(lambda: chat.usage.exact and chat.usage.used_tokens == used)
    how = chat.path()[-1].provenance
    assert len(engine.render(sent[:-1]).tokens) == how.prompt_tokens <= ROOM
    lines = [mark for mark in chat.markers() if mark.kind != "system_prompt"]
    wanted = [chat.path()[cut.end].id] if cut.dropped else []
    if cut.head:
        wanted.insert(0, chat.path()[cut.head].id)
    assert [mark.before_id for mark in lines] == wanted


# --- dropping -------------------------------------------------------------------------------------------------------


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


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(start):
    """A chat whose next message was not sent: the services, the chat, that message, and what came back."""
    services, chat = start(WhenFull.ASK)
    returned: list[str] = []
    chat.text_returned.connect(returned.append)
    before = fill(services, chat, lambda _chat: bool(returned))
    assert len(chat.path()) == 2 * (before - 1), "neither the question nor an empty reply stays behind"
    return services, chat, returned[0]


def act(services, words: str) -> None:
    """Press a button of the newest notice."""
    actions = dict(services.notices[-1].actions)
    next(action for label, action in actions.items() if label.startswith(words))()


def test_stop_and_ask_sends_nothing_and_offers_three_ways(asked):
    services, chat, text = asked
    notice = services.notices[-1]
    assert notice.title == "The context is full"
    assert f"{CONTEXT:,}" in notice.detail
    assert [label for label, _ in notice.actions] == [
        "Drop the oldest this time",
        "Load with 1,024 tokens",
        "Put it into a new chat",
    ]
    assert chat.draft == text
    assert not chat.busy
    assert len(services.loads) == 1, "the model stays loaded"


def test_what_was_not_sent_is_there_after_a_restart(asked, build):
    services, chat, text = asked
    chat_id, path = chat.chat.id, [message.text for message in chat.path()]
    build.close(services)
    again = build().reopen(chat_id)
    assert again.draft == text
    assert [message.text for message in again.path()] == path


def test_dropping_this_time_sends_the_message_and_asks_again_when_it_overflows_again(asked):
    services, chat, text = asked
    act(services, "Drop")
    services.wait(lambda: not chat.busy and chat.path()[-2].text == text)
    assert cut_of(chat).dropped
    assert chat.draft == ""
    agrees(services, chat)
    told = len(services.notices)
    services.say(chat, "What is 3 + 4?")
    assert len(services.notices) == told, "what the person let go of is not asked about at every turn"
    fill(services, chat, lambda _chat: len(services.notices) > told)
    assert services.notices[-1].title == "The context is full"


def test_what_the_person_made_of_the_message_meanwhile_is_what_is_sent(asked):
    services, chat, _text = asked
    chat.set_draft("What is 3 + 4?")
    act(services, "Drop")
    services.wait(lambda: not chat.busy and len(chat.path()) > 1)
    assert chat.path()[-2].text == "What is 3 + 4?"


def test_a_larger_context_is_loaded_and_the_message_sent_whole(asked):
    services, chat, text = asked
    act(services, "Load with")
    services.wait(lambda: not chat.busy and chat.path()[-2].text == text)
    assert services.loads[-1][1].context_tokens == 1024
    assert cut_of(chat) == Cut()
    assert chat.path()[-1].state is MessageState.DONE


def test_a_new_chat_can_be_begun_with_the_message(asked):
    services, chat, text = asked
    chat.set_system_prompt("Answer in capital letters.")
    begun = []
    chat.new_chat_wanted.connect(lambda old, words: begun.append(services.library.new_chat_like(old, words)))
    act(services, "Put it")
    (new,) = begun
    assert new is not chat
    assert (new.draft, chat.draft) == (text, "")
    assert new.chat.system_prompt == "Answer in capital letters."
    assert new.overflow().asks
    assert new.chat.overrides == chat.chat.overrides


def takes_more_than_there_is(services, chat) -> None:
    """Make the system prompt so long that the turns which were sent last no longer fit."""
    more, engine = "", engine_of(services)
    while chat.path()[-1].provenance.prompt_tokens + engine.count(more) <= ROOM + 8:
        more += " Be kind."
    chat.set_system_prompt(chat.chat.system_prompt + more)


def test_regenerating_asks_too_and_keeps_the_answer_there_is(start):
    services, chat = start()
    fill(services, chat)
    chat.set_override("when_full", WhenFull.ASK.value)
    takes_more_than_there_is(services, chat)
    before = [(message.id, message.text) for message in chat.path()]
    chat.regenerate(chat.path()[-1].id)
    services.wait(lambda: not chat.busy)
    assert [(message.id, message.text) for message in chat.path()] == before
    assert chat.draft == ""
    act(services, "Drop")
    services.wait(lambda: not chat.busy)
    assert chat.path()[-1].id != before[-1][0]
    assert cut_of(chat).dropped


def test_a_reply_that_cannot_go_on_without_dropping_stays_as_it_was(start):
    services, chat = start()
    fill(services, chat)
    chat.set_override("max_tokens", 4)
    services.say(chat, "Write a list of fruits.")
    before = chat.path()[-1]
    assert before.provenance.stop_reason == "length"
    chat.set_override("max_tokens", CONTEXT // 4)
    chat.set_override("when_full", WhenFull.ASK.value)
    takes_more_than_there_is(services, chat)
    chat.continue_reply(before.id)
    services.wait(lambda: not chat.busy)
    assert chat.path()[-1] == before
    chat_id = chat.chat.id
    found = services.ask(lambda stores: stores.chats.messages(chat_id))[-1]
    assert (found.text, found.state, found.token_ids) == (before.text, before.state, before.token_ids)
    act(services, "Drop")
    services.wait(lambda: not chat.busy)
    assert chat.path()[-1].text.startswith(before.text)
    assert len(chat.path()[-1].text) > len(before.text)


def test_a_chat_in_the_background_keeps_what_was_not_sent(start):
    """Nobody shows it: there is no composer that could hold the text."""
    services, chat = start(WhenFull.ASK)
    fill(services, chat, lambda _chat: bool(services.notices))
    assert chat.draft.startswith(LONG)
    assert chat.draft.count(LONG) == 1


def test_the_context_grows_by_doubling_as_far_as_the_model_was_trained(starter):
    class Facts:
        n_ctx, n_ctx_train = 512, 3000

    assert bigger_context(Facts, 400) == 1024
    assert bigger_context(Facts, 900) == 2048
    assert bigger_context(Facts, 2000) == 3000
    assert bigger_context(Facts, 2900) == 0, "no context of this model would do"
    assert bigger_context(None, 400) == 0


# --- refusing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", WhenFull)
def test_a_message_too_long_for_any_dropping_is_refused_with_its_count(start, choice):
    services, chat = start(choice)
    services.say(chat, "My name is Ada.")
    returned: list[str] = []
    chat.text_returned.connect(returned.append)
    long = LONG * 40
    chat.send(long)
    services.wait(lambda: bool(returned))
    notice = services.notices[-1]
    assert notice.title == "This message is too long for the model"
    tokens = engine_of(services).count(long)
    told = int(notice.detail.split(" takes ")[1].split(" tokens")[0].replace(",", ""))
    assert tokens <= told <= tokens + 80
    assert chat.draft == long.strip()
    assert len(chat.path()) == 2
    assert len(services.loads) == 1
    assert "Ada" in services.say(chat, "What is my name?")


def test_a_system_prompt_that_is_too_long_is_refused_with_its_count(start):
    services, chat = start()
    chat.set_system_prompt(LONG * 40)
    chat.send("Hello")
    services.wait(lambda: bool(services.notices) and not chat.busy)
    assert services.notices[-1].title == "The system prompt is too long for the model"
    assert f"{CONTEXT:,}" in services.notices[-1].detail
    assert chat.draft == "Hello"
    assert chat.path() == []
    chat.set_system_prompt("Be brief.")
    assert services.say(chat, "Hello")


# --- kept -----------------------------------------------------------------------------------------------------------


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
    services.library.export_chat(chat.chat.id, str(tmp_path / "chat.json"))
    services.ask(lambda _stores: None)
    (exported,) = json.loads((tmp_path / "chat.json").read_text("utf-8"))["chats"]
    assert exported["overrides"]["when_full"] == "first_and_latest"
    how = exported["messages"][-1]["provenance"]
    assert how["left_out_from_id"] == chat.path()[2].id
    assert how["first_sent_id"] == chat.path()[cut_of(chat).end].id
    assert chat.path()[cut_of(chat).end].role is Role.USER

"""Where the context is full and the person wants to be asked: nothing is sent, nothing lost, three ways on."""

from __future__ import annotations

import pytest

from app.core.chat import MessageState
from app.core.context import Cut
from app.core.overflow import WhenFull
from app.services.full_context import bigger_context
from tests.services.filling import CONTEXT, LONG, ROOM, agrees, cut_of, engine_of, fill


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

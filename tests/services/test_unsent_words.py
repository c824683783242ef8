"""What a person wrote and what cannot be sent, or not yet: it stays where it is, and Stop is heard at any time."""

from __future__ import annotations

import threading

import pytest

from app.core.chat import MessageState
from app.engine.scripted import Script

SLOW = Script(replies=("word " * 2000,), tokens_per_s=100)


@pytest.fixture
def held_disk(build):
    """Services whose disk does nothing more until the event is set."""
    services, go = build(Script()), threading.Event()
    services.archive.ask(lambda _stores: go.wait(300))
    yield services, go
    go.set()


def test_an_edit_while_a_reply_is_made_is_not_taken_and_the_reason_told(build):
    services = build(SLOW)
    chat = services.chat()
    chat.send("Go on")
    services.wait(lambda: len(chat.path()) == 2)
    question = chat.path()[0]
    assert not chat.edit(question.id, "Something else")
    notice = services.notices[-1]
    assert notice.title == "A reply is still being written"
    dict(notice.actions)["Stop the reply"]()
    services.wait(lambda: not chat.busy)
    assert chat.edit(question.id, "Something else")
    services.wait(lambda: chat.path()[0].text == "Something else")
    chat.stop()
    services.wait(lambda: not chat.busy)


def test_an_edit_too_long_for_any_model_is_not_taken_and_not_put_into_the_composer(build):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "Hello")
    chat.set_draft("half a thou")
    assert not chat.edit(chat.path()[0].id, "x" * 10_000_000)
    assert "10,000,000" in services.notices[-1].title
    assert chat.draft == "half a thou"


def test_stop_while_the_turn_is_being_saved_ends_the_reply_at_its_start(held_disk):
    services, go = held_disk
    chat = services.chat()
    assert chat.send("Hello")
    chat.stop()
    assert chat.busy, "the question is kept first"
    go.set()
    services.wait(lambda: not chat.busy)
    assert [message.text for message in chat.path()] == ["Hello", ""]
    assert chat.path()[-1].state is MessageState.STOPPED
    assert not services.loads, "for this reply no model was needed"
    assert services.say(chat, "Again") == "This is a scripted reply.", "one wish to stop ends one reply"


def test_what_is_typed_while_the_turn_before_is_being_saved_stays(held_disk, build):
    services, go = held_disk
    chat = services.chat()
    chat.set_draft("Hello")
    assert chat.send("Hello")
    assert chat.draft == ""
    chat.set_draft("and then")
    go.set()
    services.wait(lambda: not chat.busy)
    assert chat.draft == "and then"
    chat_id = chat.chat.id
    build.close(services)
    assert build(Script()).reopen(chat_id).draft == "and then"


def test_what_was_not_typed_leaves_what_was(build):
    services = build(Script())
    chat = services.chat()
    chat.set_draft("half a thou")
    assert chat.send("Tell me a story.", typed=False)
    services.wait(lambda: not chat.busy)
    assert chat.draft == "half a thou"
    chat_id = chat.chat.id
    build.close(services)
    assert build(Script()).reopen(chat_id).draft == "half a thou"

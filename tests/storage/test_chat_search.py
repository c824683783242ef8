"""The search field finds chats by words as they are typed, and takes anything."""

from __future__ import annotations

import random
import sys

import pytest

from app.core.chat import MessageState
from app.storage.chats import ChatStore
from app.storage.opening import open_database

TEXTS = {
    "Orcas": ("Where do killer whales live?", "In every ocean, from the Arctic to Antarctica."),
    "Crème brûlée": ("How do I burn sugar?", "With a torch; see `burn_sugar(top)` or 100% -> gold."),
    "旅行": ("京都でおすすめの場所は?", "清水寺と嵐山です。"),
    "Shell": ('What does grep -rn "a\'b" do; DROP TABLE chat;--', "It searches files. NEAR AND OR NOT ("),
}


@pytest.fixture
def chats():
    database = open_database(None)
    store = ChatStore(database)
    for title, (question, answer) in TEXTS.items():
        chat = store.create("starter", title=title)
        _, reply = store.add_turn(chat.id, None, question)
        store.finish(reply.id, MessageState.DONE, answer)
    yield store
    database.close()


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("kill", "Orcas"),
        ("WHALES killer", "Orcas"),
        ("orc", "Orcas"),
        ("antarct", "Orcas"),
        ("creme bru", "Crème brûlée"),
        ("BRÛLÉE", "Crème brûlée"),
        ("burn_sug", "Crème brûlée"),
        ("->", "Crème brûlée"),
        ("100%", "Crème brûlée"),
        ("(top)", "Crème brûlée"),
        ("京都", "旅行"),
        ("嵐", "旅行"),
        ("行", "旅行"),
        ("a'b", "Shell"),
        ("grep -rn", "Shell"),
        ("table chat;--", "Shell"),
        ("NEAR AND OR", "Shell"),
    ],
)
def test_what_is_typed_is_found(chats: ChatStore, typed: str, title: str):
    assert [hit.title for hit in chats.search(typed)] == [title]


@pytest.mark.parametrize("typed", ["", "  ", "hale", "kill xyz", "whales arctic", "_x_", "…", "\\"])
def test_what_is_not_there_is_not_found(chats: ChatStore, typed: str):
    assert [hit.title for hit in chats.search(typed)] == []


def test_a_hit_shows_the_words_around_it_and_where_they_stand(chats: ChatStore):
    (hit,) = chats.search("arctic")
    assert hit.snippet == "In every ocean, from the Arctic to Antarctica."
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["Arctic"]
    assert hit.message_id is not None
    (hit,) = chats.search("清水")
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["清水"]


def test_each_chat_is_found_once_with_titles_first_and_the_newest_message(chats: ChatStore):
    about = chats.create("starter", title="nothing special")
    leaf = None
    newest = 0
    for number in range(5):
        _, reply = chats.add_turn(about.id, leaf, f"orcas again {number}")
        newest = reply.id
        chats.finish(reply.id, MessageState.DONE, "orcas!")
        leaf = reply.id
    hits = chats.search("orcas")
    assert [(hit.title, hit.message_id) for hit in hits] == [("Orcas", None), ("nothing special", newest)]
    assert len(chats.search("o", limit=1)) == 1


def test_a_growing_reply_is_found_once_it_has_ended_and_a_renamed_chat_by_its_new_name_alone(chats: ChatStore):
    chat = chats.create("starter", title="old")
    _, reply = chats.add_turn(chat.id, None, "Tell")
    chats.append_chunk(reply.id, "zebra")
    assert chats.search("zebra") == []
    chats.finish(reply.id, MessageState.STOPPED)
    assert len(chats.search("zebra")) == 1
    chats.rename(chat.id, "new")
    assert chats.search("old") == []
    assert len(chats.search("new")) == 1


def test_nothing_that_can_be_typed_raises(chats: ChatStore):
    rng = random.Random(7)
    signs = "\"'()*:^-+{}[]\\%_?;\x00\x01\x02\t\n ΑÄ京" + "NOTANDORNEARab1" + "\ud800\udfff\u200d\u0301\ufeff\U0001f433"
    for _ in range(1500):
        chats.search("".join(rng.choices(signs, k=rng.randrange(1, 9))))
    for _ in range(1500):
        chats.search("".join(chr(rng.randrange(sys.maxunicode + 1)) for _ in range(rng.randrange(1, 5))))
    chats.search("a " * 2000)
    chats.search("x" * 100_000)
    chats.search("京" * 100_000)

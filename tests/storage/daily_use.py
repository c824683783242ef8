"""What a person does in an evening, as calls on the stores, with a note of each thing that is promised to be kept."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from app.core.chat import MessageState, Provenance
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.settings import SettingsStore

Promise = Callable[[Any, Any], None]


def use(database: Database, promise: Promise, rng: random.Random, turns: int) -> None:
    """Chat for some turns. `promise(key, value)` is called after each call that has returned.

    Keys: ("message", id) with the text so far, ("title", chat_id), ("setting", key), ("gone", chat_id).
    """
    chats, settings = ChatStore(database), SettingsStore(database)
    chat_id = chats.create("starter", title="first").id
    leaf = None
    for turn in range(turns):
        if rng.random() < 0.15:
            chat_id, leaf = chats.create("starter", title=f"chat {turn}").id, None
            promise(("title", chat_id), f"chat {turn}")
        question = f"question {turn} " + "word " * rng.randrange(200)
        user, reply = chats.add_turn(chat_id, leaf, question)
        promise(("message", user.id), question)
        text = _stream(chats, promise, reply.id, rng)
        state = rng.choice([MessageState.DONE, MessageState.STOPPED])
        chats.finish(reply.id, state, text, tuple(range(len(text) // 4)), Provenance(model_name="m", seed=turn))
        promise(("message", reply.id), text)
        leaf = reply.id
        if rng.random() < 0.2:
            settings.set("app", "text_size", turn)
            promise(("setting", "text_size"), turn)
        if rng.random() < 0.1:
            gone = chats.create("starter", title="gone").id
            chats.add_turn(gone, None, "soon gone " * 50)
            chats.purge(gone)
            promise(("gone", gone), True)


def _stream(chats: ChatStore, promise: Promise, reply_id: int, rng: random.Random) -> str:
    text = ""
    for _ in range(rng.randrange(5)):
        chunk = "answer " * rng.randrange(1, 80)
        chats.append_chunk(reply_id, chunk)
        text += chunk
        promise(("message", reply_id), text)
    return text


def broken_promises(database: Database, promised: dict[Any, Any]) -> list[str]:
    """What was promised and is not there; call it after ChatStore.recover."""
    titles = dict(database.rows("SELECT id, title FROM chat"))
    texts = dict(database.rows("SELECT id, text FROM message"))
    settings = SettingsStore(database).values("app")
    broken = []
    for (kind, key), value in promised.items():
        if kind == "message":
            kept = texts.get(key, "").startswith(value) and key in texts
        elif kind == "title":
            kept = titles.get(key) == value
        elif kind == "setting":
            kept = settings.get(key, -1) >= value
        else:
            kept = key not in titles
        if not kept:
            broken.append(f"{kind} {key}")
    return broken

"""Chats that fill a small context, and how what is left out is told."""

from __future__ import annotations

from pathlib import Path

from app.core.context import Cut
from app.services.reply_job import kept_of, turns_of

OLD = Path(__file__).parent.parent / "data" / "old_databases"
CONTEXT = 512
LONG = "Please remember that the colour of the boat is green and that the lamp is small. " * 2
ROOM = CONTEXT - CONTEXT // 4


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

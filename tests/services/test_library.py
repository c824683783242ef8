"""The list of chats: new ones, search, pins, the trash with its undo, export."""

from __future__ import annotations

import json

from app.engine.scripted import Script


def listed(services) -> list[str]:
    return [row.title for row in services.library.chats()]


def test_an_empty_chat_is_not_kept_and_not_made_twice(build):
    services = build(Script())
    first = services.chat()
    assert services.library.new_chat() is first
    assert listed(services) == []
    assert services.ask(lambda stores: stores.chats.rows()) == []


def test_the_newest_chat_stands_first_and_pinned_ones_before_it(build):
    services = build(Script())
    for title in ("one", "two", "three"):
        services.say(services.chat(), title)
    services.wait(lambda: listed(services) == ["three", "two", "one"])
    services.library.set_pinned(services.library.chats()[2].id, True)
    services.wait(lambda: listed(services) == ["one", "three", "two"])


def test_a_deleted_chat_can_be_brought_back_by_the_notice(build):
    services = build(Script())
    services.say(services.chat(), "Whales")
    services.wait(lambda: listed(services) == ["Whales"])
    services.library.delete(services.library.chats()[0].id)
    assert listed(services) == []
    label, undo = services.notices[-1].actions[0]
    assert label == "Undo"
    undo()
    services.wait(lambda: listed(services) == ["Whales"])


def test_deleting_a_chat_stops_its_reply(build):
    services = build(Script(replies=("word " * 5000,), tokens_per_s=100))
    chat = services.chat()
    chat.send("Go on")
    services.wait(lambda: len(chat.path()) == 2 and bool(services.library.chats()))
    services.library.delete(chat.chat.id)
    services.wait(lambda: not chat.busy)


def test_a_chat_that_was_deleted_since_it_was_found_is_told_and_not_opened(build):
    services = build(Script())
    services.say(services.chat(), "Whales")
    services.wait(lambda: listed(services) == ["Whales"])
    chat_id = services.library.chats()[0].id
    services.library.delete(chat_id)
    assert services.library.session(chat_id) is None, "also while it is still in memory"
    assert services.notices[-1].title == "This chat is gone"
    assert services.library.session(4711) is None
    services.library.restore(chat_id)
    services.wait(lambda: listed(services) == ["Whales"])
    assert services.library.session(chat_id) is not None


def test_search_finds_titles_and_messages_and_survives_odd_queries(build):
    services = build(Script(replies=("Orcas hunt in groups.",)))
    services.say(services.chat(), "Tell me about whales")
    services.wait(lambda: len(services.library.chats()) == 1)
    found: list[tuple] = []
    services.library.found.connect(lambda query, hits: found.append((query, [hit.chat_id for hit in hits])))
    for query in ("whal", "orcas", '"*(', "", "nothing such"):
        services.library.search(query)
    services.wait(lambda: len(found) == 5)
    hits = dict(found)
    chat_id = services.library.chats()[0].id
    assert hits["whal"] == hits["orcas"] == [chat_id]
    assert hits['"*('] == hits[""] == hits["nothing such"] == []


def test_a_chat_is_exported_as_markdown_and_json(build, tmp_path):
    services = build(Script(replies=("An answer.",)))
    chat = services.chat()
    services.say(chat, "A question")
    written: list[str] = []
    services.library.exported.connect(written.append)
    for name in ("chat.md", "chat.json"):
        services.library.export_chat(chat.chat.id, str(tmp_path / name))
    services.wait(lambda: len(written) == 2)
    assert "A question" in (tmp_path / "chat.md").read_text()
    assert json.loads((tmp_path / "chat.json").read_text())["chats"][0]["messages"][1]["text"] == "An answer."


def test_an_export_that_cannot_be_written_is_told(build, tmp_path):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "A question")
    services.library.export_chat(chat.chat.id, str(tmp_path / "no such folder" / "chat.md"))
    services.wait(lambda: any(notice.level == "error" for notice in services.notices))


def test_the_last_chat_and_model_are_remembered(build, tmp_path, starter):
    services = build(Script())
    other = tmp_path / "other.gguf"
    other.write_bytes(b"x")
    services.models.open_file(str(other))
    services.wait(lambda: len(services.models.entries()) == 2)
    chat = services.chat(str(other))
    services.say(chat, "Hello")
    services.library.opened(chat)
    build.close(services)
    again = build(Script())
    assert again.library.last_chat_id() == chat.chat.id
    assert again.library.last_model_id == str(other)
    assert again.library.new_chat().chat.model_id == str(other)


def test_only_the_chats_looked_at_lately_stay_in_memory(build):
    services = build(Script())
    for number in range(12):
        services.say(services.chat(), f"chat {number}")
    services.wait(lambda: len(services.library.chats()) == 12)
    ids = [row.id for row in services.library.chats()]
    last = services.reopen(ids[0])
    last.set_draft("half a thou")
    for chat_id in ids[1:]:
        services.reopen(chat_id)
    assert len(services.library._sessions) == 8
    again = services.reopen(ids[0])
    assert again is not last
    assert again.draft == "half a thou"


def test_a_chat_is_renamed_and_pinned_without_being_opened(build):
    services = build(Script())
    services.say(services.chat(), "Whales")
    chat_id = services.ask(lambda stores: stores.chats.rows())[0].id
    build.close(services)
    services = build(Script())
    services.library.rename(chat_id, " Orcas ")
    services.library.set_pinned(chat_id, True)
    services.wait(lambda: [(row.title, row.pinned) for row in services.library.chats()] == [("Orcas", True)])
    assert not services.library._sessions
    services.library.rename(chat_id, "   ")
    assert services.reopen(chat_id).chat.title == "Orcas"


def test_what_a_model_has_to_say_of_itself_is_told_once(build):
    services = build(Script(name="Odd", notices=("Its template is wrong.", "It has little room.")))
    services.say(services.chat(), "Hello")
    services.wait(lambda: bool(services.notices))
    services.models.unload()
    services.say(services.chat(), "Again")
    assert [(n.title, n.detail, n.level) for n in services.notices] == [
        ("Odd is loaded", "Its template is wrong. It has little room.", "warning")
    ]
    assert len(services.loads) == 2

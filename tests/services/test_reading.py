"""While a prompt is read there is something to see, unless it is read in the blink of an eye."""

from __future__ import annotations

from app.core.chat import MessageState
from app.engine.scripted import Script

SHORT = "one two three four five six seven eight nine ten " * 8


def told_of(chat) -> list[str]:
    """What is said about reading, and each time that nothing is said any more."""
    told: list[str] = []
    chat.progress_changed.connect(
        lambda words: told.append(words) if words.startswith("Reading") or not words else None
    )
    return told


def test_a_short_prompt_that_takes_long_is_told_until_the_reply_begins(build, monkeypatch):
    monkeypatch.setattr("app.services.growing_reply._READING_MS", 50)
    services = build(Script(read_tokens_per_s=50, tokens_per_s=20))
    chat = services.chat()
    said: list[str] = []
    chat.text_added.connect(lambda _id, text: said.append(text))
    told = told_of(chat)
    told_with_words: list[str] = []
    chat.progress_changed.connect(lambda words: told_with_words.append(words) if said and words else None)
    chat.send(SHORT)
    services.wait(lambda: not chat.busy)
    reading = [words for words in told if words]
    assert reading
    assert all("Reading" in words for words in reading)
    assert not told_with_words, "nothing is read any more once the reply is there"
    assert told[-1] == ""


def test_a_prompt_that_is_read_sooner_than_one_looks_is_not_told(build, monkeypatch):
    monkeypatch.setattr("app.services.growing_reply._READING_MS", 600_000)
    services = build(Script())
    chat = services.chat()
    told = told_of(chat)
    services.say(chat, SHORT)
    assert not any(told)


def test_a_reply_that_is_stopped_while_it_is_read_leaves_nothing_behind(build):
    services = build(Script(read_tokens_per_s=20))
    chat = services.chat()
    told = told_of(chat)
    chat.send(SHORT)
    services.wait(lambda: any(told))
    chat.stop()
    services.wait(lambda: not chat.busy)
    assert told[-1] == ""
    assert chat.path()[-1].state is MessageState.STOPPED

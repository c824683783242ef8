"""Variables of a chat's system prompt: filled in as it is sent, the same for as long as the chat lasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from app.core.chat import Provenance
from app.engine.scripted import Script


@pytest.fixture
def services(build: Callable[..., Any]) -> Any:
    return build(Script(replies=("Yes.",)))


def sent(session: Any) -> str:
    """The system prompt that the last answer was made with."""
    how = session.path()[-1].provenance
    assert isinstance(how, Provenance)
    return how.system_prompt


class Clock:
    """Stands in for `datetime` where the time of day is asked for."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self, tz: Any = None) -> datetime:
        return self.moment.astimezone(tz)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(datetime(2026, 11, 21, 17, 5).astimezone())
    monkeypatch.setattr("app.services.open_chat.datetime", clock)
    return clock


def test_a_variable_without_a_value_stops_the_message_and_nothing_is_lost(services: Any):
    session = services.chat()
    session.set_system_prompt("Teach {{learner}} about {{topic=whales}}.")
    returned: list[str] = []
    session.text_returned.connect(returned.append)
    session.set_draft("Hello")
    assert not session.send("Hello"), "it stays where it was written"
    assert (session.busy, session.path(), returned, session.draft) == (False, [], [], "Hello")
    (notice,) = services.notices
    assert (notice.title, notice.level) == ("{{learner}} has no value", "warning")
    wanted: list[bool] = []
    session.values_wanted.connect(lambda: wanted.append(True))
    notice.actions[0][1]()
    assert wanted == [True]
    session.set_variable("learner", "a child")
    assert services.say(session, "Hello") == "Yes."
    assert sent(session) == "Teach a child about whales."
    assert session.chat.system_prompt == "Teach {{learner}} about {{topic=whales}}."
    session.set_variable("learner", None)
    session.regenerate(session.path()[-1].id)
    session.continue_reply(session.path()[-1].id)
    assert not session.edit(session.path()[0].id, "Other words")
    assert not session.busy


def test_values_are_there_again_when_the_chat_is_opened_again(services: Any, build: Any):
    session = services.chat()
    session.set_system_prompt("Teach {{learner}}.")
    session.set_variable("learner", "Zoë\n☕")
    services.say(session, "Hello")
    chat_id = session.chat.id
    build.close(services)
    again = build(Script(replies=("Yes.",))).reopen(chat_id)
    assert again.chat.variables == {"learner": "Zoë\n☕"}
    assert again.filled().text == "Teach Zoë\n☕."


def test_date_and_time_are_those_of_the_first_message_for_as_long_as_the_chat_lasts(services: Any, clock: Clock):
    session = services.chat()
    session.set_system_prompt("It is {{date}}, {{time}}. You are {{model}}.")
    assert "Saturday 21 November 2026, 17:05" in session.filled().text
    clock.moment = clock.moment.replace(hour=18)
    services.say(session, "Hello")
    clock.moment = clock.moment.replace(day=24)
    services.say(session, "Hello again")
    name = services.models.entry(session.chat.model_id).name
    assert sent(session) == f"It is Saturday 21 November 2026, 18:05. You are {name}."
    assert session.markers() == ()
    kept = services.ask(lambda stores: stores.chats.chat(session.chat.id))
    assert kept.variables == {"date": "Saturday 21 November 2026", "time": "18:05"}
    session.forget_moment()
    services.say(session, "And today?")
    assert "Tuesday 24 November 2026" in sent(session)


def test_a_chat_without_date_and_time_keeps_neither(services: Any):
    session = services.chat()
    session.set_system_prompt("You are {{model}}. \\{{time}}")
    services.say(session, "Hello")
    assert session.chat.variables == {}


def test_a_new_chat_like_another_has_its_values_but_its_own_date(services: Any, clock: Clock):
    session = services.chat()
    session.set_system_prompt("{{date}}: teach {{learner}}.")
    session.set_variable("learner", "a child")
    services.say(session, "Hello")
    clock.moment = clock.moment.replace(day=22)
    other = services.library.new_chat_like(session, "Go on")
    assert other.chat.variables == {"learner": "a child"}
    assert other.filled().text == "Sunday 22 November 2026: teach a child."


def test_a_conversation_from_elsewhere_keeps_its_values(services: Any, qtbot: Any):
    session = services.chat()
    services.say(session, "Hello")
    question, answer = session.path()
    chat = dataclasses.replace(session.chat, id=0, system_prompt="Teach {{learner}}.", variables={"learner": "me"})
    with qtbot.waitSignal(services.library.kept, timeout=20_000) as kept:
        services.library.keep_conversation(chat, [(question.text, answer)])
    assert services.reopen(kept.args[0]).filled().text == "Teach me."


def test_what_is_filled_in_is_counted(services: Any, qtbot: Any):
    session = services.chat()
    services.say(session, "Hello")
    session.set_system_prompt("Teach {{learner}}.")
    session.set_variable("learner", "one two three four five six seven eight")
    counts: list[int] = []
    session.prompt_count_changed.connect(counts.append)
    services.wait(lambda: bool(counts))
    assert counts == [10], "each word and the full stop"

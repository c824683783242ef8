"""What of a prompt is decoded after each thing that a person does to a chat: only what differs, counted in tokens."""

from __future__ import annotations

import threading

import pytest

from app.core.chat import MessageState
from app.engine.moving import common_length
from app.services.reply_job import turns_of
from tests.engine.counting import count_decoded

STORY = "Please remember that the colour of the boat is green and that the lamp is small. "


class Reader:
    """A chat with three exchanges behind it, and the count of what is decoded from then on."""

    def __init__(self, services) -> None:
        self.services = services
        services.preferences.set_for_model("starter", "context_tokens", 1024)
        self.chat = services.chat()
        for text in ("My name is Ada.", f"{STORY}What is the capital of France?", "What is 3 + 4?"):
            services.say(self.chat, text)
        self.engine = services.models.room.loaded(services.models.spec("starter"))
        self.held = list(self.engine._decoder.sequence.tokens)

    def read(self, act) -> tuple[int, int]:
        """Do something and wait: how many tokens were decoded to read the prompt, and how many of it are new."""
        counted = count_decoded(self.engine)
        act()
        self.services.wait(lambda: not self.chat.busy)
        how = self.chat.path()[-1].provenance
        wanted = self.engine.render(self._answered()).tokens
        assert how.prompt_tokens == len(wanted)
        # the token that ends a reply is chosen, not decoded; each other one is decoded to choose the next
        decoded = sum(counted()) - how.completion_tokens
        differing = len(wanted) - min(common_length(self.held, list(wanted)), len(wanted) - 1)
        self.held = list(self.engine._decoder.sequence.tokens)
        assert how.cached_tokens == len(wanted) - decoded
        return decoded, differing

    def _answered(self):
        path = self.chat.path()
        turns = turns_of(path, self.chat.chat.system_prompt)
        return turns[:-1]

    def tokens(self, text: str) -> int:
        return self.engine.count(text)


@pytest.fixture
def reader(build) -> Reader:
    return Reader(build())


def test_the_next_question_reads_itself_alone(reader):
    text = "What is my name?"
    decoded, differing = reader.read(lambda: reader.chat.send(text))
    assert decoded == differing <= reader.tokens(text) + 10


def test_another_answer_reads_one_token(reader):
    decoded, differing = reader.read(lambda: reader.chat.regenerate(reader.chat.path()[-1].id))
    assert decoded == differing == 1


def test_a_changed_last_question_reads_what_is_changed_of_it(reader):
    question = reader.chat.path()[-2]
    decoded, differing = reader.read(lambda: reader.chat.edit(question.id, "What is 3 + 5?"))
    assert decoded == differing <= 8


def test_an_earlier_question_that_is_edited_is_read_from_there(reader):
    question = reader.chat.path()[2]
    decoded, differing = reader.read(lambda: reader.chat.edit(question.id, f"{STORY}What is the capital of Italy?"))
    assert decoded == differing <= 12
    assert "Rome" in reader.chat.path()[-1].text


def test_going_back_to_another_branch_reads_from_where_they_part(reader):
    chat = reader.chat
    question = chat.path()[2]
    reader.read(lambda: chat.edit(question.id, f"{STORY}What is the capital of Italy?"))
    chat.show_version(chat.path()[2].id, -1)
    assert len(chat.path()) == 6
    decoded, differing = reader.read(lambda: chat.send("What is my name?"))
    assert decoded == differing
    assert decoded < len(reader.engine.render(turns_of(chat.path()[2:-1], "")).tokens) - reader.tokens(STORY) + 4
    assert "Ada" in chat.path()[-1].text


def test_a_reply_that_goes_on_reads_one_token(reader):
    chat = reader.chat
    chat.set_override("max_tokens", 6)
    reader.services.say(chat, "Write a list of fruits.")
    assert chat.path()[-1].provenance.stop_reason == "length"
    reader.held = list(reader.engine._decoder.sequence.tokens)
    chat.clear_override("max_tokens")
    counted = count_decoded(reader.engine)
    before = chat.path()[-1]
    chat.continue_reply(before.id)
    reader.services.wait(lambda: not chat.busy)
    after = chat.path()[-1]
    assert after.text.startswith(before.text)
    assert len(after.text) > len(before.text)
    assert sum(counted()) - after.provenance.completion_tokens <= 1
    assert after.provenance.cached_tokens >= after.provenance.prompt_tokens - 1


def test_a_reply_that_was_stopped_goes_on_without_reading_it_again(reader):
    chat, decoder = reader.chat, reader.engine._decoder
    decode, calls, stopped = decoder._decode, [], threading.Event()

    def waits_for_stop(*batch):
        calls.append(batch)
        if len(calls) == 6:
            stopped.wait(300)
        return decode(*batch)

    decoder._decode = waits_for_stop
    chat.send("Write a list of fruits.")
    reader.services.wait(lambda: len(calls) == 6)
    chat.stop()
    stopped.set()
    reader.services.wait(lambda: not chat.busy)
    before = chat.path()[-1]
    assert before.state is MessageState.STOPPED
    assert 0 < len(before.token_ids) <= 6
    counted = count_decoded(reader.engine)
    chat.continue_reply(before.id)
    reader.services.wait(lambda: not chat.busy)
    assert sum(counted()) - chat.path()[-1].provenance.completion_tokens <= 1


def test_a_changed_system_prompt_is_read_with_all_behind_it_and_obeyed(reader):
    chat = reader.chat
    chat.set_system_prompt("Answer in capital letters.")
    decoded, differing = reader.read(lambda: chat.send("What is my name?"))
    assert decoded == differing
    how = chat.path()[-1].provenance
    assert how.cached_tokens < 12, "nothing that was read under the old prompt is kept"
    assert how.moved_tokens == 0
    assert chat.path()[-1].text == "YOUR NAME IS ADA."


def test_a_changed_system_prompt_is_used_by_another_answer_too(reader):
    chat = reader.chat
    chat.set_system_prompt("Answer in capital letters.")
    decoded, differing = reader.read(lambda: chat.regenerate(chat.path()[-1].id))
    assert decoded == differing > 100
    assert chat.path()[-1].text == chat.path()[-1].text.upper()


def test_two_chats_that_take_turns_read_each_only_its_own_question(reader):
    services, first = reader.services, reader.chat
    second = services.chat()
    services.say(second, "My name is Bo.")
    for chat, name in ((first, "Ada"), (second, "Bo"), (first, "Ada")):
        counted = count_decoded(reader.engine)
        assert name in services.say(chat, "What is my name?")
        assert sum(counted()) - chat.path()[-1].provenance.completion_tokens <= reader.tokens("What is my name?") + 10

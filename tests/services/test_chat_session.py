"""One conversation: send, stop, regenerate, edit, versions, prompts, and that all of it is still there afterwards."""

from __future__ import annotations

import pytest

from app.core.chat import MessageState
from app.core.errors import ModelFileError
from app.core.role import Role
from app.engine.scripted import Script
from tests.engine.gguf_writer import tiny_model

LONG = " ".join(f"word{number}" for number in range(400))


def texts(session) -> list[str]:
    return [message.text for message in session.path()]


def test_three_turns_with_the_real_model_remember_a_name(build):
    services = build()
    chat = services.chat()
    services.say(chat, "My name is Ada.")
    services.say(chat, "What is the capital of France?")
    assert "Ada" in services.say(chat, "What is my name?")
    assert [message.role for message in chat.path()] == [Role.USER, Role.ASSISTANT] * 3


def test_a_changed_system_prompt_is_used_by_the_very_next_reply_and_marked(build):
    services = build()
    chat = services.chat()
    services.say(chat, "My name is Ada.")
    chat.set_system_prompt("Answer in capital letters.")
    assert chat.markers()[-1].before_id is None, "not used yet: the mark stands at the end"
    reply = services.say(chat, "What is my name?")
    assert reply == reply.upper()
    assert "ADA" in reply
    mark = chat.markers()[-1]
    assert mark.before_id == chat.path()[-2].id
    assert "capital letters" in mark.text


def test_a_new_chat_starts_from_the_models_own_default(build):
    services = build(Script())
    services.preferences.set_model_prompt("starter", "Be brief.")
    assert services.chat().chat.system_prompt == "Be brief."


def test_what_was_said_is_there_after_a_restart_and_the_chat_goes_on(build):
    services = build()
    chat = services.chat()
    services.say(chat, "My name is Ada.")
    chat.set_system_prompt("Answer in capital letters.")
    chat.set_override("top_p", 0.5)
    chat_id = chat.chat.id
    before = texts(chat)
    build.close(services)

    again = build()
    assert [row.id for row in again.library.chats()] == [chat_id]
    chat = again.reopen(chat_id)
    assert texts(chat) == before
    assert chat.chat.system_prompt == "Answer in capital letters."
    assert chat.chat.overrides == {"top_p": 0.5}
    assert "ADA" in again.say(chat, "What is my name?")


def test_stop_keeps_what_had_come(build):
    services = build(Script(replies=(LONG,), tokens_per_s=20))
    chat = services.chat()
    grown: list[str] = []
    chat.text_added.connect(lambda _id, text: grown.append(text))
    chat.send("Go on")
    services.wait(lambda: len("".join(grown)) > 20)
    chat.stop()
    services.wait(lambda: not chat.busy)
    reply = chat.path()[-1]
    assert reply.state is MessageState.STOPPED
    assert reply.text == "".join(grown)
    assert LONG.startswith(reply.text)
    assert reply.provenance is not None
    assert reply.provenance.stop_reason == "stopped"


def test_stop_while_the_model_loads_ends_at_once(build):
    services = build(Script(load_s=600))
    chat = services.chat()
    chat.send("Hello")
    services.wait(lambda: services.models.state("starter").kind == "loading")
    chat.stop()
    services.wait(lambda: not chat.busy)
    assert chat.path()[-1].state is MessageState.STOPPED


def test_regenerating_keeps_the_old_answer_a_step_to_the_side(build):
    services = build(Script(replies=("first", "second")))
    chat = services.chat()
    services.say(chat, "Hello")
    old = chat.path()[-1]
    chat.regenerate(old.id)
    services.wait(lambda: not chat.busy)
    assert texts(chat) == ["Hello", "second"]
    chat.show_version(chat.path()[-1].id, -1)
    assert texts(chat) == ["Hello", "first"]
    chat.show_version(old.id, +1)
    assert texts(chat) == ["Hello", "second"]


def test_editing_a_question_keeps_the_old_branch_with_all_that_followed(build):
    services = build(Script(replies=("a", "b", "c")))
    chat = services.chat()
    services.say(chat, "one")
    services.say(chat, "two")
    first = chat.path()[0]
    chat.edit(first.id, "changed")
    services.wait(lambda: not chat.busy)
    assert texts(chat) == ["changed", "c"]
    chat.show_version(chat.path()[0].id, -1)
    assert texts(chat) == ["one", "a", "two", "b"]


def test_the_version_on_screen_is_remembered(build):
    services = build(Script(replies=("first", "second")))
    chat = services.chat()
    services.say(chat, "Hello")
    chat.regenerate(chat.path()[-1].id)
    services.wait(lambda: not chat.busy)
    chat.show_version(chat.path()[-1].id, -1)
    chat_id = chat.chat.id
    build.close(services)
    assert texts(build(Script()).reopen(chat_id)) == ["Hello", "first"]


def test_an_engine_that_fails_keeps_the_partial_reply_and_says_what_to_do(build):
    services = build(Script(replies=(LONG,), fail_at_token=10))
    chat = services.chat()
    services.say(chat, "Hello")
    reply = chat.path()[-1]
    assert reply.state is MessageState.FAILED
    assert reply.text
    assert LONG.startswith(reply.text)
    notice = services.notices[-1]
    assert notice.level == "error"
    assert notice.hint
    assert [label for label, _ in notice.actions] == ["Try again"]


def test_after_a_failure_the_next_reply_starts_from_a_sound_engine(build):
    script = Script(replies=(LONG,), fail_at_token=3)
    services = build(script)
    chat = services.chat()
    services.say(chat, "Hello")
    services.say(chat, "Again")
    assert len(services.loads) == 2, "the failed engine was dropped"


def test_a_model_that_cannot_be_loaded_is_told_and_nothing_typed_is_lost(build):
    error = ModelFileError("The file is cut off", "It has 1 of 4 GB.", "Download it again.")
    services = build(Script(load_error=error))
    chat = services.chat()
    services.say(chat, "Keep me")
    assert texts(chat) == ["Keep me", ""]
    assert chat.path()[-1].state is MessageState.FAILED
    assert services.notices[-1].title == "The file is cut off"
    assert services.models.state("starter").kind == "failed"


def test_a_message_that_cannot_fit_is_refused_and_comes_back(build):
    services = build(Script(n_ctx=256))
    chat = services.chat()
    returned: list[str] = []
    chat.text_returned.connect(returned.append)
    services.say(chat, "short")
    before = texts(chat)
    chat.send("long " * 5000)
    services.wait(lambda: bool(returned))
    assert texts(chat) == before
    assert returned == [("long " * 5000).strip()]
    assert "too long" in services.notices[-1].title
    chat_id = chat.chat.id
    build.close(services)
    assert texts(build(Script()).reopen(chat_id)) == before


def test_a_ten_megabyte_paste_is_refused_without_touching_the_engine(build):
    services = build(Script())
    chat = services.chat()
    returned: list[str] = []
    chat.text_returned.connect(returned.append)
    assert not chat.send("x" * 10_000_000), "it stays where it was written"
    assert returned == []
    assert "10,000,000" in services.notices[-1].title
    assert not chat.busy
    assert not services.loads


def test_surrogates_and_nul_are_cleaned_and_kept(build):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "a\ud83d\x00b é 🐋")
    assert chat.path()[0].text == "a\ufffdb é 🐋"


def test_the_oldest_turns_go_whole_and_the_transcript_says_so(build):
    services = build(Script(n_ctx=512, replies=("word " * 40,)))
    chat = services.chat()
    for number in range(12):
        services.say(chat, f"question {number} " + "filler " * 20)
    marks = [mark for mark in chat.markers() if mark.kind == "context"]
    assert len(marks) == 1
    assert chat.tree[marks[0].before_id].role is Role.USER
    assert chat.path()[-1].provenance.prompt_tokens < 512


def test_a_value_that_the_model_has_anyway_is_no_change_of_the_chat(build):
    services = build(Script())
    chat = services.chat()
    chat.set_override("top_k", 40)
    assert (chat.chat.overrides, chat.chat.id) == ({}, 0)
    services.preferences.set_for_model("starter", "top_k", 10)
    chat.set_override("top_k", 40)
    assert chat.chat.overrides == {"top_k": 40}, "the model has another one now"
    chat.set_override("temperature", 0.5)
    chat.set_override("top_k", 10)
    assert chat.chat.overrides == {"temperature": 0.5}
    services.wait(lambda: chat.chat.id > 0)
    assert services.ask(lambda stores: stores.chats.chat(chat.chat.id)).overrides == {"temperature": 0.5}
    services.preferences.set_for_model("starter", "top_k", 20)
    assert chat.sampling().top_k == 20


def test_a_changed_sampler_never_reloads_and_a_changed_loading_value_reloads_once(build):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "one")
    chat.set_override("temperature", 1.5)
    services.preferences.set_for_model("starter", "top_k", 10)
    services.say(chat, "two")
    assert len(services.loads) == 1
    services.preferences.set_for_model("starter", "context_tokens", 1024)
    assert len(services.loads) == 1, "not before it is needed"
    services.say(chat, "three")
    services.say(chat, "four")
    assert len(services.loads) == 2
    assert services.loads[1][1].context_tokens == 1024


def test_two_chats_answer_under_their_own_system_prompts(build):
    services = build()
    loud, plain = services.chat(), None
    loud.set_system_prompt("Answer in capital letters.")
    services.say(loud, "My name is Ada.")
    plain = services.chat()
    assert plain is not loud
    services.say(plain, "My name is Tom.")
    assert services.say(loud, "What is my name?") == "YOUR NAME IS ADA."
    assert services.say(plain, "What is my name?") == "Your name is Tom."


def test_a_reply_grows_on_while_another_chat_is_looked_at(build):
    services = build(Script(replies=("word " * 300,), tokens_per_s=20))
    first = services.chat()
    first.send("Hello")
    services.wait(lambda: first.chat.id != 0)
    second = services.chat()
    assert second is not first
    assert first.busy
    services.wait(lambda: len(first.path()) == 2 and bool(first.path()[-1].text))
    services.pace(None)
    services.wait(lambda: not first.busy)
    assert first.path()[-1].state is MessageState.DONE
    assert services.library.session(first.chat.id) is first


def test_provenance_tells_how_an_answer_came_about(build):
    services = build()
    chat = services.chat()
    chat.set_override("seed", 7)
    services.say(chat, "Hello")
    told = chat.path()[-1].provenance
    assert told is not None
    assert told.seed == 7
    assert told.sampling["temperature"] == 0.0
    assert told.prompt_tokens > 0
    assert told.completion_tokens == len(chat.path()[-1].token_ids) or told.completion_tokens > 0
    assert told.system_prompt == chat.chat.system_prompt
    assert told.template == "ChatML"
    assert told.stop_reason == "end"


def test_the_second_turn_reads_only_what_is_new(build):
    services = build()
    chat = services.chat()
    services.say(chat, "My name is Ada.")
    first = chat.path()[-1].provenance
    services.say(chat, "What is my name?")
    second = chat.path()[-1].provenance
    assert second.cached_tokens >= first.prompt_tokens + first.completion_tokens - 1


def test_used_tokens_are_counted_by_the_model(build):
    services = build()
    chat = services.chat()
    services.say(chat, "My name is Ada.")
    services.wait(lambda: chat.usage.exact and chat.prompt_tokens > 0)
    told = chat.path()[-1].provenance
    closing = 2  # the end of the answer's turn: <|im_end|> and the line break
    services.wait(lambda: chat.usage.used_tokens == told.prompt_tokens + told.completion_tokens + closing)
    assert chat.usage.context_tokens == told.context_tokens


def test_a_draft_is_kept(build):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "Hello")
    chat.set_draft("half a thou")
    chat_id = chat.chat.id
    build.close(services)
    assert build(Script()).reopen(chat_id).draft == "half a thou"


def test_a_draft_stays_when_an_earlier_question_is_edited(build):
    services = build(Script(replies=("one", "two")))
    chat = services.chat()
    services.say(chat, "Hello")
    chat.set_draft("half a thou")
    chat.edit(chat.path()[0].id, "Good morning")
    services.wait(lambda: not chat.busy and chat.path()[0].text == "Good morning")
    assert chat.draft == "half a thou"
    chat_id = chat.chat.id
    build.close(services)
    assert build(Script()).reopen(chat_id).draft == "half a thou"


def test_an_interrupted_reply_is_found_and_can_go_on(build):
    services = build(Script(replies=("one two three",)))
    chat = services.chat()
    services.say(chat, "Hello")
    chat.continue_reply(chat.path()[-1].id)
    services.wait(lambda: not chat.busy)
    assert texts(chat)[-1] == "one two threeone two three"
    assert len(chat.path()) == 2
    chat_id = chat.chat.id
    build.close(services)
    assert texts(build(Script()).reopen(chat_id))[-1] == "one two threeone two three"


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_nothing_is_sent_when_nothing_was_typed(build, text):
    services = build(Script())
    chat = services.chat()
    chat.send(text)
    assert not chat.busy
    assert chat.path() == []


def test_the_title_comes_from_the_first_message_unless_the_person_gave_one(build):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "# How do whales sleep?\nAnd where?")
    assert chat.chat.title == "# How do whales sleep?"
    chat.rename("Whales")
    services.say(chat, "Next")
    assert chat.chat.title == "Whales"
    services.wait(lambda: [row.title for row in services.library.chats()] == ["Whales"])


def test_nothing_of_a_chat_can_be_changed_before_it_is_read(build):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "Hello")
    chat.set_system_prompt("Be brief.")
    chat_id = chat.chat.id
    build.close(services)
    services = build(Script())
    chat = services.library.session(chat_id)
    chat.set_model("/some/other.gguf")
    chat.set_system_prompt("Overwritten")
    chat.set_override("temperature", 1.0)
    chat.set_draft("typed too early")
    chat.send("sent too early")
    services.wait(lambda: chat.ready)
    assert (chat.chat.model_id, chat.chat.system_prompt, chat.chat.overrides) == ("starter", "Be brief.", {})
    assert texts(chat) == ["Hello", "This is a scripted reply."]


def test_a_template_that_fails_on_this_chat_is_told(build, tmp_path):
    source = (
        "{% for m in messages %}{{ m.content }}{% endfor %}{% if messages[-1].content == 'Go' %}{{ 1 / 0 }}{% endif %}"
    )
    services = build()
    chat = services.chat(str(tiny_model(tmp_path / "tiny.gguf", template=source)))
    chat.set_override("max_tokens", 4)
    chat.set_system_prompt("Be brief.")
    services.say(chat, "Hello")
    assert not any("chat template" in notice.title for notice in services.notices)
    services.say(chat, "Go")
    assert "cannot write this chat: it has a mistake. ChatML stands in." in services.notices[-1].title
    assert services.notices[-1].level == "warning"

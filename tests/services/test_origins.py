"""What made an answer is found out, and the answer is made once more: real models wherever the text counts."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.core.chat import Provenance
from app.core.errors import EngineError, ModelFileError
from app.core.lab import Contestant, Place, Plan, Question
from app.core.options import Sampling
from app.core.prompts import BundledPrompt, version_of
from app.core.reproduced import Reproduced
from app.engine.scripted import Script
from app.paths import find_paths
from app.services.comparison import Comparison
from app.services.lab_run import LabRun
from app.services.origin import Origin, of_exchange
from app.services.provenance import provenance
from app.storage.model_folder import look

STARTER = find_paths().resources_dir / "starter" / "starter.gguf"
LOUD = "You are a helpful assistant. Answer in capital letters."
PIRATE = "You are a helpful assistant. Answer like a pirate."


class Tried:
    """An answer that is made once more, and all that this told."""

    def __init__(self, services: Any, origin: Origin | None) -> None:
        assert origin is not None
        assert origin.obstacle == ""
        self.ended: list[Reproduced] = []
        self.failed: list[Any] = []
        self.stopped: list[bool] = []
        self.words: list[str] = []
        self.attempt = services.library.origins.reproduce(origin)
        self.attempt.ended.connect(self.ended.append)
        self.attempt.failed.connect(self.failed.append)
        self.attempt.stopped.connect(lambda: self.stopped.append(True))
        self.attempt.progressed.connect(self.words.append)
        self.attempt.start()
        self.services = services

    def wait(self) -> Reproduced | None:
        self.services.wait(lambda: bool(self.ended or self.failed or self.stopped))
        return self.ended[0] if self.ended else None


def again(services: Any, origin: Origin | None) -> Reproduced:
    found = Tried(services, origin).wait()
    assert found is not None
    return found


def wild(chat: Any) -> Any:
    """A chat whose answers nobody could guess."""
    for key, value in (("temperature", 1.5), ("top_k", None), ("top_p", None), ("max_tokens", 24)):
        chat.set_override(key, value)
    return chat


def test_a_chats_answer_comes_out_word_for_word_whatever_its_seed_was(build):
    services = build()
    chat = wild(services.chat())
    chat.set_system_prompt(PIRATE)
    services.say(chat, "Tell me a story.")
    first = chat.origin(chat.path()[-1].id)
    assert first.how.sampling["seed"] is None, "it was a random one"
    chat.set_system_prompt(LOUD)
    chat.set_override("temperature", 0.2)
    assert again(services, first).is_equal


def test_what_came_of_it_is_kept_with_the_answer(build):
    services = build(Script(replies=("The same.", "The same.", "The sane.")))
    chat = services.chat()
    services.say(chat, "Hello")
    origin = chat.origin(chat.path()[-1].id)
    read: list[Any] = []
    services.library.origins.read_last(origin, read.append)
    services.wait(lambda: read == [None])
    equal = again(services, origin)
    other = again(services, origin)
    assert equal.is_equal
    assert (other.differs_at, other.text) == (6, "The sane.")
    assert other.reasons
    services.library.origins.read_last(origin, read.append)
    services.wait(lambda: len(read) == 2)
    assert read[1] == other


def test_what_was_left_out_of_a_full_context_is_left_out_again(build):
    services = build()
    services.preferences.set_for_model("starter", "context_tokens", 256)
    chat = wild(services.chat())
    while not (how := chat.path()[-1].provenance if chat.path() else None) or not how.first_sent_id:
        services.say(chat, "My name is Ada and I like red. Tell me a story.")
    origin = chat.origin(chat.path()[-1].id)
    assert len(origin.turns) < len(chat.path())
    tried = Tried(services, origin)
    found = tried.wait()
    assert found is not None
    assert tried.attempt is not None
    assert not any("not quite the same" in reason for reason in found.reasons), "the prompt has as many tokens"


def test_an_answer_that_was_stopped_is_equal_as_far_as_it_went(build):
    services = build(Script(replies=(" ".join(f"word{number}" for number in range(3500)),), tokens_per_s=200))
    chat = services.chat()
    chat.send("Hello")
    services.wait(lambda: bool(chat.path()) and "word2" in chat.path()[-1].text)
    chat.stop()
    services.wait(lambda: not chat.busy)
    origin = chat.origin(chat.path()[-1].id)
    assert origin.cut_off
    assert again(services, origin).is_equal


def test_an_answer_that_was_continued_goes_on_the_same_way(build):
    services = build()
    chat = wild(services.chat())
    services.say(chat, "Tell me a story.")
    assert chat.path()[-1].provenance.stop_reason == "length"
    chat.continue_reply(chat.path()[-1].id)
    services.wait(lambda: not chat.busy)
    reply = chat.path()[-1]
    assert 0 < reply.provenance.continued_chars < len(reply.text)
    assert 0 < reply.provenance.continued_tokens < len(reply.token_ids)
    origin = chat.origin(reply.id)
    assert origin.turns[-1].text == reply.text[: reply.provenance.continued_chars]
    found = again(services, origin)
    assert found.is_equal or found.differs_at >= reply.provenance.continued_chars


def test_every_column_comes_out_word_for_word(build):
    services = build()
    comparison = Comparison(services.models, services.preferences, services.models.default_id)
    for prompt in (LOUD, PIRATE, "Be brief."):
        comparison.add(Contestant(prompt[:5], prompt, version="ab" * 32))
    comparison.set_overrides({"temperature": 1.5, "top_k": None, "top_p": None, "max_tokens": 24})
    for question in ("Tell me a story.", "And then?"):
        comparison.ask(question)
        services.wait(lambda: not comparison.busy)
    for column in comparison.columns():
        for number in (0, 1):
            origin = of_exchange(column, number)
            assert (origin.how.at_once, origin.how.prompt_version) == (3, "ab" * 32)
            assert again(services, origin).is_equal, (column.contestant.name, number)


def test_every_answer_of_a_run_comes_out_word_for_word(build):
    services = build()
    plan = Plan(
        "p",
        "starter",
        (Contestant("loud", LOUD), Contestant("pirate", PIRATE, version="cd" * 32)),
        (Question("a", "Tell me a story."), Question("b", "Where is it?", system_prompt="You are a map.")),
        (1, 2),
        {"max_tokens": 12, "temperature": 1.2},
    )
    run_id = services.ask(lambda stores: stores.runs.create(plan)).id
    run = LabRun(run_id, plan, services.models, services.preferences, services.archive)
    run.start()
    services.wait(lambda: not run.busy)
    read: list[Origin] = []
    for place in run.cells():
        services.library.origins.read_cell(run_id, plan, place, read.append)
    services.wait(lambda: len(read) == 8)
    for origin in read:
        assert origin.how.at_once > 4
        assert origin.how.made_ms > 0
        assert again(services, origin).is_equal, origin.title
    assert {origin.how.prompt_version for origin in read} == {"", "cd" * 32}
    kept = services.ask(lambda stores: stores.reproductions.of((run_id, Place(1, 1, 1))))
    assert kept.is_equal


def test_the_model_is_loaded_as_it_was_then(build):
    services = build()
    services.preferences.set_for_model("starter", "context_tokens", 512)
    services.preferences.set_for_model("starter", "batch_tokens", 64)
    chat = wild(services.chat())
    services.say(chat, "Tell me a story.")
    services.preferences.set_for_model("starter", "context_tokens", 1024)
    services.preferences.set_for_model("starter", "batch_tokens", 128)
    assert again(services, chat.origin(chat.path()[-1].id)).is_equal
    then, now, pinned = (loading for _, loading in services.loads)
    assert (now.context_tokens, now.batch_tokens) == (1024, 128)
    assert pinned == dataclasses.replace(then, context_tokens=512, batch_tokens=64)


def test_a_file_that_changed_is_named_and_one_that_moved_is_found(build, tmp_path: Path):
    services = build()
    path = tmp_path / "mine.gguf"
    shutil.copy(STARTER, path)
    chat = wild(services.chat(str(path)))
    services.say(chat, "Hello")
    origins = services.library.origins
    how = chat.path()[-1].provenance
    origins.whole(how)
    services.wait(lambda: origins.whole(how).model_sha256 != ())
    origin = dataclasses.replace(chat.origin(chat.path()[-1].id), how=origins.whole(how))
    moved = tmp_path / "moved.gguf"
    path.rename(moved)
    other = provenance(services.models.state(str(path)).facts, Sampling(), "", (), None, None)
    origins.whole(dataclasses.replace(other, model_path=str(moved)))
    services.wait(lambda: origins.whole(dataclasses.replace(other, model_path=str(moved))).model_sha256 != ())
    assert again(services, origin).is_equal
    assert services.loads[-1][0] == str(moved)
    moved.unlink()
    # the starter has the same size, but is known to be another file
    services.ask(lambda stores: stores.model_sums.keep(str(STARTER), *look(str(STARTER)), ("00" * 32,)))
    tried = Tried(services, origin)
    assert tried.wait() is None
    assert isinstance(tried.failed[0], ModelFileError)
    assert "gone" in tried.failed[0].title


def test_an_app_that_lies_elsewhere_after_an_update_finds_the_model_that_comes_with_it(build, tmp_path: Path):
    services = build()
    chat = wild(services.chat())
    services.say(chat, "Hello")
    origin = chat.origin(chat.path()[-1].id)
    gone = dataclasses.replace(origin.how, model_path=str(tmp_path / "old version" / "starter.gguf"))
    assert again(services, dataclasses.replace(origin, how=gone)).is_equal
    other = dataclasses.replace(gone, model_size_bytes=gone.model_size_bytes + 1)
    tried = Tried(services, dataclasses.replace(origin, how=other))
    assert tried.wait() is None
    assert isinstance(tried.failed[0], ModelFileError)


def test_a_file_that_is_to_be_deleted_is_let_go_of_and_can_be_read_later(build, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("app.services.model_sums._SHARE", 0.001)
    services = build()
    path = tmp_path / "large.gguf"
    with path.open("wb") as file:
        file.truncate(40 << 20)
    seen = Provenance(model_path=str(path), model_size_bytes=40 << 20, model_mtime_ns=path.stat().st_mtime_ns)
    sums = services.library.origins._sums
    sums.want(seen, soon=False)
    services.wait(lambda: bool(sums._tickets))
    services.library.origins.let_go(str(path))
    services.wait(lambda: not sums.is_wanted(seen))
    assert sums.filled(seen).model_sha256 == ()
    sums.want(seen)
    services.wait(lambda: sums.filled(seen).model_sha256 == (hashlib.sha256(path.read_bytes()).hexdigest(),))


def test_the_sums_of_a_model_are_those_of_its_bytes_and_are_read_once(build, tmp_path: Path, monkeypatch):
    services = build()
    path = tmp_path / "mine.gguf"
    shutil.copy(STARTER, path)
    chat = services.chat(str(path))
    services.say(chat, "Hello")
    how = chat.path()[-1].provenance
    assert (how.model_size_bytes, how.model_mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    origins = services.library.origins
    told: list[bool] = []
    origins.summed.connect(lambda: told.append(True))
    assert origins.whole(how).model_sha256 == ()
    services.wait(lambda: bool(told))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert origins.whole(how).model_sha256 == (digest,)
    chat_id = chat.chat.id
    kept = services.ask(lambda stores: stores.chats.messages(chat_id))[-1].provenance
    assert kept.model_sha256 == (digest,)
    build.close(services)

    def never(*_given):
        raise AssertionError("it was read before")

    monkeypatch.setattr("app.services.model_sums.sums", never)
    later = build().library.origins
    later.whole(how)
    services.wait(lambda: later.whole(how).model_sha256 == (digest,))


def test_bytes_that_are_there_now_are_not_taken_for_those_of_before(build, tmp_path: Path):
    services = build()
    path = tmp_path / "mine.gguf"
    shutil.copy(STARTER, path)
    chat = services.chat(str(path))
    services.say(chat, "Hello")
    how = chat.path()[-1].provenance
    os.utime(path, ns=(1, 1))
    origins = services.library.origins
    told: list[bool] = []
    origins.summed.connect(lambda: told.append(True))
    assert origins.whole(how).model_sha256 == ()
    assert "being read" in origins.sums_words(how)
    services.wait(lambda: bool(told))
    assert origins.whole(how).model_sha256 == ()
    assert "changed or is gone" in origins.sums_words(how), "and it is not looked for over and over"
    services.wait(lambda: len(told) == 1)


def test_a_model_that_is_loaded_is_read_by_itself_after_a_while(build, monkeypatch):
    monkeypatch.setattr("app.services.model_sums._SETTLE_MS", 20)
    services = build()
    chat = services.chat()
    services.say(chat, "Hello")
    how = chat.path()[-1].provenance
    digest = hashlib.sha256(STARTER.read_bytes()).hexdigest()
    services.wait(lambda: services.library.origins._sums.filled(how).model_sha256 == (digest,))


def test_an_attempt_that_is_stopped_or_fails_says_so_and_the_chat_goes_on(build):
    services = build(Script(replies=("one two three four five six " * 20,)))
    chat = services.chat()
    services.say(chat, "Hello")
    origin = chat.origin(chat.path()[-1].id)
    services.pace(10)
    tried = Tried(services, origin)
    assert services.library.origins.at_work(origin) is tried.attempt
    services.wait(lambda: any("Writing" in words for words in tried.words))
    tried.attempt.stop()
    assert tried.wait() is None
    assert tried.stopped
    assert services.library.origins.at_work(origin) is None
    early = Tried(services, origin)
    early.attempt.stop()
    assert early.stopped
    services.pace(None)
    assert services.say(chat, "Go on").startswith("one two three four five six")


def test_an_engine_that_fails_is_told(build):
    script = Script(replies=("one two three",))
    services = build(script)
    chat = services.chat()
    services.say(chat, "Hello")
    services.ask(lambda _stores: None)
    services.models.room._engine.script = dataclasses.replace(script, fail_at_token=1)
    tried = Tried(services, chat.origin(chat.path()[-1].id))
    assert tried.wait() is None
    assert isinstance(tried.failed[0], EngineError)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_path": ""}, "was not kept"),
        ({"stop_reason": ""}, "broke off"),
        ({"continued_chars": 1000}, "no text"),
    ],
)
def test_what_cannot_be_made_once_more_says_why(build, changes: dict[str, Any], words: str):
    services = build(Script())
    chat = services.chat()
    services.say(chat, "Hello")
    origin = chat.origin(chat.path()[-1].id)
    assert origin.obstacle == ""
    broken = dataclasses.replace(origin, how=dataclasses.replace(origin.how, **changes))
    assert words in broken.obstacle


def test_a_version_has_the_name_of_its_prompt_and_says_when_it_was_edited(build):
    services = build(Script())
    origins = services.library.origins
    plain = BundledPrompt("plain", "Plain words", version_of("Be plain."))
    origins.know_bundled([plain])
    prompt = services.ask(lambda stores: stores.prompts.create("Support desk", "One."))
    second = services.ask(lambda stores: stores.prompts.save(prompt.id, "Two for {{name}}."))

    def words(version: str, text: str, at_once: int = 0) -> str:
        how = Provenance(prompt_version=version, system_prompt=text, at_once=at_once)
        told: list[str] = []
        origins.read_version(how, told.append)
        services.wait(lambda: bool(told))
        return told[0]

    assert words(prompt.current, "One.") == "Support desk, version 1"
    assert words(prompt.current, "One!") == "Support desk, version 1, edited since"
    assert words(second.hash, "Two for Ada.") == "Support desk, version 2"
    assert words(second.hash, "Three for Ada.") == "Support desk, version 2, edited since"
    assert words(second.hash, "Two for Ada.\n\nA question's own.", at_once=16) == "Support desk, version 2"
    assert words(plain.version.hash, "Be plain.") == "Plain words"
    assert words(plain.version.hash, "Be.") == "Plain words, edited since"
    assert words("c" * 64, "One.") == words("", "One.") == ""

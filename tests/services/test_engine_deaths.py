"""The engine's process dies under a chat: the chat goes on, what had come is kept, and one click brings it back."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.chat import MessageState
from app.core.errors import EngineDiedError, PutAsideError
from app.engine.llama import load
from app.engine.loader import Loader
from app.engine.records import Records
from tests.engine.test_host import HOST, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the deaths here are signals")
DIES = {"at": 30, "how": "SIGABRT", "gpu_layers": 33}


@pytest.fixture
def model(tmp_path) -> Callable[..., str]:
    """A file with orders for the scripted process."""

    def made(**orders: Any) -> str:
        path = tmp_path / "whales.gguf"
        path.write_text(json.dumps(orders))
        return str(path)

    return made


@pytest.fixture
def scripted(build, tmp_path) -> Callable[..., Any]:
    """Services whose engine is the scripted one, in a process of its own."""

    def made():
        return build(loader=Loader(load, HOST, Records(tmp_path / "trials.json", "this one")))

    return made


def chat_with(services, path: str):
    services.models.notice.connect(services.notices.append)
    services.models.open_file(path)
    services.wait(lambda: any(entry.path == path for entry in services.models.entries()))
    return services.chat(path)


def press(services, words: str) -> None:
    """Press a button of the newest notice."""
    dict(services.notices[-1].actions)[words]()


def is_ready(services, model_id: str) -> bool:
    return services.models.state(model_id).kind == "ready"


def test_what_had_come_is_kept_and_one_click_loads_the_model_with_less_on_the_gpu(scripted, model, caplog):
    services, path = scripted(), model(**DIES)
    chat = chat_with(services, path)
    said = services.say(chat, "Count.")
    caplog.clear()
    assert said.startswith("one two three")
    assert chat.path()[-1].state is MessageState.FAILED
    notice = services.notices[-1]
    assert notice.title == "The engine stopped unexpectedly"
    assert "GGML_ASSERT" in notice.report
    assert "whales.gguf" in notice.report
    state = services.models.state(path)
    assert state.kind == "failed"
    assert isinstance(state.error, EngineDiedError)
    press(services, "Load it again")
    services.wait(lambda: is_ready(services, path))
    assert services.models.state(path).facts.gpu_layers == 16
    services.wait(lambda: "only 16 layers" in services.notices[-1].detail)
    kept = services.reopen(chat.chat.id).path()[-1]
    assert (kept.text, kept.state) == (said, MessageState.FAILED)


def test_a_gpu_without_room_takes_one_click_and_no_new_download(scripted, model):
    services, path = scripted(), model(gpu_layers=33, room_for=20)
    chat = chat_with(services, path)
    services.say(chat, "Count.")
    assert services.models.state(path).kind == "failed"
    press(services, "Load it again")
    services.wait(lambda: is_ready(services, path))
    assert services.models.state(path).facts.gpu_layers == 16
    assert not services.models.is_put_aside(path)


def test_after_three_deaths_the_file_is_put_aside_over_a_restart_until_it_is_tried_once_more(
    build, scripted, model, caplog
):
    services, path = scripted(), model(**DIES)
    chat = chat_with(services, path)
    for _ in range(3):
        assert not services.models.is_put_aside(path)
        services.say(chat, "Count.")
    caplog.clear()
    assert services.models.is_put_aside(path)
    assert "3 times in a row, so this file is put aside" in services.notices[-1].detail
    assert [words for words, _ in services.notices[-1].actions] == ["Try it once more"]
    build.close(services)
    services = scripted()
    chat = chat_with(services, path)
    assert services.models.is_put_aside(path)
    assert services.say(chat, "Count.") == ""
    assert isinstance(services.models.state(path).error, PutAsideError)
    assert "GGML_ASSERT" in services.notices[-1].report
    press(services, "Try it once more")
    services.wait(lambda: is_ready(services, path))
    assert not services.models.is_put_aside(path)


def test_an_adapter_that_ends_the_engine_is_put_aside_and_tried_once_more_by_one_click(
    scripted, model, tmp_path, caplog
):
    services, path, adapter = scripted(), model(**DIES), tmp_path / "style.gguf"
    adapter.write_bytes(b"made for another model")
    chat = chat_with(services, path)
    services.preferences.set_for_model(path, "adapters", (str(adapter),))
    for _ in range(3):
        services.say(chat, "Count.")
    assert "with a LoRA adapter, which is put aside" in services.notices[-1].detail
    assert not services.models.is_put_aside(path)
    assert services.say(chat, "Count.") == ""
    caplog.clear()
    assert services.notices[-1].title == "The LoRA adapter style.gguf was put aside"
    press(services, "Try it once more")
    services.wait(lambda: is_ready(services, path))
    services.preferences.set_for_model(path, "adapters", ())
    assert services.say(chat, "Count.").startswith("one two three")
    caplog.clear()


def test_a_file_that_fails_its_trial_is_told_when_it_is_loaded_ahead_of_need(scripted, model, caplog):
    services, path = scripted(), model(trial={**DIES, "at": 3})
    chat_with(services, path)
    services.models.prepare(path)
    services.wait(lambda: bool(services.notices))
    caplog.clear()
    assert "was put aside" in services.notices[-1].title
    assert "tried for the first time" in services.notices[-1].detail
    press(services, "Try it once more")
    services.wait(lambda: len(services.notices) == 2)
    caplog.clear()
    assert services.models.is_put_aside(path)


def test_a_file_that_was_downloaded_again_is_not_put_aside_any_more(scripted, model, caplog):
    services, path = scripted(), model(trial={**DIES, "at": 3})
    chat = chat_with(services, path)
    services.say(chat, "Count.")
    caplog.clear()
    assert services.models.is_put_aside(path)
    model(fine=True)
    services.model_library.added.emit(path)
    services.wait(lambda: not services.models.is_put_aside(path))
    assert services.say(chat, "Count.").startswith("one two three")


def test_a_death_while_nobody_asks_costs_nothing_but_the_time_to_load(scripted, model, caplog):
    services, path = scripted(), model()
    chat = chat_with(services, path)
    services.say(chat, "Count.")
    engine = services.models.room._engine
    os.kill(engine.process.pid, signal.SIGKILL)
    assert wait_until_gone(engine.process.pid)
    assert services.say(chat, "Again.").startswith("one two three")
    assert chat.path()[-1].state is MessageState.DONE
    assert not services.notices
    assert "ended with SIGKILL" in caplog.text
    caplog.clear()


def test_five_kills_at_random_moments_of_a_real_reply_leave_what_had_come(build, starter, caplog):
    services, chance, grown = build(loader=Loader(load, trusted=(str(starter),))), random.Random(6), []
    services.preferences.set_for_model("starter", "threads", 1)
    chat = services.chat()
    chat.text_added.connect(lambda _id, text: grown.append(text))
    for _ in range(5):
        grown.clear()
        chat.send("Tell me a story about a whale.")
        kill_at = chance.randrange(1, 30)
        services.wait(lambda most=kill_at: len("".join(grown)) >= most)
        pid = services.models.room._engine.process.pid
        os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGSEGV)))
        services.wait(lambda: not chat.busy)
        assert wait_until_gone(pid), "it may have been over before the kill"
        caplog.clear()
        shown = "".join(grown)
        assert chat.path()[-1].text == shown
        assert services.ask(lambda stores: stores.chats.messages(chat.chat.id))[-1].text == shown
        if services.notices:  # else the reply was over before the kill
            services.notices[-1].actions[0][1]()
            services.wait(lambda: is_ready(services, "starter"))
            services.notices.clear()
    chat.continue_reply(chat.path()[-1].id)
    services.wait(lambda: not chat.busy)
    assert chat.path()[-1].state is MessageState.DONE
    assert chat.path()[-1].text.startswith(shown)


def test_a_process_that_hangs_is_ended_with_the_program(scripted, model, caplog):
    services, path = scripted(), model(at=30, how="hang")
    chat, grown = chat_with(services, path), []
    chat.text_added.connect(lambda _id, text: grown.append(text))
    chat.send("Count.")
    services.wait(lambda: bool(grown))
    pid = services.models.room._engine.process.pid
    assert services.models.close(timeout_s=0.5)
    assert wait_until_gone(pid)
    assert not caplog.records
    record = services.models.room.quarantine._records.of(path)
    assert (record.deaths, record.gpu_layers) == (0, None), "closing the window says nothing against the file"


def test_no_process_is_left_when_the_program_ends(build, starter):
    services = build(loader=Loader(load, trusted=(str(starter),)))
    services.models.prepare("starter")
    services.wait(lambda: is_ready(services, "starter"))
    pid = services.models.room._engine.process.pid
    assert Path(f"/proc/{pid}").exists() or sys.platform != "linux"
    build.close(services)
    assert wait_until_gone(pid)

"""The engine's own process: what happens in there stays in there, and the program is told in a sentence."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import EngineDiedError, EngineError, ModelFileError
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine import engine_process, host
from app.engine.base import Delta, Done, Reading, Request, StopReason, Turn
from app.engine.engine_process import HostProcess
from app.engine.host import HostedEngine
from app.engine.llama import load as load_here
from tests.engine.gguf_writer import tiny_model

ASK = [Turn(Role.USER, "Count.")]
HOST = (sys.executable, "-S", "-m", "tests.engine.scripted_host")  # it needs no installed package
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the deaths here are signals")


@pytest.fixture
def scripted() -> Iterator[Callable[..., HostedEngine]]:
    """A scripted engine in a process; `orders` say when and how it dies."""
    processes: list[HostProcess] = []

    def made(**orders: Any) -> HostedEngine:
        processes.append(HostProcess(HOST))
        facts = processes[-1].load(json.dumps(orders), Loading(), StopFlag(), lambda _fraction: None)
        assert facts is not None
        return HostedEngine(processes[-1], facts)

    yield made
    for process in processes:
        process.end()


def is_logged(caplog) -> bool:
    """Each death is in the log, once, with its report."""
    told = caplog.text.count("The engine's process ended with") == 1
    caplog.clear()
    return told


def request(engine: HostedEngine) -> Request:
    return Request(engine.render(ASK).tokens, Sampling())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int) -> bool:
    until = time.monotonic() + 300
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_running(pid)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("SIGABRT", "llama.cpp gave up"),
        ("SIGSEGV", "llama.cpp crashed"),
        ("SIGKILL", "memory had run out"),
        ("exit", "code 3"),
    ],
)
def test_a_death_in_the_middle_of_a_reply_keeps_what_came_and_is_told(scripted, caplog, how, words):
    engine, said = scripted(at=9, how=how), []
    stream = engine.stream(request(engine), StopFlag())
    with pytest.raises(EngineDiedError) as caught:
        said.extend(event.text for event in stream if isinstance(event, Delta))
    assert "".join(said).startswith("one two three")
    assert words in caught.value.detail
    by_system = how == "SIGKILL"
    assert "lower the context" in caught.value.hint
    assert ("the layers on the GPU" in caught.value.hint) != by_system
    if how == "SIGABRT":
        assert "GGML_ASSERT(n_tokens > 0) failed" in caught.value.report
    assert caught.value.report in caplog.text
    assert caught.value.by_system == by_system
    assert is_logged(caplog)
    with pytest.raises(EngineError):
        engine.count("after the end")
    engine.close()


def test_a_death_while_loading_is_told(scripted, caplog):
    with pytest.raises(EngineDiedError):
        scripted(at="load")
    assert is_logged(caplog)


def test_what_the_process_prints_does_not_garble_the_reply(scripted):
    engine = scripted(at=5, how="print")
    events = list(engine.stream(request(engine), StopFlag()))
    assert isinstance(events[-1], Done)
    assert "".join(event.text for event in events if isinstance(event, Delta)).startswith("one two three four")


def test_a_slow_reply_comes_word_by_word_and_stops_at_once(scripted):
    engine, stop = scripted(tokens_per_s=30), StopFlag()
    for event in engine.stream(request(engine), stop):
        if isinstance(event, Delta) and event.completion_tokens == 10:
            stop.set()
    assert isinstance(event, Done)
    assert event.reason is StopReason.STOPPED
    assert event.completion_tokens < 400
    assert engine.count("and it goes on") > 0


def test_a_prompt_that_is_read_slowly_is_left_where_it_is(scripted):
    engine, stop, events = scripted(read_tokens_per_s=0.1), StopFlag(), []
    for event in engine.stream(request(engine), stop):
        events.append(event)
        stop.set()
    assert [type(event) for event in events] == [Reading, Done]
    assert events[-1].reason is StopReason.STOPPED
    assert engine.count("and it goes on") > 0


def test_a_process_that_hangs_and_does_not_stop_is_ended(scripted, monkeypatch, caplog):
    monkeypatch.setattr(engine_process, "_STOP_S", 0.2)
    engine, stop = scripted(at=3, how="hang"), StopFlag()
    stream = engine.stream(request(engine), stop)
    next(event for event in stream if isinstance(event, Delta))
    stop.set()
    with pytest.raises(EngineDiedError):
        list(stream)
    assert "did not answer" in caplog.text
    assert is_logged(caplog)


def test_a_process_that_hangs_over_a_question_is_ended(scripted, monkeypatch, caplog):
    monkeypatch.setattr(engine_process, "_ANSWER_S", 0.3)
    engine = scripted(at="count")
    with pytest.raises(EngineDiedError):
        engine.count("how many")
    assert "did not answer" in caplog.text
    assert is_logged(caplog)


def test_a_question_leaves_no_hurry_behind(scripted, monkeypatch):
    monkeypatch.setattr(engine_process, "_ANSWER_S", 300.0)
    engine = scripted()
    engine.count("how many")
    assert engine.process._patience_s == math.inf


def test_loading_can_be_stopped(scripted):
    process, stop, seen = HostProcess(HOST), StopFlag(), []

    def progressed(fraction: float) -> None:
        seen.append(fraction)
        stop.set()

    orders = json.dumps({"load_steps": 1000, "step_s": 0.01})
    assert process.load(orders, Loading(), stop, progressed) is None
    assert seen
    process.end()


def test_a_refused_file_is_refused_with_the_same_words_as_here(tmp_path):
    path = tmp_path / "no.gguf"
    path.write_bytes(b"GGUF but not really")
    with pytest.raises(ModelFileError) as here:
        load_here(str(path), Loading(), StopFlag())
    with pytest.raises(ModelFileError) as there:
        host.load(str(path), Loading(), StopFlag())
    assert there.value.parts() == here.value.parts()


def test_closing_gives_everything_back_and_may_be_repeated(starter):
    engine = host.load(str(starter), Loading(threads=1), StopFlag())
    pid, files = engine.process.pid, len(os.listdir("/proc/self/fd"))
    engine.close()
    engine.close()
    assert wait_until_gone(pid)
    assert len(os.listdir("/proc/self/fd")) < files
    with pytest.raises(EngineError):
        engine.render(ASK)
    with pytest.raises(EngineError):
        engine.stream(Request((1, 2), Sampling()), StopFlag())


@pytest.mark.parametrize("orders", [{}, {"at": "load", "how": "hang"}], ids=["idle", "hanging"])
def test_the_process_ends_with_the_program_that_started_it_even_when_it_hangs(tmp_path, orders):
    (tmp_path / "orders").write_text(json.dumps(orders))
    script = (
        "import sys\n"
        "from tests.engine.test_host import HOST, HostProcess, Loading, StopFlag\n"
        "process = HostProcess(HOST)\n"
        "tell = lambda _fraction=0: print(process.pid, flush=True)\n"
        f"process.load({str(tmp_path / 'orders')!r}, Loading(), StopFlag(), tell)\n"
        "sys.stdin.read()\n"
    )
    program = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    pid = int(program.stdout.readline())
    assert is_running(pid)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    assert wait_until_gone(pid)


def test_a_hanging_process_is_gone_three_seconds_after_closing(scripted, monkeypatch):
    monkeypatch.setattr(engine_process, "_CLOSE_S", 0.2)
    engine = scripted(at=3, how="hang")
    pid = engine.process.pid
    stream = engine.stream(request(engine), StopFlag())
    next(event for event in stream if isinstance(event, Delta))
    engine.process.end()
    assert not is_running(pid)


def test_the_report_holds_what_a_developer_asks_for_and_nothing_of_the_person(scripted, caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "Documents of Ada"
    folder.mkdir()
    (folder / "whales.gguf").write_text(
        json.dumps({"at": 3, "how": "SIGABRT", "says": f"cannot map {folder}/whales.gguf"})
    )
    process = HostProcess(HOST)
    facts = process.load(str(folder / "whales.gguf"), Loading(context_tokens=512), StopFlag(), lambda _fraction: None)
    engine = HostedEngine(process, facts)
    with pytest.raises(EngineDiedError) as caught:
        list(engine.stream(Request(engine.render([Turn(Role.USER, "My secret")]).tokens, Sampling()), StopFlag()))
    report = caught.value.report
    for part in (
        "ended with SIGABRT: llama.cpp gave up",
        "while writing a reply",
        "Model: whales.gguf",
        "context_tokens 512",
        "llama-cpp-python",
        "GPUs: made up",
        "Orcinus ",
        "GGML_ASSERT(n_tokens > 0) failed",
        "cannot map whales.gguf",
    ):
        assert part in report, report
    assert "Ada" not in report
    assert "secret" not in report
    assert is_logged(caplog)


def test_a_reply_is_the_same_in_a_process_as_here(starter, starter_engine):
    engine = host.load(str(starter), Loading(threads=1), StopFlag())
    sampling = Sampling(temperature=0.9, seed=7)
    turns = [Turn(Role.SYSTEM, "Answer in capital letters."), Turn(Role.USER, "Grüße, 你好 🙂 <|im_end|>")]
    assert engine.render(turns) == starter_engine.render(turns)
    both = [
        [event.text for event in one.stream(Request(one.render(turns).tokens, sampling), StopFlag())
         if isinstance(event, Delta)]
        for one in (engine, starter_engine)
    ]  # fmt: skip
    assert both[0] == both[1]
    engine.close()


def test_a_model_that_aborts_llama_cpp_costs_no_more_than_its_process(tmp_path, caplog):
    """Negative epsilon passes the loader and ends in an assert of ggml; our own check of the header is left out."""
    path = tiny_model(tmp_path / "a.gguf", changes={"llama.attention.layer_norm_rms_epsilon": -1.0})
    process = HostProcess((sys.executable, "-m", "tests.engine.unchecked_host"))
    facts = process.load(str(path), Loading(threads=1), StopFlag(), lambda _fraction: None)
    engine = HostedEngine(process, facts)
    with pytest.raises(EngineDiedError) as caught:
        list(engine.stream(request(engine), StopFlag()))
    assert is_logged(caplog)
    assert "GGML_ASSERT" in caught.value.report
    assert "llama.cpp gave up" in caught.value.detail


def test_chats_are_kept_over_the_end_of_the_process(starter, tmp_path):
    turns = [Turn(Role.USER, "Tell me about " + "rivers and stones and lamps and " * 12 + "gardens.")]
    cached = []
    for _ in range(2):
        engine = host.load(str(starter), Loading(threads=1, context_tokens=512), StopFlag())
        engine.keep_in(str(tmp_path / "kv"), 10**9)
        tokens = engine.render(turns).tokens
        *_, end = engine.stream(Request(tokens, Sampling(temperature=0), 5), StopFlag())
        cached.append(end.cached_tokens)
        engine.rest()
        engine.close()
    assert cached == [0, len(tokens) - 1]


def test_what_comes_of_one_decode_comes_in_one_message(starter, monkeypatch):
    engine = host.load(str(starter), Loading(threads=1, context_tokens=512), StopFlag())
    assert engine is not None
    messages: list[list[int]] = []
    receive = engine.process._channel.receive

    def heard() -> tuple[str, tuple[Any, ...]]:
        kind, values = receive()
        if kind == "events":
            messages.append([told.index for told in values[0] if isinstance(told.event, Delta)])
        return kind, values

    monkeypatch.setattr(engine.process._channel, "receive", heard)
    wish = Request(engine.render(ASK).tokens, Sampling(temperature=0, max_tokens=12), endless=True)
    told = list(engine.stream_many(iter([(wish, StopFlag())] * 3), StopFlag(), 3))
    engine.close()
    assert sum(isinstance(one.event, Delta) for one in told) == 36
    assert all(len(indices) == len(set(indices)) for indices in messages), "a reply gets one token of a decode"
    assert [0, 1, 2] in map(sorted, messages)
    assert not told[-1].more


def test_nothing_is_left_in_the_temporary_folder_even_where_both_are_killed(scripted, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = scripted(tokens_per_s=30)
    assert not list(tmp_path.glob("orcinus-flag-*")), "the flag has no name any more once both have it"
    stop = StopFlag()
    events = []
    for event in engine.stream(request(engine), stop):
        events.append(event)
        if isinstance(event, Delta):
            stop.set()
    assert events[-1].reason is StopReason.STOPPED, "and it is heard all the same"

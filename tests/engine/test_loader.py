"""What is learnt from an engine's deaths: fewer layers on the GPU, a new file's trial, and files that are put aside."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import EngineDiedError, ModelFileError, ModelMemoryError, PutAsideError
from app.core.options import Loading, Sampling
from app.core.stopping import StopFlag
from app.engine import loader as loader_module
from app.engine.base import Done, Request
from app.engine.host import HostedEngine
from app.engine.llama import LlamaEngine
from app.engine.llama import load as load_here
from app.engine.loader import Loader
from app.engine.records import Records
from app.engine.scripted import Script, ScriptedEngine, scripted_loader
from tests.engine.gguf_writer import tiny_model
from tests.engine.test_host import ASK, HOST

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the deaths here are signals")
DIES = {"at": 3, "how": "SIGSEGV"}


@pytest.fixture
def kept(tmp_path) -> Path:
    return tmp_path / "engine.json"


@pytest.fixture
def started(kept) -> Callable[..., Loader]:
    """A loader as after a start of the program: it knows what the ones before it kept."""

    def start(engine="this one", **more: Any) -> Loader:
        return Loader(load_here, HOST, Records(kept, engine), **more)

    return start


@pytest.fixture
def model(tmp_path) -> Callable[..., str]:
    """A file with orders for the scripted process."""

    def made(name: str = "model.gguf", **orders: Any) -> str:
        (tmp_path / name).write_text(json.dumps(orders) + "\n" + name)
        return str(tmp_path / name)

    return made


def opened(loader: Loader, path: str, **loading: Any) -> HostedEngine:
    engine = loader(path, Loading(**loading), StopFlag())
    assert isinstance(engine, HostedEngine)
    return engine


def reply(engine: HostedEngine) -> None:
    *_, end = engine.stream(Request(engine.render(ASK).tokens, Sampling(max_tokens=9)), StopFlag())
    assert isinstance(end, Done)
    engine.close()


def die(engine: HostedEngine, caplog) -> None:
    with pytest.raises(EngineDiedError):
        list(engine.stream(Request(engine.render(ASK).tokens, Sampling()), StopFlag()))
    assert not engine.is_alive
    engine.close()
    caplog.clear()


def put_aside(loader: Loader, path: str) -> PutAsideError:
    with pytest.raises(PutAsideError) as caught:
        loader(path, Loading(), StopFlag())
    return caught.value


# --- layers on the GPU ----------------------------------------------------------------------------------------------


def test_after_a_death_with_a_gpu_half_of_the_layers_go_there_then_none(started, model, caplog):
    path, loader = model(at=3, how="SIGABRT", gpu_layers=33), started()
    first = opened(loader, path)
    assert (first.facts.gpu_layers, first.facts.notices) == (33, ())
    die(first, caplog)
    second = opened(loader, path)
    assert second.facts.gpu_layers == 16
    assert "16 layers" in second.facts.notices[0]
    die(second, caplog)
    third = opened(started(), path)
    assert third.facts.gpu_layers == 0
    assert "without the GPU" in third.facts.notices[0]
    assert third.facts.placement.why_cpu == third.facts.notices[0]
    third.close()


def test_a_death_while_loading_leaves_the_gpu_out_the_next_time(started, model, caplog):
    path, loader = model(at="load", gpu_layers=33), started()
    with pytest.raises(EngineDiedError):
        opened(loader, path)
    caplog.clear()
    assert loader._records.of(path).gpu_layers == 0


def test_who_asks_for_other_layers_after_a_death_gets_them(started, model, caplog):
    path, loader = model(at=3, how="SIGABRT", gpu_layers=33), started()
    die(opened(loader, path), caplog)
    for asked in (4, 30):
        engine = opened(loader, path, gpu_layers=asked)
        assert (engine.facts.gpu_layers, engine.facts.notices) == (asked, ())
        engine.close()


def test_fewer_layers_stay_fewer_after_a_good_reply(started, model, caplog):
    path = model(at=50, how="SIGABRT", gpu_layers=33)
    die(opened(started(), path), caplog)
    reply(opened(started(), path))
    engine = opened(started(), path)
    assert engine.facts.gpu_layers == 16
    engine.close()


@pytest.mark.parametrize(("room_for", "then"), [(20, 16), (10, 0)])
def test_where_a_gpu_has_no_room_half_of_the_layers_go_there_then_none(started, model, room_for, then):
    path, loader = model(gpu_layers=33, room_for=room_for), started()
    for _ in range(1 if then else 2):
        with pytest.raises(ModelMemoryError):
            opened(loader, path)
    engine = opened(started(), path)
    assert engine.facts.gpu_layers == then
    assert "no room for more on the GPU" in engine.facts.notices[0]
    engine.close()
    assert loader._records.of(path).deaths == 0


def test_no_room_on_a_gpu_never_puts_a_file_aside(started, model):
    path, loader = model(gpu_layers=33, room_for=-1), started()
    for _ in range(4):
        with pytest.raises(ModelMemoryError):
            opened(loader, path)
    assert path not in loader.put_aside


def test_memory_that_ran_out_neither_lowers_the_layers_nor_counts_against_the_file(started, model, caplog):
    path, loader = model(at=3, how="SIGKILL", gpu_layers=33), started()
    for _ in range(4):
        engine = opened(loader, path)
        assert (engine.facts.gpu_layers, engine.facts.notices) == (33, ())
        with pytest.raises(EngineDiedError) as caught:
            reply(engine)
        assert "lower the context" in caught.value.hint
        assert "GPU" not in caught.value.hint
    caplog.clear()
    assert path not in loader.put_aside


def test_a_process_that_is_ended_with_the_program_says_nothing_against_the_file(started, model, caplog):
    path, loader = model(at=30, gpu_layers=33, how="hang"), started()
    engine = opened(loader, path)
    events = engine.stream(Request(engine.render(ASK).tokens, Sampling()), StopFlag())
    next(events)
    loader.end_now()
    with pytest.raises(EngineDiedError) as caught:
        list(events)
    assert caught.value.by_us
    assert not caught.value.by_system
    assert "when Orcinus was closed" in caught.value.detail
    assert not caplog.records
    record = loader._records.of(path)
    assert (record.deaths, record.gpu_layers) == (0, None)


# --- put aside ------------------------------------------------------------------------------------------------------


def test_three_deaths_in_a_row_put_a_file_aside_until_it_is_forgiven(started, model, caplog):
    path, loader = model(**DIES), started()
    for _ in range(3):
        assert path not in loader.put_aside
        die(opened(loader, path), caplog)
    error = put_aside(loader, path)
    assert "3 times in a row" in error.detail
    assert "GGML_ASSERT" in error.report
    assert path in loader.put_aside
    opened(loader, model("other.gguf")).close()
    loader.forgive(path)
    assert path not in loader.put_aside
    opened(loader, path).close()


def test_a_file_stays_put_aside_over_a_restart(started, model, caplog):
    path = model(**DIES)
    for _ in range(3):
        die(opened(started(), path), caplog)
    loader = started()
    assert path in loader.put_aside
    assert "GGML_ASSERT" in put_aside(loader, path).report
    loader.forgive(path)
    opened(started(), path).close()


def test_another_version_of_the_engine_begins_anew(started, model, caplog):
    path = model(**DIES)
    for _ in range(3):
        die(opened(started(), path), caplog)
    newer = started(engine="a newer one")
    assert path not in newer.put_aside
    opened(newer, path).close()


def test_another_file_of_the_same_name_begins_anew(started, model, caplog):
    path, loader = model(**DIES), started()
    for _ in range(3):
        die(opened(loader, path), caplog)
    model(fine=True)
    loader.look_again()
    assert path not in loader.put_aside
    opened(loader, path).close()


def test_deaths_with_an_adapter_attached_put_the_adapter_aside_and_not_the_model(started, model, tmp_path, caplog):
    path, adapter = model(**DIES), tmp_path / "adapter.gguf"
    adapter.write_bytes(b"made for another model")
    attached = {"adapters": (f"0.5 {adapter}",)}
    for _death in range(2):
        die(opened(started(), path, **attached), caplog)
    die(opened(started(), path), caplog)  # without it, it is the model's
    die(opened(started(), path, **attached), caplog)
    loader = started()
    with pytest.raises(PutAsideError, match=r"adapter\.gguf was put aside") as caught:
        opened(loader, path, **attached)
    assert "Take it off" in caught.value.hint
    assert (path in loader.put_aside, str(adapter) in loader.put_aside) == (False, True)
    opened(loader, path).close()
    loader.forgive(str(adapter))
    opened(loader, path, **attached).close()


def test_a_good_reply_with_an_adapter_speaks_for_both(started, model, tmp_path, caplog):
    bad, good, adapter = model("bad.gguf", **DIES), model("good.gguf"), tmp_path / "adapter.gguf"
    adapter.write_bytes(b"x")
    attached = {"adapters": (str(adapter),)}
    for _death in range(2):
        die(opened(started(), bad, **attached), caplog)
    reply(opened(started(), good, **attached))
    die(opened(started(), bad, **attached), caplog)
    assert not started().put_aside


def test_deaths_with_good_replies_between_them_are_not_in_a_row(started, model, caplog):
    path, loader = model(at=50, how="SIGSEGV"), started()
    for _ in range(2):
        die(opened(loader, path), caplog)
    reply(opened(loader, path))
    for _ in range(2):
        die(opened(loader, path), caplog)
    opened(loader, path).close()


def test_a_death_that_nobody_saw_is_counted_when_the_engine_is_closed(started, model, caplog):
    path, loader = model(), started()
    engine = opened(loader, path)
    engine.process._process.send_signal(signal.SIGSEGV)
    engine.process._process.wait()
    assert not engine.is_alive
    engine.close()
    assert "ended with SIGSEGV" in caplog.text
    caplog.clear()
    assert loader._records.of(path).deaths == 1


# --- the trial ------------------------------------------------------------------------------------------------------


def test_a_file_that_ends_the_process_in_its_trial_is_put_aside_with_its_reason(started, model, caplog):
    path, loader = model(trial=DIES), started()
    error = put_aside(loader, path)
    assert "tried for the first time: llama.cpp crashed" in error.detail
    assert "GGML_ASSERT" in error.report
    assert error.report in caplog.text
    caplog.clear()
    again = put_aside(started(), path)
    assert (again.parts(), again.report) == (error.parts(), error.report)
    assert not caplog.records, "it was not tried again"
    loader = started()
    loader.forgive(path)
    put_aside(loader, path)
    caplog.clear()


def test_a_trial_that_was_passed_is_not_repeated(started, model):
    path, seen = model(), []
    for _ in range(2):
        shares: list[float] = []
        started()(path, Loading(), StopFlag(), shares.append).close()
        assert shares == sorted(shares)
        seen.append(shares)
    assert loader_module._TRIAL_SHARE in seen[0]
    assert loader_module._TRIAL_SHARE not in seen[1]


def test_a_file_that_hangs_in_its_trial_is_put_aside_after_a_while(started, model, monkeypatch, caplog):
    monkeypatch.setattr(loader_module, "_PATIENCE_S", 1.5)
    path = model(trial={"at": "load", "how": "hang"})
    assert "did not answer" in put_aside(started(), path).detail
    caplog.clear()


def test_a_trial_can_be_stopped_while_it_hangs(started, model):
    path, loader, stop = model(trial={"at": "load", "how": "hang"}), started(), StopFlag()
    assert loader(path, Loading(), stop, lambda _share: stop.set()) is None
    assert not loader.put_aside


def test_a_process_that_the_system_ends_in_a_trial_says_nothing_against_the_file(started, model, caplog):
    path, loader = model(trial={"at": "load", "how": "SIGKILL"}), started()
    with pytest.raises(EngineDiedError, match="stopped"):
        loader(path, Loading(), StopFlag())
    caplog.clear()
    assert not loader.put_aside


def test_a_file_that_is_refused_in_its_trial_is_told_in_the_same_words_and_not_remembered(tmp_path, kept):
    path = tmp_path / "no.gguf"
    path.write_bytes(b"GGUF but not really")
    loader = Loader(load_here, (), Records(kept, "this one"))
    with pytest.raises(ModelFileError, match="incomplete"):
        loader(str(path), Loading(), StopFlag())
    assert not loader.put_aside


def test_weights_that_are_no_numbers_are_found_in_the_trial(tmp_path, kept):
    path = tiny_model(tmp_path / "a.gguf")
    data = bytearray(path.read_bytes())
    data[-200:-196] = b"\x00\x00\xc0\x7f"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="invalid data"):
        Loader(load_here, (), Records(kept, "this one"))(str(path), Loading(threads=1), StopFlag())


def test_a_file_that_aborts_llama_cpp_never_gets_further_than_its_trial(tmp_path, kept, caplog):
    """Negative epsilon passes the loader and ends in an assert of ggml; our own check of the header is left out."""
    path = tiny_model(tmp_path / "a.gguf", changes={"llama.attention.layer_norm_rms_epsilon": -1.0})
    loader = Loader(load_here, (sys.executable, "-m", "tests.engine.unchecked_host"), Records(kept, "this one"))
    error = put_aside(loader, str(path))
    assert "GGML_ASSERT" in error.report
    assert str(path) in loader.put_aside
    caplog.clear()


def test_the_real_trial_passes_real_models(starter, tiny, kept):
    loader = Loader(load_here, (), Records(kept, "this one"))
    for path in (starter, tiny):
        engine = opened(loader, str(path), threads=1, context_tokens=512)
        assert loader._records.of(str(path)).passed
        engine.close()


def test_a_file_that_is_trusted_needs_no_trial(started, model):
    path = model(trial=DIES)
    opened(started(trusted=(path,)), path).close()


def test_who_wants_the_engine_in_the_window_still_has_new_files_tried_outside(kept, model, caplog):
    good, bad = model("good.gguf"), model("bad.gguf", trial=DIES)
    loader = Loader(scripted_loader(Script()), HOST, Records(kept, "this one"), apart=lambda: False)
    assert isinstance(loader(good, Loading(), StopFlag()), ScriptedEngine)
    put_aside(loader, bad)
    caplog.clear()


def test_where_no_process_can_be_started_the_engine_runs_here_and_nothing_is_tried(starter, caplog, kept):
    loader = Loader(load_here, ("/no/such/program",), Records(kept, "this one"))
    engine = loader(str(starter), Loading(threads=1), StopFlag())
    assert isinstance(engine, LlamaEngine)
    assert "runs in the window's" in caplog.text
    assert "should llama.cpp fail, the window ends with it" in engine.facts.notices[-1]
    assert not kept.exists()
    engine.close()


def test_no_process_and_no_open_file_is_left_behind_by_a_trial(started, model, caplog):
    files = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    put_aside(started(), model("bad.gguf", trial=DIES))
    opened(started(), model("good.gguf")).close()
    caplog.clear()
    if files:
        assert len(os.listdir("/proc/self/fd")) <= files, "fewer, where garbage of an earlier test went meanwhile"

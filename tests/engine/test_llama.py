"""What is llama.cpp's own: loading, the library around it, long replies, closing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors import ModelFileError, ModelMemoryError
from app.core.fit import Machine
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Request, StopReason, Turn
from app.engine.bench import bench
from app.engine.devices import library
from app.engine.llama import load, this_machine
from tests.engine.conftest import loaded
from tests.engine.gguf_writer import NORMAL, tiny_model

ONE = Loading(threads=1)
HOT = Sampling(temperature=3, top_k=None, top_p=None, seed=5)


def say(engine, turns, sampling):
    events = list(engine.stream(Request(engine.render(turns).tokens, sampling), StopFlag()))
    return "".join(event.text for event in events if isinstance(event, Delta)), events[-1]


def test_loading_tells_how_far_it_is(starter):
    heard = []
    engine = load(str(starter), ONE, StopFlag(), heard.append)
    engine.close()
    assert heard == sorted(heard)
    assert heard[0] < 0.5
    assert heard[-1] == 1.0


def test_loading_can_be_stopped(starter):
    stop = StopFlag()
    assert load(str(starter), ONE, stop, lambda _fraction: stop.set()) is None


def test_an_error_in_the_listener_does_not_reach_llama_cpp(starter):
    def broken(_fraction):
        raise RuntimeError("listener")

    with pytest.raises(RuntimeError, match="listener"):
        load(str(starter), ONE, StopFlag(), broken)


def test_no_room_in_memory_is_told_before_loading(starter):
    with pytest.raises(ModelMemoryError, match="free"):
        load(str(starter), Loading(context_tokens=8192), StopFlag(), machine=Machine(30_000_000, 2))


def test_a_context_that_llama_cpp_cannot_make_is_told(starter, monkeypatch):
    monkeypatch.setattr(library().llama, "llama_init_from_model", lambda *_args: None)
    with pytest.raises(ModelMemoryError, match="smaller context"):
        load(str(starter), ONE, StopFlag())


def test_a_relative_path_with_odd_letters_loads(starter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mödel 😀.gguf").symlink_to(starter)
    engine = load("mödel 😀.gguf", ONE, StopFlag())
    assert engine.facts.path == "mödel 😀.gguf"
    engine.close()


@pytest.mark.parametrize(
    "loading",
    [
        {"kv_type": "q8_0"},
        {"kv_type": "q4_0", "flash_attention": "on"},
        {"kv_type": "q8_0", "flash_attention": "off"},
        {"flash_attention": "off"},
        {"mmap": False},
        {"batch_tokens": 32},
        {"batch_tokens": 4096},
        {"context_tokens": 256},
        {"context_tokens": 4096},
    ],
    ids=str,
)
def test_each_way_of_loading_answers(starter, open_model, loading):
    engine = open_model(starter, **loading)
    turns = [Turn(Role.USER, "Write a list of fruits.")]
    text, done = say(engine, turns, Sampling(temperature=0, max_tokens=30))
    assert text.startswith("Here are three") or loading.get("kv_type") == "q4_0"
    assert done.completion_tokens > 3


def test_a_cache_type_that_the_model_cannot_have_gives_way_with_a_notice(tiny, open_model):
    engine = open_model(tiny, kv_type="q8_0")  # its heads are half a q8_0 block wide
    assert "f16" in engine.facts.notices[0]
    assert say(engine, [Turn(Role.USER, "hello")], Sampling(max_tokens=2))[1].completion_tokens


def test_an_answer_that_goes_on_keeps_the_space_before_its_next_word(tiny, open_model, monkeypatch):
    engine = open_model(tiny)
    word = engine._vocabulary.text_tokens("the")
    turns = [Turn(Role.USER, "hello"), Turn(Role.ASSISTANT, "use")]
    for continues, said in ((True, " the"), (False, "the")):
        chosen = iter([*word, 2])
        monkeypatch.setattr("app.engine.sampling.Sampler.choose", lambda _self, _context, chosen=chosen: next(chosen))
        request = Request(engine.render(turns).tokens, HOT, continues=continues)
        assert "".join(e.text for e in engine.stream(request, StopFlag()) if isinstance(e, Delta)) == said


def test_what_llama_cpp_says_is_kept_and_not_printed(starter, capfd, open_model):
    open_model(starter)
    assert any("n_ctx" in line for line in library().lines)
    assert capfd.readouterr() == ("", "")


def test_a_model_of_2023_stops_where_it_spells_the_end(tmp_path, open_model, monkeypatch):
    engine = open_model(tiny_model(tmp_path / "m.gguf", chatml_type=None))
    spelled = engine._vocabulary.following_tokens("Fine.<|im_end|>\nmore")
    chosen = iter(spelled)
    monkeypatch.setattr("app.engine.sampling.Sampler.choose", lambda _self, _context: next(chosen))
    text, done = say(engine, [Turn(Role.USER, "hello")], HOT)
    assert text == "Fine."
    assert done.reason is StopReason.STOP_STRING


@pytest.mark.parametrize("token", [32000, 32001, 2], ids=["im_end", "im_start", "eos"])
def test_any_token_that_ends_a_turn_ends_the_reply(tmp_path, open_model, monkeypatch, token):
    engine = open_model(tiny_model(tmp_path / "m.gguf", chatml_type=NORMAL))
    chosen = iter([300, 301, token])
    monkeypatch.setattr("app.engine.sampling.Sampler.choose", lambda _self, _context: next(chosen))
    _, done = say(engine, [Turn(Role.USER, "hello")], HOT)
    assert done.reason is StopReason.END
    assert done.token_ids == (300, 301)


def test_a_reply_goes_on_until_the_context_is_full(tiny, open_model):
    engine = open_model(tiny, context_tokens=256)
    prompt = engine.render([Turn(Role.USER, "hello")]).tokens
    events = list(engine.stream(Request(prompt, HOT), StopFlag()))
    assert events[-1].reason is StopReason.CONTEXT
    assert events[-1].completion_tokens == 256 - len(prompt) + 1


def test_streamed_text_is_that_of_all_bytes_at_once_over_many_seeds(tiny_engine):
    turns = [Turn(Role.USER, "hello")]
    for seed in range(60):
        text, done = say(tiny_engine, turns, Sampling(temperature=5, top_k=None, top_p=None, seed=seed, max_tokens=16))
        whole = b"".join(tiny_engine._vocabulary.piece(token) for token in done.token_ids)
        assert text == whole.decode("utf-8", "replace")


def test_a_token_longer_than_any_buffer_is_written_whole(tmp_path, open_model):
    engine = open_model(tiny_model(tmp_path / "m.gguf", extra_tokens=[("x" * 500, NORMAL)]))
    assert engine._vocabulary.piece(32_002) == b"x" * 500


def test_loading_and_closing_forty_times_leaves_nothing_behind(starter):
    def open_files():
        return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0

    loaded(starter).close()
    before = open_files()
    for _ in range(40):
        engine = loaded(starter, context_tokens=256)
        say(engine, [Turn(Role.USER, "Hi")], Sampling(max_tokens=2))
        engine.close()
    assert open_files() <= before  # what an earlier test left may go meanwhile


def test_two_models_at_once_do_not_disturb_each_other(starter, tiny, open_model):
    one, other = open_model(starter), open_model(tiny)
    turns = [Turn(Role.USER, "Write a list of fruits.")]
    alone = say(one, turns, Sampling(temperature=0))[0]
    stream = one.stream(Request(one.render(turns).tokens, Sampling(temperature=0)), StopFlag())
    mixed = ""
    for event in stream:
        mixed += event.text if isinstance(event, Delta) else ""
        if isinstance(event, Delta):
            say(other, turns, Sampling(max_tokens=1))
    assert mixed == alone


def test_this_machine_is_described():
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.has_gpu == bool(library().gpus())


def test_a_bench_measures_reading_and_generating(starter):
    figures = bench(str(starter), n_prompt=64, n_gen=8, depth=32, reps=2, loading=ONE)
    assert all(speed > 0 for part in ("prompt", "generate") for speed in figures[f"{part}_runs"])
    assert figures["prompt_tokens_per_s"] > 0
    assert figures["generate_tokens_per_s"] > 0
    here = bench(str(starter), n_prompt=64, n_gen=8, reps=1, loading=ONE, in_thread=True)
    assert here["in_thread"] is True
    assert figures["in_thread"] is False
    assert bench(str(starter), n_prompt=0, n_gen=4, reps=1, loading=ONE)["prompt_tokens_per_s"] == 0
    with pytest.raises(ModelFileError):
        bench("nothing.gguf")


def run(code: str, **more) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, **more)


def test_an_abort_of_llama_cpp_leaves_its_reason_in_the_crash_file(tmp_path):
    crash = tmp_path / "crash.txt"
    code = f"""
import os
from app.engine.devices import library
native = library()
native.report_aborts_to(os.open({str(crash)!r}, os.O_CREAT | os.O_WRONLY))
native.llama.llama_batch_init(-1, 0, 1)
abort = native.symbol("ggml_abort")
abort(b"file.cpp", 7, b"the reason")
"""
    done = run(code)
    assert done.returncode != 0
    assert "file.cpp:7: the reason" in crash.read_text()
    assert crash.read_text().count("\n") == 1


def test_the_crash_file_is_named_before_llama_cpp_is_opened_and_used_by_it(tmp_path):
    crash = tmp_path / "crash.txt"
    code = f"""
import os, sys
from app.engine import devices
devices.report_aborts_to(os.open({str(crash)!r}, os.O_CREAT | os.O_WRONLY))
assert "llama_cpp.llama_cpp" not in sys.modules
devices.library().symbol("ggml_abort")(b"file.cpp", 7, b"the reason")
"""
    assert run(code).returncode != 0
    assert "file.cpp:7: the reason" in crash.read_text()


@pytest.mark.skipif(os.name == "nt", reason="descriptors are closed in another way there")
def test_a_model_loads_in_a_program_that_was_started_without_standard_streams(starter):
    code = f"""
import os, sys
for fd in (0, 1, 2):
    os.close(fd)
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.llama import load
engine = load({str(starter)!r}, Loading(threads=1), StopFlag())
os._exit(41 if engine.count("Hello") else 1)
"""
    assert run(code).returncode == 41


def test_importing_the_engine_loads_neither_llama_cpp_nor_jinja():
    heavy = {"llama_cpp.llama_cpp", "jinja2", "numpy"}
    code = f"import sys, app.engine.llama, app.engine.turn; print({heavy} & set(sys.modules))"
    assert run(code).stdout.strip() == b"set()"


def test_llama_cpp_is_opened_without_the_package_around_it_which_can_still_be_imported():
    code = """
import sys
from app.engine.devices import library
llama = library().llama
print({"llama_cpp", "numpy", "jinja2", "diskcache"} & set(sys.modules))
import llama_cpp
print(llama_cpp.llama_cpp is llama, llama_cpp.Llama.__name__)
"""
    assert run(code).stdout.decode().split("\n")[:2] == ["set()", "True Llama"]


def test_quitting_in_the_middle_of_a_reply_is_clean(starter):
    code = f"""
from app.core.options import Loading, Sampling
from app.core.stopping import StopFlag
from app.engine.base import Request
from app.engine.llama import load
engine = load({str(starter)!r}, Loading(threads=1), StopFlag())
stream = engine.stream(Request(tuple(range(300, 400)), Sampling(temperature=3)), StopFlag())
for event in stream:
    if getattr(event, "completion_tokens", 0) == 3:
        break
"""
    done = run(code)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_loaded_model_tells_its_quant(starter_engine):
    assert starter_engine.facts.quant == "Q8_0"


def test_done_is_the_last_event_even_for_one_token(starter_engine):
    tokens = starter_engine.render([Turn(Role.USER, "Hi")]).tokens
    events = list(starter_engine.stream(Request(tokens, Sampling(max_tokens=1)), StopFlag()))
    assert isinstance(events[-1], Done)
    assert events[-1].completion_tokens == 1

"""LoRA adapters on the real llama.cpp: they change what is said by their weight, and a broken one is an error."""

from __future__ import annotations

import pytest

from app.core.adapters import Adapter, adapter_of
from app.core.errors import ModelFileError, SettingError
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.settings import declared
from app.core.stopping import StopFlag
from app.engine.adapters import size_bytes
from app.engine.base import Delta, Done, Request, Turn
from app.engine.llama import load
from tests.engine.gguf_writer import lora_adapter

TURNS = [Turn(Role.USER, "Write a list of fruits.")]
LONG = [Turn(Role.USER, "Tell me about " + "rivers and stones and lamps and " * 12 + "gardens.")]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, starter):
    return lora_adapter(tmp_path_factory.mktemp("adapters") / "pirate.gguf", starter)


def say(engine, turns=TURNS, conversation: int = 1) -> tuple[str, Done]:
    request = Request(engine.render(turns).tokens, Sampling(temperature=0, max_tokens=24), conversation)
    events = list(engine.stream(request, StopFlag()))
    return "".join(event.text for event in events if isinstance(event, Delta)), events[-1]


def test_weight_0_changes_nothing_and_weight_1_changes_what_is_said(open_model, starter, adapter):
    plain = say(open_model(starter))[0]
    assert say(open_model(starter, adapters=(f"0 {adapter}",)))[0] == plain
    changed = open_model(starter, adapters=(f"1 {adapter}",))
    assert say(changed)[0] != plain
    assert changed.facts.placement.adapters == ("pirate.gguf × 1",)


def test_several_adapters_add_up(open_model, starter, adapter, tmp_path):
    other = lora_adapter(tmp_path / "other.gguf", starter, tensor="ffn_up")
    one = say(open_model(starter, adapters=(f"1 {adapter}",)))[0]
    assert say(open_model(starter, adapters=(f"1 {adapter}", f"1 {other}")))[0] != one


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"wider_by": 32}, "incorrect shape"),
        ({"architecture": "qwen2"}, "architecture qwen2; this one is llama"),
        ({"kind": "model"}, "a model of its own"),
    ],
    ids=["shape", "architecture", "no adapter"],
)
def test_an_adapter_that_does_not_fit_is_an_error_that_says_why(starter, tmp_path, made, why):
    wrong = lora_adapter(tmp_path / "wrong.gguf", starter, **made)
    with pytest.raises(ModelFileError) as caught:
        load(str(starter), Loading(adapters=(f"1 {wrong}",)), StopFlag())
    assert "wrong.gguf" in caught.value.title
    assert why in caught.value.detail


def test_an_adapter_that_is_gone_or_no_gguf_or_cut_off_is_an_error(starter, adapter, tmp_path):
    (tmp_path / "text.gguf").write_text("hello")
    (tmp_path / "half.gguf").write_bytes(adapter.read_bytes()[:-5000])
    for name in ("gone.gguf", "text.gguf", "half.gguf"):
        with pytest.raises(ModelFileError) as caught:
            load(str(starter), Loading(adapters=(f"0 {tmp_path / name}",)), StopFlag())
        assert name in caught.value.title


def test_what_was_read_with_another_weight_is_not_used_again(open_model, starter, adapter, tmp_path):
    def read(*adapters: str) -> int:
        engine = open_model(starter, adapters=adapters)
        engine.keep_in(str(tmp_path / "kv"), 10**9)
        cached = say(engine, LONG)[1].cached_tokens
        engine.close()
        return cached

    assert read(f"1 {adapter}") == 0
    assert read(f"1 {adapter}") > 0
    assert read(f"0.5 {adapter}") == 0
    assert read() == 0
    adapter.write_bytes(lora_adapter(tmp_path / "another.gguf", starter, rank=8).read_bytes())
    assert read(f"0.5 {adapter}") == 0


def test_a_line_is_a_weight_and_a_path():
    assert adapter_of("0.5 /a b/c.gguf") == Adapter("/a b/c.gguf", 0.5)
    assert adapter_of("/a b/c.gguf") == Adapter("/a b/c.gguf", 1.0)
    assert str(Adapter("/a b/c.gguf", 0.25)) == "0.25 /a b/c.gguf"
    setting = declared(Loading)["adapters"]
    assert setting.parsed("/x.gguf\n2 /y.gguf") == ("1 /x.gguf", "2 /y.gguf")
    for wrong in ("2.5 /x.gguf", "-1 /x.gguf", "1", "nan /x.gguf"):
        with pytest.raises(SettingError):
            setting.checked((wrong,))


def test_adapters_count_in_what_a_model_takes(adapter, tmp_path):
    assert size_bytes((f"1 {adapter}", f"1 {tmp_path / 'gone.gguf'}")) == adapter.stat().st_size

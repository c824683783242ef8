"""Whether two texts are the same, and why they may not be."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.chat import Provenance
from app.core.reproduced import around, first_difference, reasons

HOW = Provenance(
    model_path="/m.gguf",
    model_size_bytes=10,
    model_mtime_ns=5,
    engine="one 1",
    running={"devices": ("CPU",), "gpu_layers": 0, "threads": 4, "kv_type": "f16", "adapters": ()},
    template="ChatML",
    context_tokens=4096,
    prompt_tokens=50,
    stop_reason="end",
)


@pytest.mark.parametrize(
    ("old", "new", "cut_off", "at"),
    [
        ("same", "same", False, -1),
        ("same", "sane", False, 2),
        ("same", "same and more", False, 4),
        ("same and more", "same", False, 4),
        ("same", "same and more", True, -1),
        ("same and more", "same", True, -1),
        ("same", "sane and more", True, 2),
        ("same", "", True, 0),
        ("", "", False, -1),
        ("héé☕x", "héé☕y", False, 4),
    ],
)
def test_the_first_difference_is_counted_in_characters(old: str, new: str, cut_off: bool, at: int):
    assert first_difference(old, new, cut_off=cut_off) == at


def test_a_few_words_around_a_place_are_shown():
    text = "one two three four five six seven eight nine ten eleven twelve"
    assert around(text, 30).startswith("…")
    assert around(text, 30).endswith("…")
    assert around("short", 2) == "short"


def why(old: Provenance = HOW, **changes: object) -> str:
    return " ".join(reasons(old, dataclasses.replace(HOW, **changes)))


def test_where_nothing_differs_the_last_bits_may():
    assert "last bits" in why()
    assert len(reasons(HOW, HOW)) == 1


def test_each_thing_that_differs_is_named():
    sums = dataclasses.replace(HOW, model_sha256=("a",))
    assert "SHA-256 is not the same" in why(sums, model_sha256=("b",))
    assert "size or its time" in why(model_mtime_ns=6)
    assert "last bits" in why(sums, model_sha256=("a",), model_mtime_ns=6), "touched, but the same bytes"
    assert "one 1 then, one 2 now" in why(engine="one 2")
    assert "another device: CPU then, GPU now" in why(running={**HOW.running, "devices": ("GPU",)})
    assert "KV cache type: f16 then, q8_0 now" in why(running={**HOW.running, "kv_type": "q8_0"})
    assert "LoRA adapters: none then, 1 x.gguf now" in why(running={**HOW.running, "adapters": ("1 x.gguf",)})
    assert "on a GPU" in why(running={**HOW.running, "gpu_layers": 3})
    assert "4,096 tokens then, and 2,048 now" in why(context_tokens=2048)
    assert "template" in why(template="the model's own")
    assert "50 tokens then, and 51 now" in why(prompt_tokens=51)


def test_how_it_was_written_may_be_why():
    mixed = dataclasses.replace(HOW, running={**HOW.running, "inexact": "experts"})
    assert "made of experts" in why(dataclasses.replace(mixed, at_once=2))
    assert "experts" not in why(mixed), "it was written alone"
    assert "up to 15 others" in why(dataclasses.replace(HOW, at_once=16))
    assert "last bits" in why(dataclasses.replace(HOW, at_once=4, cached_tokens=30)), "exact, and shared tokens too"
    assert "30 tokens of its prompt had been read before" in why(dataclasses.replace(HOW, cached_tokens=30))
    assert "12 tokens of its prompt were moved" in why(dataclasses.replace(HOW, cached_tokens=30, moved_tokens=12))
    assert "were not kept" in why(dataclasses.replace(HOW, continued_chars=9))


def test_an_answer_of_before_says_that_less_was_kept():
    told = why(Provenance(model_path="/m.gguf", template="ChatML", stop_reason="end"))
    assert "Which file made it was not kept" in told
    assert "Which version of llama.cpp made it was not kept." in told

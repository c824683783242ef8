"""What made several answers, as Markdown."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace

import pytest

from app.core.chat import MessageState, Provenance
from app.core.made_answers import _SHARED, line_below, numbered, state_words, told_once
from app.core.made_by import shared

HOW = Provenance(
    model_name="Tiny", model_path="/home/ada/tiny.gguf", seed=1, stop_reason="end", template="ChatML",
    sampling={"temperature": 0.5, "top_k": 40}, running={"kv_type": "f16", "adapters": ("pirate.gguf × 0.8",)},
)  # fmt: skip


@pytest.mark.parametrize(
    ("places", "words"),
    [((0,), "Answer 1"), ((0, 1), "Answers 1, 2"), ((1, 2, 3, 6), "Answers 2 to 4, 7"), ((4, 2), "Answers 5, 3")],
)
def test_many_answers_are_called_by_few_numbers(places: tuple[int, ...], words: str):
    assert numbered(places) == words


def test_below_an_answer_stands_all_that_was_made_otherwise_than_the_one_before():
    other = replace(
        HOW,
        seed=2,
        template="Alpaca",
        sampling={"temperature": 1.5, "top_k": 40},
        running={"kv_type": "q8_0"},
        system_prompt="Be wild.",
    )
    assert line_below(other, HOW) == (
        "*another system prompt · chat template Alpaca · temperature 1.5 · KV cache q8\\_0 · no LoRA adapters · seed 2"
        " · ended by the model itself*"
    )
    assert line_below(HOW, HOW, "Answer 2") == "*Answer 2 · seed 1 · ended by the model itself*"


def test_another_model_is_told_as_the_first_was():
    other = replace(HOW, model_name="*Big*", context_tokens=4096)
    assert line_below(other, HOW) == r"*\*Big\* · seed 1 · temp 0.5 · context 4096 · ended by the model itself*"


def test_why_there_is_no_answer_is_told_in_one_line_and_without_folders():
    failed = replace(HOW, seed=0, stop_reason="", error="/home/ada/tiny.gguf\nis [gone]_")
    assert line_below(failed, HOW) == r"*error tiny.gguf is \[gone\]\_*"


def test_nothing_is_said_where_nothing_is_known():
    assert line_below(None) == line_below(Provenance(), name="Answer 1") == ""
    assert told_once([None, Provenance()], numbered, lambda *_: False) == ""


def test_what_all_share_is_said_once_and_what_only_some_have_by_them():
    bare = replace(HOW, running={"kv_type": "f16"})
    text = told_once([HOW, bare, HOW], numbered, lambda *_: False)
    assert text.count("- KV cache: `f16`") == text.count("- Temperature: `0.5`") == text.count("tiny.gguf") == 1
    assert text.endswith("\n\n### Answers 1, 3\n\n**Computed by**\n\n- LoRA adapters: `pirate.gguf × 0.8`")
    assert "Answer 2" not in text, "it has nothing more than all have"


def test_one_system_prompt_that_is_nowhere_else_is_told_for_all():
    wild = replace(HOW, system_prompt="Be wild.\n\nBe kind.")
    text = told_once([wild, replace(wild, template="Alpaca")], numbered, lambda *_: False)
    assert text.count("**System prompt**\n\n> Be wild.\n>\n> Be kind.\n\n### Answer 1") == 1
    assert "> Be wild" not in told_once([wild, wild], numbered, lambda place, prompt: prompt == wild.system_prompt)


def test_an_answer_that_is_not_whole_says_why():
    assert [state for state in MessageState if not state_words(state)] == [MessageState.DONE]


def test_what_counts_as_an_answers_own_is_nothing_that_is_told_as_shared():
    values = {int: 7, float: 7.0, str: "7", tuple: ("7",)}
    for field in fields(Provenance):
        kind = dict if field.default is MISSING else type(field.default)
        other = replace(HOW, **{field.name: {"top_k": 5} if kind is dict else values[kind]})
        assert field.name in _SHARED or shared(other) == shared(HOW), field.name

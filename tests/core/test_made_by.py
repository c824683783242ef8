"""What made an answer, in words."""

from __future__ import annotations

import dataclasses
from datetime import UTC

import pytest

from app.core.chat import Provenance
from app.core.made_by import as_markdown, figure_words, handed_on, in_brief, is_worded, sections, shared, short, when
from app.core.options import Sampling

HOW = Provenance(
    model_name="MistralOrca 7B",
    model_path="/models/mistral `7b`.gguf",
    model_quant="Q4_K_M",
    model_size_bytes=4_368_438_944,
    model_sha256=("9f3c4e" + "0" * 54 + "a71b",),
    engine="llama-cpp-python 0.3.36",
    running={
        "devices": ("NVIDIA H100 (CUDA0)", "CPU"), "gpu_layers": 20, "layers": 33, "threads": 8, "batch_tokens": 512,
        "kv_type": "q8_0", "flash_attention": True, "adapters": ("0.8 pirate.gguf",),
    },
    system_prompt="Be brief.\nBe kind.",
    prompt_version="ab" * 32,
    template="ChatML",
    sampling={**dataclasses.asdict(Sampling(temperature=0.2, stop=("###",), max_tokens=512))},
    seed=42,
    context_tokens=8192,
    prompt_tokens=1200,
    cached_tokens=1000,
    completion_tokens=71,
    tokens_per_s=32.4,
    duration_ms=2200.0,
    stop_reason="end",
    at_once=4,
    made_ms=1_795_254_000_000,
)  # fmt: skip


def rows(how: Provenance, **more: str) -> dict[str, str]:
    return {name: value for section in sections(how, zone=UTC, **more) for name, value in section.rows}


def test_everything_that_is_kept_is_told():
    told = rows(HOW)
    expected = {
        "Name": "MistralOrca 7B",
        "Quant": "Q4_K_M",
        "SHA-256": HOW.model_sha256[0],
        "Version": "ab" * 32,
        "Chat template": "ChatML",
        "Seed": "42",
        "Temperature": "0.2",
        "Top-k": "40",
        "Min-p": "Off",
        "Stop strings": "“###”",
        "Longest reply": "512 tokens",
        "Device": "NVIDIA H100 (CUDA0), CPU",
        "Layers on the GPU": "20 of 33",
        "Context": "8,192 tokens",
        "KV cache": "q8_0",
        "Flash attention": "on",
        "LoRA adapters": "0.8 pirate.gguf",
        "Engine": "llama-cpp-python 0.3.36",
        "Side by side": "up to 4 answers at once",
        "Prompt": "1,200 tokens, 1,000 read before",
        "Answer": "71 tokens",
        "Speed": "32.4 tokens per second",
        "Ended by": "the model itself",
        "Made": "21 Nov 2026, 09:40",
    }
    assert {name: told.get(name) for name in expected} == expected
    known = {field.name for field in dataclasses.fields(Sampling)} - {"seed"}
    sampler = next(section for section in sections(HOW) if section.title == "Sampler")
    assert len(sampler.rows) == len(known) + 1, "every value, and the seed"


def test_a_version_is_told_by_name_where_it_has_one():
    assert rows(HOW, version="Support desk, version 7")["Version"] == "Support desk, version 7"


def test_what_is_not_known_is_left_out():
    assert sections(Provenance()) == ()
    assert in_brief(Provenance()) == ("", "")
    old = Provenance(model_name="A", model_path="/a.gguf", sampling={"temperature": 1.0}, seed=3, stop_reason="end")
    assert rows(old) == {"Name": "A", "File": "/a.gguf", "System prompt": "none", "Seed": "3", "Temperature": "1",
                         "Ended by": "the model itself"}  # fmt: skip


def test_in_brief_it_is_two_lines_and_a_quant_is_said_once():
    model, values = in_brief(HOW)
    assert model == "MistralOrca 7B Q4_K_M · sha256 9f3c4e…a71b"
    assert values == "seed 42 · temp 0.2 · top-p 0.95 · context 8192"
    named = dataclasses.replace(HOW, model_name="mistral.Q4_K_M", model_sha256=())
    assert in_brief(named)[0] == "mistral.Q4_K_M"


def test_as_markdown_a_path_with_backticks_stays_a_path_and_the_prompt_is_quoted():
    text = as_markdown(HOW, zone=UTC)
    assert "- File: `` /models/mistral `7b`.gguf ``\n" in text
    assert text.endswith("**System prompt**\n\n> Be brief.\n> Be kind.\n")


@pytest.mark.parametrize("path", ["/home/ada/models/tiny.gguf", r"C:\Users\ada\models\tiny.gguf", "tiny.gguf"])
def test_what_is_handed_on_names_the_models_file_and_no_folder(path: str):
    how = dataclasses.replace(HOW, model_path=path, error=f"{path} is not there any more.")
    given = handed_on(how)
    assert (given.model_path, given.error) == ("tiny.gguf", "tiny.gguf is not there any more.")
    assert dataclasses.replace(given, model_path=path, error=how.error) == how, "all else goes along"
    assert "models" not in f"{shared(how)}{figure_words(how)}"


def test_the_figures_are_all_told_in_words_with_the_time_that_holds_everywhere():
    how = dataclasses.replace(HOW, ttft_ms=310.0, dropped_turns=2)
    assert figure_words(how) == [
        "prompt 1,200 tokens, 1,000 read before", "turns dropped 2", "answer 71 tokens", "first token after 0.31 s",
        "speed 32.4 tokens per second", "time 2.20 s", "ended by the model itself", "made 21 Nov 2026, 09:40 UTC",
    ]  # fmt: skip
    (told,) = [one.rows for one in sections(how) if one.title == "Figures"]
    assert len(told) == len(figure_words(how))
    assert figure_words(Provenance()) == []


@pytest.mark.parametrize(
    ("text", "template", "is_it"),
    [
        ("Be brief.", "Be brief.", True),
        ("Be brief!", "Be brief.", False),
        ("Be brief. Or not.", "Be brief.", False),
        ("You are Ada. Today is Monday.", "You are {{name}}. Today is {{date}}.", True),
        ("You are . Today is Monday.", "You are {{name}}. Today is {{date}}.", True),
        ("You are Ada. Today was Monday.", "You are {{name}}. Today is {{date}}.", False),
        ("Hello.", "Hello{{name}}o.", False),
        ("aXa", "a{{x}}a", True),
        ("a", "a{{x}}a", False),
        ("Use {{x}}", r"Use \{{x}}", True),
        ("", "", True),
    ],
)
def test_a_prompt_with_values_in_it_is_still_that_prompt(text: str, template: str, is_it: bool):
    assert is_worded(text, template) is is_it


def test_a_clock_gone_wild_has_no_date():
    assert when(1 << 60) == ""
    assert when(0, UTC) == "1 Jan 1970, 00:00"
    assert short("abc") == "abc"

"""What a person pastes to mean a model, in every form that model pages and other tools use."""

from __future__ import annotations

import pytest

from app.core.errors import HubError
from app.hub.reference import Reference, is_reference, parse

REPO = "TheBloke/Mistral-7B-OpenOrca-GGUF"
FILE = "mistral-7b-openorca.Q4_K_M.gguf"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (REPO, Reference(REPO)),
        (f"  {REPO}\n", Reference(REPO)),
        (f'"{REPO}"', Reference(REPO)),
        (f"<https://huggingface.co/{REPO}>", Reference(REPO)),
        (f"{REPO}:Q4_K_M", Reference(REPO, quant="Q4_K_M")),
        (f"{REPO}:q4_k_m", Reference(REPO, quant="Q4_K_M")),
        (f"{REPO}:UD-Q4_K_XL", Reference(REPO, quant="UD-Q4_K_XL")),
        (f"{REPO}:fp16", Reference(REPO, quant="F16")),
        (f"{REPO}:main", Reference(REPO, "main")),
        ("TheBloke/X-GPTQ:gptq-4bit-32g-actorder_True", Reference("TheBloke/X-GPTQ", "gptq-4bit-32g-actorder_True")),
        (f"{REPO}@v1.0", Reference(REPO, "v1.0")),
        (f"{REPO}/{FILE}", Reference(REPO, path=FILE)),
        (f"hf.co/{REPO}:Q5_K_M", Reference(REPO, quant="Q5_K_M")),
        (f"huggingface.co/{REPO}", Reference(REPO)),
        (f"https://huggingface.co/{REPO}", Reference(REPO)),
        (f"https://huggingface.co/{REPO}/", Reference(REPO)),
        (f"http://HuggingFace.co/{REPO}?library=llama.cpp#files", Reference(REPO)),
        (f"https://huggingface.co/models/{REPO}", Reference(REPO)),
        (f"https://huggingface.co/{REPO}/tree/main", Reference(REPO, "main")),
        (f"https://huggingface.co/{REPO}/tree/main/sub/folder", Reference(REPO, "main")),
        (f"https://huggingface.co/{REPO}/tree/refs%2Fpr%2F3", Reference(REPO, "refs/pr/3")),
        (f"https://huggingface.co/{REPO}/blob/refs/pr/3/{FILE}", Reference(REPO, "refs/pr/3", FILE)),
        (f"https://huggingface.co/{REPO}/blob/main/{FILE}", Reference(REPO, "main", FILE)),
        (f"https://huggingface.co/{REPO}/resolve/main/{FILE}?download=true", Reference(REPO, "main", FILE)),
        (f"https://huggingface.co/{REPO}/raw/main/a%20b/{FILE}", Reference(REPO, "main", f"a b/{FILE}")),
        (f"https://huggingface.co/{REPO}/commit/{'a' * 40}", Reference(REPO, "a" * 40)),
        (f"https://huggingface.co/{REPO}/discussions/4", Reference(REPO)),
        (f"hf://{REPO}", Reference(REPO)),
        (f"hf://models/{REPO}", Reference(REPO)),
        (f"hf://{REPO}@main/sub/{FILE}", Reference(REPO, "main", f"sub/{FILE}")),
        (f"hf://{REPO}@refs%2Fpr%2F3/{FILE}", Reference(REPO, "refs/pr/3", FILE)),
        (f"hf://{REPO}@refs/pr/3/{FILE}", Reference(REPO, "refs/pr/3", FILE)),
        (f"hf://{REPO}/{FILE}", Reference(REPO, path=FILE)),
        (f"HF://{REPO}:Q4_0", Reference(REPO, quant="Q4_0")),
        (f"ollama run hf.co/{REPO}:Q4_K_M", Reference(REPO, quant="Q4_K_M")),
        (f"llama-server -hf {REPO}:Q4_K_M", Reference(REPO, quant="Q4_K_M")),
        (f"hf download {REPO}", Reference(REPO)),
    ],
)
def test_every_usual_way_to_name_a_model_is_understood(text, meant):
    assert parse(text) == meant
    assert is_reference(text)


def test_a_hub_of_ones_own_is_understood_with_its_port_and_path():
    endpoint = "http://models.example.org:8080/hf"
    meant = Reference(REPO, "main", FILE)
    assert parse(f"http://models.example.org:8080/hf/{REPO}/blob/main/{FILE}", endpoint) == meant
    assert parse(f"https://huggingface.co/{REPO}/blob/main/{FILE}", endpoint) == meant
    with pytest.raises(HubError):
        parse(f"http://models.example.org/hf/{REPO}", endpoint)


@pytest.mark.parametrize("endpoint", ["https://[::1", "ftp://x", "not an address"])
def test_an_endpoint_that_cannot_be_used_does_not_stand_in_the_way_of_the_hub(endpoint):
    assert parse(f"https://huggingface.co/{REPO}", endpoint) == Reference(REPO)
    assert not is_reference("words to search for", endpoint)


def test_an_endpoint_counts_as_it_was_entered():
    assert parse(f"https://hf-mirror.com/{REPO}", "hf-mirror.com/") == Reference(REPO)
    assert parse(f"hf-mirror.com/{REPO}:Q8_0", "hf-mirror.com") == Reference(REPO, quant="Q8_0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "mistral",
        "mistral 7b openorca",
        "https://huggingface.co",
        "https://huggingface.co/TheBloke",
        "https://example.org/a/b",
        "https://huggingface.co.evil.org/a/b",
        "https://huggingface.co@evil.org/a/b",
        "ftp://huggingface.co/a/b",
        "https://[::1/a/b",
        "file:///home/me/model.gguf",
        "C:\\models\\model.gguf",
        "../../etc/passwd",
        "a/b:",
        "a/b@",
        "a/b@c:d",
        "a/b:../../c",
        "a/b:c d",
        "a/b/../c.gguf",
        "a/b\x00",
        "a/b\u202e",
        "x" * 3000,
    ],
)
def test_anything_else_is_refused_in_words(text):
    with pytest.raises(HubError) as caught:
        parse(text)
    assert caught.value.hint
    assert not is_reference(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://huggingface.co/datasets/Open-Orca/OpenOrca", "a data set"),
        ("hf://datasets/Open-Orca/OpenOrca", "a data set"),
        ("https://huggingface.co/spaces/Open-Orca/Mistral-7B-OpenOrca", "a web app"),
        ("huggingface.co/papers/2306.02707", "a paper"),
    ],
)
def test_other_things_on_the_hub_are_told_apart(text, what):
    with pytest.raises(HubError) as caught:
        parse(text)
    assert what in caught.value.detail

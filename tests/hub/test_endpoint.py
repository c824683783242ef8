"""The Hub's address: as people write it, and what is made from it."""

from __future__ import annotations

import pytest

from app.core.errors import SettingError
from app.hub.session import DEFAULT_ENDPOINT, Hub, default_endpoint, origin_of, read_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("", DEFAULT_ENDPOINT),
        ("huggingface.co", DEFAULT_ENDPOINT),
        ("http://HuggingFace.co/", DEFAULT_ENDPOINT),
        ("https://hf.co", DEFAULT_ENDPOINT),
        ("https://www.huggingface.co/models", DEFAULT_ENDPOINT),
        (" https://hf-mirror.com/ ", "https://hf-mirror.com"),
        ("http://localhost:8080/hf/", "http://localhost:8080/hf"),
    ],
)
def test_an_endpoint_is_read_as_people_write_it(text, endpoint):
    assert read_endpoint(text) == endpoint
    assert Hub(text).endpoint == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "ftp://huggingface.co",
        "file:///models",
        "https://",
        "https://user:secret@host.org",
        "https://host.org/?token=x",
        "https://host.org/#x",
        "https://ho st.org",
        "https://host.org:99999",
        "https://[::1",
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused_in_words(text):
    with pytest.raises(SettingError) as caught:
        Hub(text)
    assert "https://huggingface.co" in caught.value.hint


def test_hf_endpoint_is_the_default_where_it_is_set():
    assert default_endpoint({"HF_ENDPOINT": " https://hf-mirror.com "}) == "https://hf-mirror.com"
    assert default_endpoint({"HF_ENDPOINT": ""}) == DEFAULT_ENDPOINT
    assert default_endpoint({}) == DEFAULT_ENDPOINT


def test_addresses_are_quoted_whole():
    hub = Hub("http://localhost:8080/hf")
    assert (
        hub.api_url("a/b", "revision", "refs/pr/1") == "http://localhost:8080/hf/api/models/a/b/revision/refs%2Fpr%2F1"
    )
    assert (
        hub.resolve_url("a/b", "main", "x y/m#1.gguf") == "http://localhost:8080/hf/a/b/resolve/main/x%20y/m%231.gguf"
    )
    assert hub.page_url("a/b") == "http://localhost:8080/hf/a/b"


def test_origins_have_one_spelling():
    assert origin_of("HTTPS://HuggingFace.co/x") == origin_of("https://huggingface.co:443") != ""
    assert origin_of("https://huggingface.co") != origin_of("http://huggingface.co")
    assert origin_of("nonsense") == origin_of("file:///x") == origin_of("https://[::1") == ""

"""No text that is kept or shown holds an access token."""

from __future__ import annotations

import pytest

from app.core.secrets import without_secrets


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("hf_abcdefghijklmnopqrstuvwxyz", "(secret)"),
        ("login with hf_oauth_eyJh-b.c_0123456789, please", "login with (secret), please"),
        ("{'authorization': 'Bearer hf_abcdefghijklmnop'}", "{'authorization': 'Bearer (secret)'}"),
        ("Authorization: bearer my-own-hubs-secret", "Authorization: bearer (secret)"),
        ("b'Bearer 0123456789'", "b'Bearer (secret)'"),
        ("api_org_ABCDEFGHIJKL", "(secret)"),
    ],
)
def test_tokens_are_cut_out(text, kept):
    assert without_secrets(text) == kept


@pytest.mark.parametrize(
    "text",
    ["", "hf_hub_download(repo)", "HF_HOME is not set", "the bearer of news", "a plain sentence", "hf://owner/name"],
)
def test_other_words_stay(text):
    assert without_secrets(text) == text

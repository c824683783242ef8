"""The access token: in the keychain or nowhere, and never shown by accident."""

from __future__ import annotations

import logging
import sys
import types

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import pytest

from app.core.errors import HubTokenError, StorageError
from app.hub import token as token_module
from app.hub.token import NoKeychainError, TokenKeeper, checked, system_keychain, token_of_hf_login

TOKEN = "hf_" + "Canary" * 5


class Chain(keyring.backend.KeyringBackend):
    """A keychain in memory; `trouble` is raised by every call."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}
        self.trouble = None
        self.asked = 0

    def get_password(self, service, username):
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        if self.trouble:
            raise self.trouble
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if self.trouble:
            raise self.trouble
        del self.kept[service, username]


@pytest.fixture
def chain():
    return Chain()


@pytest.fixture(autouse=True)
def _no_real_keychain(monkeypatch):
    monkeypatch.setattr(keyring, "get_keyring", keyring.backends.fail.Keyring)


def test_a_kept_token_is_there_at_the_next_start(chain):
    TokenKeeper("huggingface.co", chain).keep(f"  {TOKEN}\n")
    assert TokenKeeper("huggingface.co", chain).token() == TOKEN
    assert list(chain.kept) == [("Orcinus", "huggingface.co")]


def test_another_hub_does_not_get_it(chain):
    TokenKeeper("huggingface.co", chain).keep(TOKEN)
    assert TokenKeeper("mirror.example.org", chain).token() is None


def test_the_keychain_is_asked_once_and_not_at_every_request(chain):
    keeper = TokenKeeper("huggingface.co", chain)
    assert [keeper.token() for _ in range(5)] == [None] * 5
    assert chain.asked == 1


def test_a_forgotten_token_is_gone_from_the_keychain_too(chain):
    keeper = TokenKeeper("huggingface.co", chain)
    keeper.keep(TOKEN)
    keeper.forget()
    assert keeper.token() is None
    assert chain.kept == {}
    keeper.forget()


def test_without_a_keychain_the_token_is_held_for_now_and_the_person_is_told():
    keeper = TokenKeeper("huggingface.co")
    assert keeper.token() is None
    with pytest.raises(StorageError) as caught:
        keeper.keep(TOKEN)
    assert "keychain" in caught.value.detail
    assert "until Orcinus closes" in caught.value.hint
    assert keeper.token() == TOKEN
    assert TokenKeeper("huggingface.co").token() is None
    keeper.forget()
    assert keeper.token() is None


def test_a_keychain_that_silently_keeps_nothing_is_not_believed(chain):
    chain.set_password = lambda *_: None
    with pytest.raises(StorageError):
        TokenKeeper("huggingface.co", chain).keep(TOKEN)


@pytest.mark.parametrize("trouble", [OSError("bus"), RuntimeError("locked"), Exception("dismissed")])
def test_a_locked_or_broken_keychain_never_stops_the_app(chain, trouble, caplog):
    keeper = TokenKeeper("huggingface.co", chain)
    chain.trouble = trouble
    with caplog.at_level(logging.DEBUG):
        assert keeper.token() is None
        with pytest.raises(StorageError):
            keeper.keep(TOKEN)
        assert keeper.token() == TOKEN
        with pytest.raises(StorageError) as caught:
            keeper.forget()
    assert keeper.token() is None
    assert "password manager" in caught.value.hint
    assert TOKEN not in caplog.text


def test_keychains_that_are_files_or_nothing_are_passed_over(monkeypatch, chain):
    plain = types.ModuleType("keyrings.alt.file")
    plain.PlaintextKeyring = type("PlaintextKeyring", (), {"__module__": "keyrings.alt.file"})
    monkeypatch.setitem(sys.modules, "keyrings.alt.file", plain)
    for useless in (plain.PlaintextKeyring(), keyring.backends.null.Keyring(), keyring.backends.fail.Keyring()):
        monkeypatch.setattr(keyring, "get_keyring", lambda chosen=useless: chosen)
        with pytest.raises(NoKeychainError):
            system_keychain()
    several = types.SimpleNamespace(backends=[plain.PlaintextKeyring(), chain])
    monkeypatch.setattr(keyring, "get_keyring", lambda: several)
    assert system_keychain() is chain


@pytest.mark.parametrize("text", [TOKEN, f" {TOKEN} ", f'"{TOKEN}"', f"Bearer {TOKEN}", f"{TOKEN}\r\n"], ids=range(5))
def test_what_is_copied_along_with_a_token_is_taken_off(text):
    assert checked(text) == TOKEN


@pytest.mark.parametrize(
    "text", ["", "hf_", "two words here", "hf_ab\ncd: evil", "hf_é" * 5, "x" * 501, "hf_\x00abcdef"]
)
def test_what_cannot_be_a_token_is_refused_before_it_is_kept(text, chain):
    keeper = TokenKeeper("huggingface.co", chain)
    with pytest.raises(HubTokenError) as caught:
        keeper.keep(text)
    assert keeper.token() is None
    assert chain.kept == {}
    assert len(text) < 5 or text.strip() not in str(caught.value)


def test_the_token_is_in_no_repr_and_no_message(chain):
    keeper = TokenKeeper("huggingface.co", chain)
    keeper.keep(TOKEN)
    assert TOKEN not in repr(keeper)
    assert TOKEN not in f"{keeper}"
    assert all(TOKEN not in str(value) for value in vars(token_module).values())


def test_the_login_of_the_hubs_own_tool_is_found_when_it_is_asked_for(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert token_of_hf_login() == TOKEN
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: (_ for _ in ()).throw(OSError("offline")))
    assert token_of_hf_login() is None

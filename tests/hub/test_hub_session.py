"""Talking to the Hub: time limits, redirects, and a token that never leaves home."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading

import pytest

from app.core.errors import (
    HubBusyError,
    HubNotFoundError,
    HubTokenError,
    HubUnreachableError,
)
from app.core.stopping import StopFlag
from app.hub.session import DEFAULT_ENDPOINT, Hub, prepare_environment
from tests.standin_hub.answers import Answer
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import Account

TOKEN = "hf_" + "Canary" * 5


@pytest.fixture
def hub(standin):
    return Hub(standin.url)


@pytest.fixture
def signed_in(standin):
    standin.tokens[TOKEN] = Account("ada")
    return Hub(standin.url, TOKEN, token_elsewhere=True)


def tokens_seen(standin):
    return {(asked.host, asked.token) for asked in standin.asked}


def test_the_hub_is_told_who_asks_and_nothing_else(hub, standin):
    hub.get_json(hub.api_url())
    (asked,) = standin.asked
    assert asked.headers["user-agent"].startswith("orcinus/")
    assert "torch" not in asked.headers["user-agent"]
    assert "authorization" not in asked.headers


def test_huggingface_hub_is_told_how_to_behave_before_it_is_imported(monkeypatch):
    environ = {"HF_HUB_DISABLE_XET": "0"}
    prepare_environment(environ)
    assert set(environ.values()) == {"1"}
    assert {"HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_HUB_DISABLE_XET"} <= environ.keys()
    for name in environ:
        monkeypatch.delenv(name, raising=False)
    Hub()
    assert environ.items() <= os.environ.items()


def test_a_login_of_other_tools_is_never_sent_by_itself(hub, standin, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.get_json(hub.api_url())
    assert tokens_seen(standin) == {("hub", "")}


def test_the_test_button_says_who_answers_and_whom_it_knows(hub, signed_in):
    assert hub.check() == "127.0.0.1 answers."
    assert signed_in.check() == "127.0.0.1 answers and knows you as ada."


def test_the_test_button_warns_of_a_token_that_can_do_too_much(signed_in, standin, monkeypatch):
    me = Answer(200, {}, b'{"name": "ada", "auth": {"accessToken": {"role": "write"}}}')
    monkeypatch.setattr(standin.listing, "_whoami", lambda _asked: me)
    assert signed_in.check().endswith("one that only reads is enough.")


@pytest.mark.parametrize("whoami", [b"[]", b"{}", b'{"name": 5}', b'{"name": "ada"}', b'{"name": "ada", "auth": 5}'])
def test_the_test_button_believes_only_a_hub(signed_in, standin, monkeypatch, whoami):
    monkeypatch.setattr(standin.listing, "_whoami", lambda _asked: Answer(200, {}, whoami))
    if b"ada" in whoami:
        assert signed_in.check() == "127.0.0.1 answers and knows you as ada."
    else:
        with pytest.raises(HubUnreachableError):
            signed_in.check()


def test_the_test_button_does_not_take_any_web_server_for_a_hub(hub, standin, monkeypatch):
    monkeypatch.setattr(standin.listing, "answer", lambda _asked: Answer(200, {}, b'{"status": "ok"}'))
    with pytest.raises(HubUnreachableError):
        hub.check()


def test_the_test_button_says_when_the_token_stays_at_home(standin):
    assert "not sent there" in Hub(standin.url, TOKEN).check()
    assert "not sent there" not in Hub(standin.url, lambda: None).check()
    assert tokens_seen(standin) == {("hub", "")}


def test_neither_the_token_nor_an_address_comes_into_the_log(signed_in, standin, caplog):
    standin.add("a/Secret-GGUF", {"m.Q4_0.gguf": b"GGUF"})
    with caplog.at_level(logging.INFO):
        signed_in.check()
        signed_in.get_json(signed_in.api_url("a/Secret-GGUF"))
        with pytest.raises(HubNotFoundError):
            signed_in.get_json(signed_in.api_url("a/Nothing"))
    assert tokens_seen(standin) == {("hub", TOKEN)}
    assert TOKEN not in caplog.text
    assert "Secret-GGUF" not in caplog.text


def test_a_hub_shows_no_token(signed_in):
    assert TOKEN not in repr(signed_in)


def test_a_bad_token_is_told_from_a_bad_connection(standin):
    with pytest.raises(HubTokenError) as caught:
        Hub(standin.url, TOKEN, token_elsewhere=True).check()
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("token", ["hf_two words", "hf_line\nend", "hf_é", "hf_\x00"])
def test_a_token_that_no_header_can_hold_is_told_and_not_sent(standin, token):
    with pytest.raises(HubTokenError) as caught:
        Hub(standin.url, token, token_elsewhere=True).check()
    assert token not in str(caught.value)
    assert standin.asked == []


def test_a_token_may_come_from_a_function_and_change(standin):
    standin.tokens["hf_second"] = Account("grace")
    given = iter([None, "hf_second", "hf_second"])
    hub = Hub(standin.url, lambda: next(given), token_elsewhere=True)
    hub.get_json(hub.api_url())
    hub.get_json(hub.api_url())
    assert [asked.token for asked in standin.asked] == ["", "hf_second"]


@pytest.mark.parametrize(
    ("endpoint", "elsewhere", "sent"),
    [
        (DEFAULT_ENDPOINT, False, True),
        ("https://huggingface.co:443/", False, True),
        ("https://mirror.example.org", False, False),
        ("https://mirror.example.org", True, True),
        ("http://mirror.example.org", True, False),
        ("http://huggingface.co:8080", True, False),
        ("http://127.0.0.1:8080", True, True),
        ("https://huggingface.co.example.org", False, False),
    ],
)
def test_the_token_goes_to_the_public_hub_and_elsewhere_only_when_wished_and_encrypted(endpoint, elsewhere, sent):
    hub = Hub(endpoint, TOKEN, token_elsewhere=elsewhere)
    assert ("authorization" in hub.headers()) is sent
    assert (hub.token == TOKEN) is sent


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn-lfs.huggingface.co/blob",
        "https://huggingface.co.evil.org/x",
        "http://huggingface.co/x",
        "https://huggingface.co:8443/x",
        "https://evil.org/huggingface.co",
        "//huggingface.co/x",
        "nonsense",
    ],
)
def test_headers_for_any_other_address_have_no_token(url):
    hub = Hub(token=TOKEN)
    assert "authorization" not in hub.headers(url)
    assert "authorization" not in hub.headers(url, for_download=True)
    assert "authorization" in hub.headers("https://HuggingFace.co/api/models")


def test_a_download_is_counted_and_comes_unpacked():
    headers = Hub().headers(for_download=True)
    assert headers["Accept-Encoding"] == "identity"
    assert headers["X-HF-Download-Counter"] == "1"
    assert "X-HF-Download-Counter" not in Hub().headers("https://cdn.example.org/x", for_download=True)


def test_a_redirect_within_the_hub_is_followed_with_the_token(signed_in, standin):
    standin.add("new/Name-GGUF", {"m.Q4_0.gguf": b"GGUF"}, old_ids=("old/Name-GGUF",))
    assert signed_in.get_json(signed_in.api_url("old/Name-GGUF"))["id"] == "new/Name-GGUF"
    assert tokens_seen(standin) == {("hub", TOKEN)}


@pytest.mark.parametrize(
    "location",
    ["http://login.example.org/portal", "{cdn}/x", "//example.org/", "file:///etc/passwd", "http://[::1/x", "https://"],
)
def test_a_redirect_away_from_the_hub_is_a_portal_and_gets_nothing(signed_in, standin, location):
    headers = {"Location": location.format(cdn=standin.cdn_url)}
    standin.faults.append(Fault(Kind.STATUS, "api", times=None, status=302, headers=headers))
    with pytest.raises(HubUnreachableError) as caught:
        signed_in.get_json(signed_in.api_url())
    assert "in the Hub's place" in caught.value.title
    assert standin.asked_of("cdn") == []


def test_redirects_in_a_circle_come_to_an_end(hub, standin):
    circle = {"Location": "/api/models"}
    standin.faults.append(Fault(Kind.STATUS, "api", times=None, status=307, headers=circle))
    with pytest.raises(HubUnreachableError):
        hub.get_json(hub.api_url())
    assert len(standin.asked) <= 10


def test_a_captive_portal_is_not_taken_for_the_hub(hub, standin):
    standin.faults.append(Fault(Kind.PORTAL, "api"))
    with pytest.raises(HubUnreachableError) as caught:
        hub.get_json(hub.api_url())
    assert "web browser" in caught.value.hint


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["empty", "cut", "bytes", "deep"])
def test_an_answer_that_is_no_json_is_not_the_hubs(hub, standin, monkeypatch, body):
    monkeypatch.setattr(standin.listing, "answer", lambda _asked: Answer(200, {}, body))
    with pytest.raises(HubUnreachableError):
        hub.get_json(hub.api_url())


def test_an_answer_without_end_is_given_up(hub, standin, monkeypatch):
    monkeypatch.setattr(standin.listing, "answer", lambda _asked: Answer(200, {}, b" " * (9 * 2**20)))
    with pytest.raises(HubUnreachableError) as caught:
        hub.get_json(hub.api_url())
    assert "no end" in caught.value.title


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.RESET])
def test_a_connection_that_breaks_off_is_told(hub, standin, kind):
    standin.faults.append(Fault(kind, "api", after=1))
    with pytest.raises(HubUnreachableError) as caught:
        hub.get_json(hub.api_url())
    assert "broke off" in caught.value.title


def test_a_server_that_never_answers_is_given_up(standin):
    standin.faults.append(Fault(Kind.SILENT, "api"))
    hub = Hub(standin.url, read_s=0.1)
    with pytest.raises(HubUnreachableError) as caught:
        hub.get_json(hub.api_url())
    assert "too long" in caught.value.title


def test_a_server_that_trickles_is_given_up_too(standin):
    standin.faults.append(Fault(Kind.TRICKLE, "api", rate=20))
    for number in range(10):
        standin.add(f"owner/m{number}", {"m.Q4_0.gguf": b"GGUF"})
    hub = Hub(standin.url, read_s=5, answer_s=0.2)
    with pytest.raises(HubUnreachableError) as caught:
        hub.get_json(hub.api_url())
    assert "too long" in caught.value.title


@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.STALL])
def test_a_question_is_withdrawn_at_once(standin, kind):
    standin.faults.append(Fault(kind, "api", after=1))
    hub, stop = Hub(standin.url, connect_s=3600, read_s=3600, answer_s=3600), StopFlag()
    waiting = threading.Timer(0.1, stop.set)
    waiting.start()
    with pytest.raises(HubUnreachableError):
        hub.get_json(hub.api_url(), stop=stop)
    waiting.join()


def test_a_question_withdrawn_before_it_is_asked_is_not_asked(hub, standin):
    stop = StopFlag()
    stop.set()
    with pytest.raises(HubUnreachableError):
        hub.get_json(hub.api_url(), stop=stop)
    assert standin.asked == []


def test_nobody_there_is_told_as_no_connection():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(HubUnreachableError) as caught:
        Hub(f"http://127.0.0.1:{port}").check()
    assert caught.value.title == "No connection to the Hub"


def test_the_systems_proxy_is_used(standin, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", standin.url)
    monkeypatch.setenv("NO_PROXY", "")
    assert Hub("http://models.example.org").check() == "models.example.org answers."
    assert standin.asked[0].headers["host"] == "models.example.org"


def test_a_proxy_that_is_not_there_is_told(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(HubUnreachableError):
        Hub("http://models.example.org").check()


def test_offline_mode_is_told_as_what_it_is(hub, standin, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnreachableError) as caught:
        hub.get_json(hub.api_url())
    assert "HF_HUB_OFFLINE" in caught.value.detail
    assert standin.asked == []


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after"),
    [
        (429, {"Retry-After": "7"}, HubBusyError, 7),
        (429, {"ratelimit": '"api";r=0;t=55'}, HubBusyError, 55),
        (429, {}, HubBusyError, None),
        (429, {"Retry-After": "99999999999"}, HubBusyError, 3600),
        (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, HubBusyError, None),
        (503, {"Retry-After": "3"}, HubBusyError, 3),
        (503, {}, HubUnreachableError, None),
        (500, {}, HubUnreachableError, None),
        (404, {}, HubNotFoundError, None),
    ],
)
def test_a_refusal_becomes_the_right_error(hub, standin, status, headers, kind, after):
    standin.faults.append(Fault(Kind.STATUS, "api", status=status, headers=headers))
    with pytest.raises(kind) as caught:
        hub.get_json(hub.api_url())
    assert caught.value.hint
    assert getattr(caught.value, "retry_after_s", None) == after


def test_our_own_mistakes_are_not_dressed_up_as_the_hubs(hub):
    async def mistaken():
        raise KeyError("ours")

    with pytest.raises(KeyError):
        hub.run(mistaken())


def test_an_interrupted_call_leaves_nothing_running(hub):
    ended = []

    async def forever():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async def interrupted():
        asyncio.get_running_loop().create_task(forever())
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.run(interrupted())
    assert ended == [True]

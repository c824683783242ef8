"""Everything that can go wrong on the way to the Hub, told in words, each with the right thing to do."""

from __future__ import annotations

import socket
import ssl

import pytest
from huggingface_hub.errors import OfflineModeIsEnabled
from huggingface_hub.utils import hf_raise_for_status, httpx

from app.core.errors import (
    AppError,
    DownloadBusyError,
    FileChangedError,
    HubBusyError,
    HubError,
    HubGatedError,
    HubNotFoundError,
    HubTokenError,
    HubUnreachableError,
    MismatchError,
    NoRoomError,
)
from app.hub.trouble import refused, told, trouble_of

URL = "https://huggingface.co/owner/name/resolve/main/model.gguf"
GATED = "Access to model owner/name is restricted"


def answer(status, code="", message="", token=False, url=URL, **headers):
    sent = {"authorization": "Bearer hf_canary"} if token else {}
    named = {"X-Error-Code": code, "X-Error-Message": message}
    shown = {name: value for name, value in named.items() if value} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return httpx.Response(status, headers=shown, request=httpx.Request("GET", url, headers=sent), content=b"{}")


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("response", "kind", "remedy"),
    [
        (answer(401, "GatedRepo", GATED), HubGatedError, "token"),
        (answer(403, "GatedRepo", GATED, token=True), HubGatedError, "licence"),
        (
            answer(403, "GatedRepo", "Your request to access model x is awaiting a review", token=True),
            HubGatedError,
            "",
        ),
        (
            answer(403, "GatedRepo", "Your request has been rejected by the repo's authors", token=True),
            HubGatedError,
            "",
        ),
        (answer(401, "RepoNotFound"), HubNotFoundError, "relist"),
        (answer(404, "RepoNotFound", token=True), HubNotFoundError, "relist"),
        (answer(401), HubNotFoundError, "relist"),
        (answer(404, "RevisionNotFound"), HubNotFoundError, "relist"),
        (answer(404, "EntryNotFound"), HubNotFoundError, "relist"),
        (answer(403, message="Access to this resource is disabled."), HubNotFoundError, "relist"),
        (answer(401, message="Invalid credentials in Authorization header", token=True), HubTokenError, "token"),
        (answer(403, token=True), HubTokenError, "token"),
        (answer(401, url="https://huggingface.co/api/whoami-v2"), HubTokenError, "token"),
        (answer(429, Retry_After="9"), HubBusyError, "retry"),
        (answer(503, Retry_After="9"), HubBusyError, "retry"),
        (answer(500), HubUnreachableError, "retry"),
        (answer(511), HubUnreachableError, "retry"),
        (answer(504), HubUnreachableError, "retry"),
        (answer(407), HubUnreachableError, "retry"),
        (answer(403), HubError, "retry"),
        (answer(400), HubError, "retry"),
        (answer(418), HubError, "retry"),
    ],
)
def test_every_refusal_has_its_sentence_and_its_remedy(response, kind, remedy):
    error = refused(response)
    assert type(error) is kind
    assert error.title
    assert error.detail.endswith(".")
    assert error.hint.endswith(".")
    assert "hf_canary" not in str(error)
    shown = trouble_of(error)
    assert (shown.title, shown.detail, shown.hint, shown.remedy) == (error.title, error.detail, error.hint, remedy)


def test_not_signed_in_not_accepted_pending_denied_missing_and_bad_token_are_six_sentences():
    responses = [
        answer(401, "GatedRepo", GATED),
        answer(403, "GatedRepo", GATED, token=True),
        answer(403, "GatedRepo", "awaiting a review from the repo authors", token=True),
        answer(403, "GatedRepo", "has been rejected", token=True),
        answer(401, "RepoNotFound"),
        answer(401, message="Invalid credentials in Authorization header", token=True),
    ]
    assert len({refused(response).title for response in responses}) == 6
    assert all("owner/name" in refused(response).detail for response in responses[:5])


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://huggingface.co/api/models/owner/name/tree/main",
        "https://huggingface.co/api/resolve-cache/models/owner/name/abc/README.md",
        "https://mirror.example.org/hf/owner/name/resolve/main/x",
    ],
)
def test_the_repository_is_named_whatever_was_asked(url):
    assert "owner/name" in refused(answer(404, "RepoNotFound", url=url)).detail


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (httpx.ConnectTimeout("x"), "takes too long"),
        (httpx.ReadTimeout("x"), "takes too long"),
        (TimeoutError(), "takes too long"),
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "x")), "No connection"),
        (httpx.ConnectError("x"), "No connection"),
        (ConnectionRefusedError(), "No connection"),
        (caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError("x")), "cannot be trusted"),
        (httpx.ProxyError("x"), "proxy"),
        (httpx.ReadError("x"), "broke off"),
        (httpx.RemoteProtocolError("x"), "broke off"),
        (ConnectionResetError(), "broke off"),
        (httpx.DecodingError("x"), "in the Hub's place"),
        (httpx.TooManyRedirects("x"), "in the Hub's place"),
        (httpx.InvalidURL("x"), "in the Hub's place"),
        (OfflineModeIsEnabled("x"), "stay offline"),
    ],
)
def test_every_trouble_of_the_network_is_told_and_passes(error, title):
    found = told(error)
    assert isinstance(found, HubUnreachableError)
    assert title in found.title
    assert found.hint


def test_the_librarys_own_errors_are_told_by_what_the_hub_said():
    for response, kind in (
        (answer(403, "GatedRepo", GATED, token=True), HubGatedError),
        (answer(404, "RevisionNotFound"), HubNotFoundError),
        (answer(429), HubBusyError),
    ):
        with pytest.raises(Exception) as caught:
            hf_raise_for_status(response)
        assert type(told(caught.value)) is kind


def test_what_is_told_already_is_left_as_it_is():
    error = MismatchError("x")
    assert told(error) is error


def test_our_own_mistakes_are_raised_again():
    for mistake in (KeyError("x"), AttributeError("x"), ValueError("x")):
        with pytest.raises(type(mistake)) as caught:
            told(mistake)
        assert caught.value is mistake


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (FileChangedError("x"), "relist"),
        (NoRoomError("x"), "folder"),
        (MismatchError("x"), "retry"),
        (DownloadBusyError("x"), "retry"),
        (AppError("x"), "retry"),
    ],
)
def test_troubles_of_the_disk_have_their_remedy_too(error, remedy):
    assert trouble_of(error).remedy == remedy

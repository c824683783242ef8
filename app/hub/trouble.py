"""What goes wrong between this computer and the Hub, told in words for people."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from app.core.errors import (
    AppError,
    FileChangedError,
    HubBusyError,
    HubError,
    HubGatedError,
    HubNotFoundError,
    HubTokenError,
    HubUnreachableError,
    NoRoomError,
)
from app.core.library import Trouble

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx

_RATE_LIMIT = re.compile(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,6})\b")
_REPO_IN_PATH = re.compile(r"/api/(?:resolve-cache/)?models/([^/]+/[^/]+)|/([^/]+/[^/]+)/resolve/")


def told(error: Exception) -> AppError:
    """What an exception of huggingface_hub, its HTTP client or the socket below means.

    Anything that is not about the way to the Hub is our own mistake and is raised again as it is.
    """
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled  # slow to import
    from huggingface_hub.utils import httpx

    if isinstance(error, AppError):
        return error
    if isinstance(error, OfflineModeIsEnabled):
        return HubUnreachableError(
            "Orcinus was told to stay offline",
            "The environment variable HF_HUB_OFFLINE forbids every connection to the Hub.",
            "Start Orcinus without it to look for models.",
        )
    if isinstance(error, HfHubHTTPError):
        return refused(error.response)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return HubUnreachableError(
            "The Hub takes too long to answer",
            "The connection is very slow, or the Hub is overloaded.",
            "Try again in a moment. Models on this computer can be used as before.",
        )
    if isinstance(error, httpx.TooManyRedirects | httpx.InvalidURL | httpx.DecodingError | httpx.UnsupportedProtocol):
        return not_the_hub()
    if isinstance(error, httpx.HTTPError | OSError):
        return _broken_way(error)
    raise error


def not_the_hub() -> HubUnreachableError:
    """Something between here and the Hub answered in its place: a portal that wants a login, or a proxy's own page."""
    return HubUnreachableError(
        "Something else answers in the Hub's place",
        "A web page came where the Hub's answer should be; networks in hotels, trains and companies do that.",
        "Open any page in a web browser, sign in to the network there, and try again.",
    )


def refused(response: httpx.Response) -> AppError:
    """What an answer that is no success means. Never reads the body, which may be long, hostile or gone."""
    status = response.status_code
    words = response.headers.get("x-error-message", "")
    repo_id = _repo_in(str(response.request.url))
    signed_in = "authorization" in response.request.headers
    coded = _by_code(response.headers.get("x-error-code", ""), words, repo_id or "The repository", signed_in)
    if coded is not None:
        return coded
    if status in (404, 410) or (status == 401 and repo_id and not signed_in):
        return _missing(repo_id or "The address", signed_in)
    if status == 429 or (status == 503 and "retry-after" in response.headers):
        return _busy(status, response.headers)
    if status in (401, 403, 407):
        return _forbidden(status, words, signed_in)
    if status == 511:
        return not_the_hub()
    if status in (408, 425) or status >= 500:
        return HubUnreachableError(
            "The Hub has trouble of its own",
            f"It answered with status {status}.",
            "Try again in a moment. Models on this computer can be used as before.",
        )
    return HubError("The Hub did not accept the request", f"It answered with status {status}.", "Try again later.")


def _by_code(code: str, words: str, repo_id: str, signed_in: bool) -> AppError | None:
    """By what the Hub says in its own headers; None where it says nothing of the kind."""
    if code == "GatedRepo":
        return _gated(repo_id, words, signed_in)
    if code == "RepoNotFound":
        return _missing(repo_id, signed_in)
    if code == "RevisionNotFound":
        return HubNotFoundError(
            "There is no such version", f"{repo_id} has no branch, tag or commit of this name.", "Choose another one."
        )
    if code == "EntryNotFound":
        return HubNotFoundError(
            "The file is no longer there", f"{repo_id} has no file of this name.", "Look at the repository again."
        )
    if words.startswith("Access to this resource is disabled"):
        return HubNotFoundError("The model was taken down", f"The Hub has disabled {repo_id}.", "Choose another model.")
    return None


def trouble_of(error: AppError) -> Trouble:
    """The error as a download's row keeps and shows it, with what the person can do about it."""
    return Trouble(error.title, error.detail, error.hint, _remedy(error))


def _remedy(error: AppError) -> str:
    match error:
        case HubGatedError(settled=True):
            return ""
        case HubGatedError(signed_in=True):
            return "licence"
        case HubGatedError() | HubTokenError():
            return "token"
        case HubNotFoundError() | FileChangedError():
            return "relist"
        case NoRoomError():
            return "folder"
        case _:
            return "retry"


def _repo_in(url: str) -> str:
    found = _REPO_IN_PATH.search(unquote(urlsplit(url).path))
    return (found[1] or found[2]) if found else ""


def _gated(repo_id: str, words: str, signed_in: bool) -> HubGatedError:
    if not signed_in:
        return HubGatedError(
            "This model asks you to sign in first",
            f"{repo_id} hands out its files only to people who accepted its licence on the Hub.",
            "Accept the licence on the model's page, then enter an access token in the settings.",
        )
    lower = words.lower()
    if "rejected" in lower or "denied" in lower:
        return HubGatedError(
            "Access to this model was denied",
            f"The owners of {repo_id} turned the request down.",
            "Choose another model.",
            signed_in=True,
            settled=True,
        )
    if "awaiting" in lower or "pending" in lower:
        return HubGatedError(
            "Access to this model is not granted yet",
            f"The owners of {repo_id} have not answered the request.",
            "Try again after the Hub has written to you.",
            signed_in=True,
            settled=True,
        )
    return HubGatedError(
        "The licence of this model is not accepted yet",
        f"Your account on the Hub has no access to {repo_id}.",
        "Open the model's page, accept the licence there, and try again.",
        signed_in=True,
    )


def _missing(repo_id: str, signed_in: bool) -> HubNotFoundError:
    if signed_in:
        hint = "Check the spelling, and that the access token may read this repository."
    else:
        hint = "Check the spelling. A private repository needs an access token."
    return HubNotFoundError("The Hub has no such model", f"{repo_id} does not exist, or it is private.", hint)


def _busy(status: int, headers: httpx.Headers) -> HubBusyError:
    after = retry_after_s(headers)
    when = f"in {after:.0f} seconds" if after is not None else "in a few minutes"
    if status == 429:
        detail = "It has had too many requests from this connection lately."
    else:
        detail = "It is overloaded or being looked after."
    return HubBusyError("The Hub asks to wait", detail, f"Try again {when}.", after)


def retry_after_s(headers: httpx.Headers) -> float | None:
    """So many seconds the Hub asks to wait; None where it does not say. At most an hour is believed."""
    plain = headers.get("retry-after", "").strip()
    if plain.isascii() and plain.isdigit():
        return min(float(plain[:6]), 3600.0)
    limited = _RATE_LIMIT.search(headers.get("ratelimit", ""))
    return min(float(limited.group(1)), 3600.0) if limited else None


def _forbidden(status: int, words: str, signed_in: bool) -> AppError:
    if status == 407:
        return HubUnreachableError(
            "The proxy wants a password",
            "The network's proxy does not let Orcinus through.",
            "Enter the proxy's user name and password in the system's network settings.",
        )
    if status == 401 or "invalid credentials" in words.lower():
        if signed_in:
            return HubTokenError(
                "The access token was refused",
                "The Hub does not know this token: it was revoked, has expired or was not copied whole.",
                "Enter a new one, or remove it to go on without.",
            )
        return HubTokenError(
            "The Hub wants an access token", "It does not answer without one here.", "Enter one in the settings."
        )
    if signed_in:
        return HubTokenError(
            "The access token does not allow this",
            "The Hub knows the token, but it may not read this repository.",
            "Enter a token that may read it, or remove the token to go on without.",
        )
    return HubError(
        "The Hub does not allow this", f"It answered with status {status}.", "A network's filter can be the cause too."
    )


def _broken_way(error: Exception) -> HubUnreachableError:
    from huggingface_hub.utils import httpx

    causes = tuple(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return HubUnreachableError(
            "The Hub's certificate cannot be trusted",
            "The secure connection was refused, because who answers cannot prove to be the Hub.",
            "Check this computer's date and time. A virus scanner or a company's proxy can be the cause too.",
        )
    if isinstance(error, httpx.ProxyError):
        return HubUnreachableError(
            "The proxy does not let Orcinus through",
            "The system's network settings name a proxy, and it refused the connection.",
            "Check the proxy in the system's network settings.",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return HubUnreachableError(
            "No connection to the Hub",
            "Its name was not found, so this computer is probably offline.",
            "Check the internet connection and try again. Models on this computer can be used as before.",
        )
    if isinstance(error, httpx.ConnectError | ConnectionRefusedError):
        return HubUnreachableError(
            "No connection to the Hub",
            "It cannot be reached from this computer at the moment.",
            "Check the internet connection and try again. Models on this computer can be used as before.",
        )
    return HubUnreachableError(
        "The connection to the Hub broke off",
        "The answer ended before it was whole.",
        "Try again. Models on this computer can be used as before.",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__

"""The Hub as Orcinus talks to it: one address, an access token that stays with it, and time limits on everything."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from app import __version__
from app.core.errors import AppError, HubTokenError, HubUnreachableError, SettingError
from app.core.stopping import StopFlag
from app.hub import facts
from app.hub.event_loop import WorkLoop, wind_up
from app.hub.names import safe_repo_id
from app.hub.trouble import not_the_hub, refused, told

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx

T = TypeVar("T")
Params = Sequence[tuple[str, str]]

DEFAULT_ENDPOINT = "https://huggingface.co"
ENDPOINT_VARIABLE = "HF_ENDPOINT"
_PUBLIC_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")

_ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_SYMLINKS_WARNING": "1",
}
_CONNECT_S = 10.0
_READ_S = 20.0
_ANSWER_S = 30.0
"""For one whole answer, so that a server that trickles cannot hold on for ever."""
_ANSWER_BYTES = 8 * 2**20
_HOPS = 6
_POLL_S = 0.02


def prepare_environment(environ: dict[str, str] | os._Environ[str] = os.environ) -> None:
    """Tell huggingface_hub how to behave; it reads these once, when it is first imported."""
    environ.update(_ENVIRONMENT)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # at INFO it logs every address, those of a download signed


def default_endpoint(environ: Mapping[str, str] | None = None) -> str:
    """HF_ENDPOINT where it is set, as huggingface_hub does it, else the public Hub. Not checked: Hub does that."""
    return (os.environ if environ is None else environ).get(ENDPOINT_VARIABLE, "").strip() or DEFAULT_ENDPOINT


def read_endpoint(text: str) -> str:
    """The endpoint as it is used: with a scheme, without a slash at its end; the public Hub in one spelling.

    Raises SettingError where it is no web address, or has a password or a query in it.
    """
    plain = text.strip() or DEFAULT_ENDPOINT
    plain = (plain if "://" in plain else f"https://{plain}").rstrip("/")
    try:
        parts = urlsplit(plain)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(char.isspace() or not char.isprintable() for char in plain):
        raise SettingError(
            "That is not the address of a Hub",
            f"{text.strip()[:80]} cannot be read as a web address.",
            f"It looks like {DEFAULT_ENDPOINT}.",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingError(
            "The address of the Hub must be plain",
            "It has a user name, a password or a query in it.",
            f"It looks like {DEFAULT_ENDPOINT}; an access token is entered on its own.",
        )
    if parts.hostname in _PUBLIC_HOSTS and parts.port in (None, 80, 443):
        return DEFAULT_ENDPOINT
    return plain


def origin_of(url: str) -> str:
    """Scheme, host and port of a web address in one spelling; "" for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `more`: the address of the next page, "" where there is none or it leads elsewhere."""

    body: bytes
    more: str = ""
    content_type: str = ""

    def json(self) -> Any:
        """The body as JSON; raises HubUnreachableError where it is none, for then the Hub did not write it."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise not_the_hub() from error


class Hub:
    """One Hub. Its methods block and may be called from any thread but the window's.

    Every method raises AppErrors only. `stop`: polled every 20 ms; a stopped call raises HubUnreachableError at once,
    which nobody shows, because whoever set the flag no longer waits for the answer.
    """

    def __init__(
        self,
        endpoint: str = DEFAULT_ENDPOINT,
        token: str | Callable[[], str | None] | None = None,
        *,
        token_elsewhere: bool = False,
        connect_s: float = _CONNECT_S,
        read_s: float = _READ_S,
        answer_s: float = _ANSWER_S,
    ) -> None:
        """Raises SettingError for an endpoint that cannot be used.

        token: the access token or where to ask for it at each request. It is sent to the public Hub, and to another
        endpoint only with `token_elsewhere`; never to a third place, and never unencrypted over a network.
        """
        self.endpoint = read_endpoint(endpoint)
        self.origin = origin_of(self.endpoint)
        self._token = token
        self._may_send = self._trusted(token_elsewhere)
        self._limits = (connect_s, read_s, answer_s)
        prepare_environment()

    @property
    def host(self) -> str:
        """The endpoint's host, for people."""
        return urlsplit(self.endpoint).hostname or self.endpoint

    @property
    def token(self) -> str | None:
        """The access token as far as this endpoint may see it."""
        return self._held() if self._may_send else None

    def headers(self, url: str = "", *, for_download: bool = False) -> dict[str, str]:
        """What to send with a request to `url` (left out: to the Hub itself). The token goes to the Hub's origin only.

        for_download: unpacked bytes, and counted by the Hub as a download.
        """
        from huggingface_hub.utils import build_hf_headers  # slow to import

        at_home = not url or self.owns(url)
        token = self.token if at_home else None
        headers = dict(build_hf_headers(token=token or False, library_name="orcinus", library_version=__version__))
        if for_download:
            headers["Accept-Encoding"] = "identity"
            if at_home:
                headers["X-HF-Download-Counter"] = "1"
        return headers

    def client(self) -> httpx.AsyncClient:
        """A client of huggingface_hub's, with time limits and without redirects. For `async with`."""
        from huggingface_hub import get_async_session  # slow to import
        from huggingface_hub.utils import httpx

        client = get_async_session()
        client.timeout = httpx.Timeout(self._limits[1], connect=self._limits[0])
        client.follow_redirects = False
        return client

    def resolve_url(self, repo_id: str, commit: str, path: str) -> str:
        """Where a file of a repository at a commit is asked for."""
        return f"{self.endpoint}/{safe_repo_id(repo_id)}/resolve/{quote(commit, safe='')}/{quote(path)}"

    def api_url(self, repo_id: str = "", *parts: str) -> str:
        """An address of the Hub's API: all models, one repository, or something of it. Each part is quoted whole."""
        own = [safe_repo_id(repo_id)] if repo_id else []
        return "/".join([f"{self.endpoint}/api/models", *own, *(quote(part, safe="") for part in parts)])

    def page_url(self, repo_id: str) -> str:
        """The repository's page for a web browser: where a licence is accepted."""
        return f"{self.endpoint}/{safe_repo_id(repo_id)}"

    def owns(self, url: str) -> bool:
        """Whether this address is the Hub's own, so that a page of results may be asked there."""
        return bool(url) and origin_of(url) == self.origin

    def get(self, url: str, params: Params = (), *, stop: StopFlag | None = None) -> Answer:
        """GET an address of the Hub."""
        return self.run(self._fetch_alone(url, params), stop)

    def get_json(self, url: str, params: Params = (), *, stop: StopFlag | None = None) -> Any:
        """GET an address of the Hub and read the answer as JSON."""
        return self.get(url, params, stop=stop).json()

    def check(self, stop: StopFlag | None = None) -> str:
        """Ask the Hub for one model and, with a token, who we are. Returns a sentence for people, or raises."""
        found = self.get_json(self.api_url(), [("filter", "gguf"), ("limit", "1")], stop=stop)
        if not isinstance(found, list):
            raise not_the_hub()
        if self.token is None:
            return f"{self.host} answers." + (" The access token is not sent there." if self._held() else "")
        me = self.get_json(f"{self.endpoint}/api/whoami-v2", stop=stop)
        name = facts.text(facts.table(me).get("name"), 80)
        if not name:
            raise not_the_hub()
        return f"{self.host} answers and knows you as {name}.{_advice(me)}"

    def run(self, work: Coroutine[Any, Any, T], stop: StopFlag | None = None) -> T:
        """Run requests to their end in an event loop of their own, or until `stop` is set."""
        loop = WorkLoop()
        task = loop.create_task(work)
        try:
            return loop.run_until_complete(_until_stopped(task, stop))
        except AppError:
            raise
        except Exception as error:  # the border: told() lets through what is our own mistake
            raise told(error) from error
        finally:
            wind_up(loop, task)

    async def fetch(
        self, client: httpx.AsyncClient, url: str, params: Params = (), *, abroad: bool = False, at_most: int = 0
    ) -> Answer:
        """GET a whole answer, following redirects within the Hub.

        abroad: also to other places, without the token and no less encrypted; else those are a portal's. at_most:
        bytes after unpacking.
        Raises AppErrors and the client's own exceptions.
        """
        async with asyncio.timeout(self._limits[2]):
            for _ in range(_HOPS):
                response = await client.send(self._request(client, url, params), stream=True)
                try:
                    if not response.has_redirect_location:
                        return await self._whole(response, at_most or _ANSWER_BYTES)
                    url, params = _joined(url, response.headers["location"]), ()
                finally:
                    await response.aclose()
                if not self.owns(url) and not (abroad and self._as_safe(url)):
                    raise not_the_hub()
        raise not_the_hub()

    def _request(self, client: httpx.AsyncClient, url: str, params: Params) -> httpx.Request:
        from huggingface_hub.utils import httpx  # slow to import

        headers = self.headers(url)
        try:
            return client.build_request("GET", url, params=list(params) or None, headers=headers)
        except (ValueError, httpx.InvalidURL) as error:  # no host can be called so
            raise not_the_hub() from error

    async def _fetch_alone(self, url: str, params: Params) -> Answer:
        async with self.client() as client:
            return await self.fetch(client, url, params)

    async def _whole(self, response: httpx.Response, at_most: int) -> Answer:
        if not response.is_success:
            raise refused(response)
        content_type = response.headers.get("content-type", "")
        if "html" in content_type:
            raise not_the_hub()
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > at_most:
                raise HubUnreachableError(
                    "The Hub's answer has no end", f"After {at_most // 2**20} MB it was still not whole.", "Try again."
                )
        return Answer(bytes(body), self._next_page(response), content_type)

    def _next_page(self, response: httpx.Response) -> str:
        url = _joined(str(response.url), response.links.get("next", {}).get("url", ""))
        if url.startswith(f"{DEFAULT_ENDPOINT}/"):  # a mirror may hand the public Hub's addresses on
            url = self.endpoint + url.removeprefix(DEFAULT_ENDPOINT)
        return url if self.owns(url) else ""

    def _as_safe(self, url: str) -> bool:
        """Whether this address is encrypted, or the Hub itself is not."""
        return bool(origin_of(url)) and (url.startswith("https:") or self.origin.startswith("http:"))

    def _held(self) -> str | None:
        token = self._token() if callable(self._token) else self._token
        if token and not all("!" <= char <= "~" for char in token):
            raise HubTokenError(
                "The access token cannot be sent", "It has characters that no token has.", "Enter it once more."
            )
        return token or None

    def _trusted(self, token_elsewhere: bool) -> bool:
        if self.origin == origin_of(DEFAULT_ENDPOINT):
            return True
        encrypted = self.endpoint.startswith("https:") or self.host in ("localhost", "127.0.0.1", "::1")
        return token_elsewhere and encrypted


def _joined(base: str, target: str) -> str:
    """Where a link on a page leads; "" where nothing can be made of it or it leads nowhere."""
    try:
        return urljoin(base, target) if target else ""
    except ValueError:
        return ""


def _advice(me: Mapping[str, Any]) -> str:
    try:
        role = me["auth"]["accessToken"]["role"]
    except (KeyError, TypeError):
        return ""
    return " This token may also write; one that only reads is enough." if role == "write" else ""


async def _until_stopped(task: asyncio.Task[T], stop: StopFlag | None) -> T:
    while stop is not None and not task.done():
        if stop.is_set():
            task.cancel()
            await asyncio.wait({task})
            raise HubUnreachableError("The question to the Hub was withdrawn")
        await asyncio.wait({task}, timeout=_POLL_S)
    return await task

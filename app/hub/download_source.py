"""Where one file's bytes come from: the address that the Hub gives out for it, and ranges read from there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from app.core.errors import AppError, FileChangedError, HubBusyError, HubError, HubUnreachableError
from app.core.library import RemoteFile, Wanted
from app.hub.ranges import Span
from app.hub.session import Hub, origin_of
from app.hub.trouble import not_the_hub, refused, told

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx

_HOPS = 6
_MOST_REFUSALS = 4
"""Fresh addresses that are refused one after the other, without a byte in between, before we give up."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")


class Passing(Exception):  # noqa: N818 - not an error: the next try may succeed
    """A failure that passes. `error` tells it to people.

    after_s: when to come back, where the other side says so. at_once: a new try costs nothing. renew: ask the Hub for
    a new address first. crowded: the other side has too much to do, so fewer connections may help.
    """

    def __init__(
        self,
        error: AppError,
        *,
        after_s: float | None = None,
        at_once: bool = False,
        renew: bool = False,
        crowded: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.after_s = after_s
        self.at_once = at_once
        self.renew = renew
        self.crowded = crowded


@dataclass(frozen=True, slots=True)
class Address:
    """A place that serves the file for a while. Two that are equal are still two: compare with `is`."""

    url: str


class Source:
    """One file at one commit. Its methods raise Passing, or AppErrors that no new try will change."""

    def __init__(self, hub: Hub, client: httpx.AsyncClient, wanted: Wanted, file: RemoteFile) -> None:
        self._hub = hub
        self._client = client
        self._wanted = wanted
        self._file = file
        self._address: Address | None = None
        self._asking = asyncio.Lock()
        self._refusals = 0

    async def address(self, worn: Address | None = None) -> Address:
        """Where to read. worn: the address that no longer works, if this is asked because of it."""
        async with self._asking:
            if self._address is None or self._address is worn:
                self._address = None
                self._address = await self._resolve()
            return self._address

    async def read(
        self, address: Address, span: Span, take: Callable[[bytes, int], None], all_of_it: Callable[[], bool]
    ) -> None:
        """Read the span's bytes and hand them to `take`, which moves `span.at` on.

        take: gets the bytes, maybe none, and how many arrived for them: more, where held ones had to be left out.
        all_of_it: called when the other side ignores ranges and sends the whole file; widens the span to the file's
        end and returns True, or returns False if this is not the place to do so.
        """
        from huggingface_hub.utils import httpx  # slow to import

        try:
            await self._read(address.url, span, take, all_of_it)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise Passing(told(error)) from error
        if span.at < span.end:
            raise Passing(_broke_off())

    async def _resolve(self) -> Address:
        from huggingface_hub.utils import httpx  # slow to import

        url = self._hub.resolve_url(self._wanted.repo_id, self._wanted.commit, self._file.path)
        try:
            for _ in range(_HOPS):
                response = await self._client.head(url, headers=self._hub.headers(url, for_download=True))
                self._check_hub(response)
                if not response.has_redirect_location:
                    break
                url = _target(url, response)
                if origin_of(url) != self._hub.origin:
                    break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Passing(told(error)) from error
        self._check_identity(response)
        return Address(url)

    def _check_hub(self, response: httpx.Response) -> None:
        if response.is_success or response.has_redirect_location:
            return
        raise _passing_or_final(refused(response))

    def _check_identity(self, response: httpx.Response) -> None:
        headers = response.headers
        if "x-repo-commit" not in headers:
            raise Passing(not_the_hub())
        etag = (headers.get("x-linked-etag") or headers.get("etag") or "").removeprefix("W/").strip('"')
        size = headers.get("x-linked-size", str(self._file.size_bytes))
        if etag.lower() != self._file.sha256 or size != str(self._file.size_bytes):
            raise FileChangedError(
                "The file on the Hub has changed",
                f"{self._file.path} is no longer the file that was listed.",
                "Look at the repository again and choose anew.",
            )

    async def _read(
        self, url: str, span: Span, take: Callable[[bytes, int], None], all_of_it: Callable[[], bool]
    ) -> None:
        for _ in range(_HOPS):
            headers = self._hub.headers(url, for_download=True) | {"Range": f"bytes={span.at}-{span.end - 1}"}
            async with self._client.stream("GET", url, headers=headers) as response:
                if response.has_redirect_location:
                    url = _target(url, response)
                    continue
                skip = self._check_bytes(response, span, all_of_it)
                self._refusals = 0
                async for chunk in response.aiter_raw():
                    fresh, skip = chunk[skip:], max(0, skip - len(chunk))
                    if len(fresh) > span.end - span.at:
                        raise Passing(_nonsense(), renew=True)
                    take(fresh, len(chunk))
                return
        raise Passing(not_the_hub(), renew=True)

    def _check_bytes(self, response: httpx.Response, span: Span, all_of_it: Callable[[], bool]) -> int:
        """How many bytes of the answer come before the span; raises unless it is an answer to what was asked."""
        status = response.status_code
        if status >= 400:
            raise self._no_bytes(response)
        if "html" in response.headers.get("content-type", ""):
            raise Passing(not_the_hub(), renew=True)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Passing(_nonsense(), renew=True)
        size = self._file.size_bytes
        if status == 206:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
            if found and int(found[1]) == span.at and found[3] in ("*", str(size)):
                return 0
        elif status == 200 and response.headers.get("content-length", str(size)) == str(size):
            if not all_of_it():
                raise Passing(_nonsense(), at_once=True)
            return span.at
        raise Passing(_nonsense(), renew=True)

    def _no_bytes(self, response: httpx.Response) -> Exception:
        status = response.status_code
        if origin_of(str(response.request.url)) == self._hub.origin:
            return _passing_or_final(refused(response))
        if status == 416:  # we know the size, so the other side is wrong about it: nothing is cut off here
            return Passing(_nonsense(), renew=True)
        if status in (400, 401, 403, 404, 410):
            self._refusals += 1
            if self._refusals >= _MOST_REFUSALS:
                return HubError(
                    "The file is not handed out",
                    "The Hub gives an address for it, and the server there refuses it again and again.",
                    "Try again later. A network's filter can be the cause too.",
                )
            return Passing(refused(response), renew=True, at_once=True)
        told_so = _passing_or_final(refused(response))
        return told_so if isinstance(told_so, Passing) else Passing(refused(response), renew=True)


def _target(url: str, response: httpx.Response) -> str:
    """Where a redirect leads."""
    try:
        return urljoin(url, response.headers["location"])
    except ValueError as error:
        raise Passing(not_the_hub(), renew=True) from error


def _passing_or_final(error: AppError) -> Exception:
    if isinstance(error, HubBusyError):
        return Passing(error, after_s=error.retry_after_s, crowded=True)
    if isinstance(error, HubUnreachableError):
        return Passing(error)
    return error


def _broke_off() -> HubUnreachableError:
    return HubUnreachableError(
        "The connection to the Hub broke off",
        "Fewer bytes came than were asked for.",
        "It goes on by itself; what came is kept.",
    )


def _nonsense() -> HubUnreachableError:
    return HubUnreachableError(
        "The Hub's server sends something else",
        "The bytes that came are not the ones that were asked for.",
        "It is asked again by itself; what came before is kept.",
    )

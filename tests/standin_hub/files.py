"""The stand-in Hub's files: /resolve, its redirect to signed addresses of another host, and ranges there."""

from __future__ import annotations

import itertools
import re
from urllib.parse import quote, unquote

from tests.standin_hub.answers import Answer, Asked, refusal
from tests.standin_hub.listing import Listing
from tests.standin_hub.repos import HostedFile


class Files:
    """Answers for /{id}/resolve/{rev}/{path} on the Hub and for signed addresses on the CDN."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._signed: dict[str, HostedFile] = {}
        self._signatures = itertools.count(1)
        self.cdn_url = ""

    def expire_signatures(self) -> None:
        """From now on every address handed out so far answers 403."""
        self._signed.clear()

    def resolve(self, asked: Asked) -> Answer:
        """Where a file's bytes are; small ones come from the Hub itself."""
        if asked.token and asked.token not in self._listing.tokens:
            return refusal(401, "", "Invalid credentials in Authorization header")
        cached = re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/([^/]+)/(.+)", asked.path)
        found = cached or re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", asked.path)
        if not found:
            return refusal(404, "", "Not Found")
        repo_id, revision, path = (unquote(part) for part in found.groups())
        repo = self._listing.repo_for(asked, repo_id)
        if isinstance(repo, Answer):
            return repo
        at = repo.find(revision)
        if at is None:
            return refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        commit, files = at
        if refused := self._listing.gate(asked, repo):
            return refused
        if path not in files:
            return refusal(404, "EntryNotFound", "Entry not found")
        file = files[path]
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if file.lfs:
            return self._to_cdn(file, commit, headers)
        if cached:
            body = {"ETag": f'"{file.oid}"', "Content-Type": "text/plain; charset=utf-8"}
            return Answer(200, headers | body, file.content)
        return Answer(307, headers | {"Location": f"/api/resolve-cache/models/{repo_id}/{commit}/{quote(path)}"})

    def _to_cdn(self, file: HostedFile, commit: str, headers: dict[str, str]) -> Answer:
        signature = f"{next(self._signatures):08d}"
        self._signed[signature] = file
        more = {
            "X-Linked-Size": str(file.size),
            "X-Linked-Etag": f'"{file.sha256}"',
            "ETag": f'"{file.sha256}"',
            "X-Xet-Hash": file.sha256[::-1],
            "Link": f'<{self._listing.url}/api/models/xet-read-token/{commit}>; rel="xet-auth"',
            "Location": f"{self.cdn_url}/blobs/{file.sha256}?signature={signature}",
            "Vary": "Origin",
        }
        return Answer(302, headers | more)

    def blob(self, asked: Asked) -> Answer:
        """A file, or a range of it, for whoever has a valid signature."""
        file = self._signed.get(asked.one("signature"))
        if file is None:
            return Answer(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
        headers = {"ETag": f'"{file.sha256}"', "Accept-Ranges": "bytes", "Content-Type": "binary/octet-stream"}
        total, start = len(file.content), asked.range_start
        view = memoryview(file.content)
        if start is None:
            return Answer(200, headers, view)
        if start >= total:
            return Answer(416, {"Content-Range": f"bytes */{total}"})
        end = min(total, (asked.range_end if asked.range_end is not None else total - 1) + 1)
        return Answer(206, headers | {"Content-Range": f"bytes {start}-{end - 1}/{total}"}, view[start:end])

"""The stand-in Hub's API: search, repositories, trees, refs, and who may see what."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from tests.standin_hub.answers import Answer, Asked, as_json, refusal
from tests.standin_hub.repos import Account, HostedFile, HostedRepo

_SORTS = {
    "downloads": lambda repo: repo.downloads,
    "likes": lambda repo: repo.likes,
    "trendingScore": lambda repo: repo.trending,
    "lastModified": lambda repo: repo.last_modified,
    "createdAt": lambda repo: repo.created_at,
}
_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "": 1.0}


class Listing:
    """Answers for everything under /api. `url` is the Hub's own address."""

    def __init__(self, repos: list[HostedRepo], tokens: dict[str, Account]) -> None:
        self.repos = repos
        self.tokens = tokens
        self.page_size = 1000
        self.url = ""

    def answer(self, asked: Asked) -> Answer:
        """Whatever is asked for by this path."""
        if asked.token and asked.token not in self.tokens:
            return refusal(401, "", "Invalid credentials in Authorization header")
        if asked.path == "/api/models":
            return self._search(asked)
        if asked.path == "/api/whoami-v2":
            return self._whoami(asked)
        if asked.path == "/api/agent-harnesses":
            return as_json([])
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(.*))?", asked.path)
        if not found:
            return refusal(404, "", "Not Found")
        return self._about(asked, unquote(found[1]), found[2] or "")

    def repo_for(self, asked: Asked, repo_id: str) -> HostedRepo | Answer:
        """The repository, or the refusal that this caller gets."""
        for repo in self.repos:
            if repo_id in repo.old_ids:
                query = f"?{urlencode(asked.query, doseq=True)}" if asked.query else ""
                return Answer(307, {"Location": asked.path.replace(repo_id, repo.repo_id, 1) + query})
            if repo.repo_id == repo_id and (not repo.private or self._granted(asked, repo)):
                return repo
        if asked.token:
            return refusal(404, "RepoNotFound", "Repository not found")
        return refusal(401, "RepoNotFound", "Invalid username or password.")

    def gate(self, asked: Asked, repo: HostedRepo) -> Answer | None:
        """The refusal that this caller gets for a gated repository's files, if any."""
        if not repo.gated or self._granted(asked, repo):
            return None
        where = f"Visit https://huggingface.co/{repo.repo_id} to ask for access."
        if not asked.token:
            return refusal(401, "GatedRepo", f"Access to model {repo.repo_id} is restricted. {where}")
        return refusal(403, "GatedRepo", f"Access to model {repo.repo_id} is restricted. {where}")

    def _granted(self, asked: Asked, repo: HostedRepo) -> bool:
        account = self.tokens.get(asked.token)
        return account is not None and repo.repo_id in account.granted

    def _whoami(self, asked: Asked) -> Answer:
        if not asked.token:
            return refusal(401, "", "Invalid username or password.")
        name = self.tokens[asked.token].name
        return as_json({"type": "user", "name": name, "auth": {"accessToken": {"role": "read"}}})

    def _search(self, asked: Asked) -> Answer:
        words = asked.one("search").lower().split()
        wanted_tags = asked.query.get("filter", [])
        found = [
            repo
            for repo in self.repos
            if (not repo.private or self._granted(asked, repo))
            and all(word in repo.repo_id.lower() for word in words)
            and all(tag in repo.tags for wanted in wanted_tags for tag in wanted.split(","))
            and asked.one("author", repo.repo_id.split("/")[0]) == repo.repo_id.split("/")[0]
            and asked.one("gated", str(bool(repo.gated)).lower()) == str(bool(repo.gated)).lower()
            and _size_fits(repo, asked.one("num_parameters"))
        ]
        found.sort(key=_SORTS[asked.one("sort", "trendingScore")], reverse=True)
        limit = min(int(asked.one("limit", str(self.page_size))), self.page_size)
        start = int(asked.one("cursor", "0"))
        answer = as_json([_info(repo, "main", asked) for repo in found[start : start + limit]])
        if start + limit < len(found):
            self._link_next(answer, asked, start + limit)
        return answer

    def _about(self, asked: Asked, repo_id: str, rest: str) -> Answer:
        repo = self.repo_for(asked, repo_id)
        if isinstance(repo, Answer):
            return repo
        what, _, more = rest.partition("/")
        if what == "refs":
            return as_json(_refs(repo))
        if what == "auth-check":
            return self.gate(asked, repo) or as_json({})
        if what in {"", "revision"}:
            revision = unquote(more) if what else "main"
            return as_json(_info(repo, revision, asked)) if repo.find(revision) else _no_revision(revision)
        if what in {"tree", "paths-info"}:
            revision, _, folder = (unquote(part) for part in more.partition("/"))
            found = repo.find(revision)
            if found is None:
                return _no_revision(revision)
            if what == "tree":
                return self._tree(asked, found[1], folder)
            return as_json([_item(path, found[1][path]) for path in asked.form.get("paths", []) if path in found[1]])
        return refusal(404, "", "Not Found")

    def _tree(self, asked: Asked, files: dict[str, HostedFile], folder: str) -> Answer:
        prefix = f"{folder}/" if folder else ""
        under = {path: file for path, file in files.items() if path.startswith(prefix)}
        if folder and not under:
            return refusal(404, "EntryNotFound", f"{folder} does not exist")
        deep = asked.one("recursive", "false").lower() == "true"
        items: dict[str, dict[str, Any]] = {}
        for path, file in under.items():
            parts = path.removeprefix(prefix).split("/")
            for depth in range(1, len(parts)):
                name = prefix + "/".join(parts[:depth])
                if deep or depth == 1:
                    items[name] = {"type": "directory", "path": name, "oid": "0" * 40, "size": 0}
            if deep or len(parts) == 1:
                items[path] = _item(path, file)
        start = int(asked.one("cursor", "0"))
        answer = as_json(list(items.values())[start : start + self.page_size])
        if start + self.page_size < len(items):
            self._link_next(answer, asked, start + self.page_size)
        return answer

    def _link_next(self, answer: Answer, asked: Asked, cursor: int) -> None:
        query = urlencode({**asked.query, "cursor": [str(cursor)]}, doseq=True)
        answer.headers["Link"] = f'<{self.url}{asked.path}?{query}>; rel="next"'


def form_of(body: bytes) -> dict[str, list[str]]:
    """A posted form's values by name."""
    form: dict[str, list[str]] = {}
    for name, value in parse_qsl(body.decode()):
        form.setdefault(name, []).append(value)
    return form


def _no_revision(revision: str) -> Answer:
    return refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def _size_fits(repo: HostedRepo, wanted: str) -> bool:
    for part in filter(None, wanted.split(",")):
        side, number, unit = re.fullmatch(r"(min|max):([\d.]+)([KMBT]?)", part).groups()  # type: ignore[union-attr]
        limit = float(number) * _UNITS[unit]
        total = repo.gguf.get("total", 0)
        if total < limit if side == "min" else total > limit:
            return False
    return True


def _item(path: str, file: HostedFile) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "file", "path": path, "size": file.size, "oid": file.oid}
    if file.lfs:
        item["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": 135}
        item["xetHash"] = file.sha256[::-1]
    return item


def _sibling(path: str, file: HostedFile, blobs: bool) -> dict[str, Any]:
    sibling: dict[str, Any] = {"rfilename": path}
    if blobs:
        sibling |= {"size": file.size, "blobId": file.oid}
        if file.lfs:
            sibling["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": 135}
    return sibling


def _info(repo: HostedRepo, revision: str, asked: Asked) -> dict[str, Any]:
    commit, files = repo.find(revision) or ("", {})
    blobs = asked.one("blobs").lower() == "true"
    whole: dict[str, Any] = {
        "_id": commit[:24],
        "id": repo.repo_id,
        "modelId": repo.repo_id,
        "author": repo.repo_id.split("/")[0],
        "sha": commit,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "downloads": repo.downloads,
        "likes": repo.likes,
        "trendingScore": repo.trending,
        "tags": repo.tags,
        "pipeline_tag": repo.pipeline_tag,
        "library_name": repo.library_name,
        "createdAt": repo.created_at,
        "lastModified": repo.last_modified,
        "cardData": repo.card_data,
        "gguf": repo.gguf,
        "siblings": [_sibling(path, file, blobs) for path, file in files.items()],
    }
    expand = asked.query.get("expand", [])
    if expand:
        return {name: value for name, value in whole.items() if name in {"_id", "id", "modelId", *expand}}
    if asked.path == "/api/models" and asked.one("full") != "true":
        hidden = {"author", "sha", "gated", "disabled", "lastModified", "cardData", "gguf", "siblings"}
        return {name: value for name, value in whole.items() if name not in hidden}
    return whole


def _refs(repo: HostedRepo) -> dict[str, Any]:
    return {
        "branches": [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": repo.commit_of(name)}
            for name in ("main", *repo.branches)
        ],
        "converts": [],
        "tags": [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": repo.commit_of(branch)}
            for name, branch in repo.git_tags.items()
        ],
    }

"""What a person may paste to mean a repository on the Hub, a version of it, a file or a quant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from app.core.errors import HubError, SettingError
from app.hub.names import safe_repo_id
from app.hub.quant_names import is_label, label_of
from app.hub.session import DEFAULT_ENDPOINT, read_endpoint

_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
_ROUTES = ("blob", "resolve", "tree", "raw", "blame", "commits", "commit")
_OTHER_KINDS = {
    "datasets": "a data set",
    "spaces": "a web app",
    "buckets": "a storage bucket",
    "collections": "a collection",
    "papers": "a paper",
    "kernels": "a kernel",
    "docs": "documentation",
}
_PULL = re.compile(r"refs/(?:pr|convert)/[^/]+")
_REVISION_CHARS = 255
_TEXT_CHARS = 2000
_COMMANDS = re.compile(r"^(?:ollama\s+(?:run|pull)|(?:huggingface-cli|hf)\s+download|(?:\S+\s+)?-hf)\s+", re.IGNORECASE)
"""What stands before the name in lines that model pages offer for copying."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository, and what of it is meant; "" where nothing was said. `quant` is a label such as Q4_K_M."""

    repo_id: str
    revision: str = ""
    path: str = ""
    quant: str = ""


def parse(text: str, endpoint: str = "") -> Reference:
    """Read owner/name, owner/name:branch, owner/name:Q4_K_M, owner/name@branch, a Hub URL or hf://.

    endpoint: a Hub of one's own whose URLs count too, as it was entered. Raises HubError, worded for whoever pasted it.
    """
    if len(text) > _TEXT_CHARS:
        raise _unclear()
    endpoint = _usable(endpoint)
    plain = _COMMANDS.sub("", text.strip().strip("<>\"'` ")).strip()
    if not plain or any(char.isspace() or not char.isprintable() for char in plain):
        raise _unclear()
    lower = plain.lower()
    if lower.startswith("hf://"):
        return _from_hf_uri(plain[5:])
    if "://" in plain:
        return _from_url(plain, endpoint)
    if lower.split("/")[0] in _hosts(endpoint):
        return _from_url(f"https://{plain}", endpoint)
    return _from_name(plain)


def is_reference(text: str, endpoint: str = "") -> bool:
    """Whether this names a repository, rather than being words to search for."""
    try:
        parse(text, endpoint)
    except HubError:
        return False
    return True


def _from_name(plain: str) -> Reference:
    name, colon, after = plain.partition(":")
    name, at, revision = name.partition("@")
    owner_and_name = "/".join(name.split("/")[:2])
    path = "/".join(name.split("/")[2:])
    if colon and at:
        raise _unclear()
    if colon and is_label(after):
        return Reference(safe_repo_id(owner_and_name), path=_path(path), quant=label_of(after))
    if (colon and not after) or (at and not revision):
        raise _unclear()
    return Reference(safe_repo_id(owner_and_name), _revision(after or revision), _path(path))


def _from_hf_uri(body: str) -> Reference:
    """hf://[models/]owner/name[@revision][/path]; a revision's own slashes are written as %2F, but for refs/pr/1."""
    _check_kind(body)
    owner, _, rest = body.removeprefix("models/").partition("/")
    first, _, path = rest.partition("/")
    name, at, revision = first.partition("@")
    if not at:
        return _from_name(f"{owner}/{unquote(rest)}")
    after = f"{revision}/{path}" if path else revision
    pull = _PULL.match(after)
    revision = pull.group(0) if pull else revision
    path = after[len(revision) :].lstrip("/")
    return Reference(safe_repo_id(f"{owner}/{name}"), _revision(unquote(revision)), _path(unquote(path)))


def _from_url(url: str, endpoint: str) -> Reference:
    try:
        parts = urlsplit(url)
        host = parts.netloc.lower().rpartition("@")[2]
    except ValueError:
        raise _unclear() from None
    if parts.scheme not in ("http", "https") or host not in _hosts(endpoint):
        raise HubError(
            "That is not an address on the Hub",
            f"It leads to {host[:80] or 'nowhere'}.",
            "Paste the address of a model's page, or its name: owner/name.",
        )
    base = urlsplit(endpoint).path.strip("/") if host not in _HOSTS else ""
    body = parts.path.strip("/")
    body = body.removeprefix(base).strip("/") if base else body
    _check_kind(body)
    segments = body.split("/")
    if segments[0] == "models":
        segments = segments[1:]
    if len(segments) == 2:
        return _from_name("/".join(unquote(segment) for segment in segments))
    if len(segments) < 2:
        raise _unclear()
    return _within(safe_repo_id(unquote("/".join(segments[:2]))), segments[2], "/".join(segments[3:]))


def _within(repo_id: str, route: str, rest: str) -> Reference:
    if route not in _ROUTES:
        return Reference(repo_id)  # discussions, settings and the like: still this repository's pages
    pull = _PULL.match(rest)
    revision = pull.group(0) if pull else rest.partition("/")[0]
    path = rest[len(revision) :].lstrip("/") if route in ("blob", "resolve", "raw", "blame") else ""
    return Reference(repo_id, _revision(unquote(revision)), _path(unquote(path)))


def _usable(endpoint: str) -> str:
    try:
        return read_endpoint(endpoint)
    except SettingError:
        return DEFAULT_ENDPOINT  # whoever talks to it says what is wrong with it


def _hosts(endpoint: str) -> tuple[str, ...]:
    return (*_HOSTS, urlsplit(endpoint).netloc.lower())


def _check_kind(body: str) -> None:
    kind = _OTHER_KINDS.get(body.split("/")[0].lower())
    if kind is not None:
        raise HubError("That is not a model", f"The address leads to {kind} on the Hub.", "Paste a model's address.")


def _revision(text: str) -> str:
    wrong = text.startswith(("/", "-", ".")) or ".." in text or len(text) > _REVISION_CHARS
    if wrong or any(char in '\\:?*[~^"<>|' or char.isspace() or not char.isprintable() for char in text):
        raise _unclear()
    return text


def _path(text: str) -> str:
    if text.startswith("/") or ".." in text.split("/") or not (text.isprintable() or not text):
        raise _unclear()
    return text


def _unclear() -> HubError:
    return HubError(
        "That does not name a model on the Hub",
        "It is neither a name such as TheBloke/Mistral-7B-OpenOrca-GGUF nor the address of a model's page.",
        "Copy the name or the address from the model's page, or search for words.",
    )

"""What the Hub's JSON says of a repository, read as a stranger's words: of the right kind, not too long, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.core.errors import HubError
from app.core.library import Gate, RepoRow
from app.hub.names import safe_repo_id

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST_PARAMS = 10**14
_MOST_TOKENS = 2**31
_MOST_COUNT = 10**12
_MOST_NAMES = 500
_MOST_MS = 4_102_444_800_000


def row(info: object) -> RepoRow | None:
    """One search result; None for something that is no usable repository."""
    if not isinstance(info, dict) or not (repo_id := repo_id_of(info)):
        return None
    gguf = table(info.get("gguf"))
    return RepoRow(
        repo_id,
        downloads=whole(info.get("downloads"), _MOST_COUNT) or 0,
        likes=whole(info.get("likes"), _MOST_COUNT) or 0,
        updated_ms=moment(info.get("lastModified")),
        licence=licence(info),
        gate=gate(info.get("gated")),
        architecture=text(gguf.get("architecture"), 60),
        n_params=whole(gguf.get("total"), _MOST_PARAMS),
        n_ctx_train=whole(gguf.get("context_length"), _MOST_TOKENS),
    )


def repo_id_of(info: Mapping[str, Any]) -> str:
    """The repository's own id; "" where it is none that may be used here."""
    try:
        return safe_repo_id(text(info.get("id") or info.get("modelId"), 200))
    except HubError:
        return ""


def commit(info: Mapping[str, Any]) -> str:
    """40 hex digits, or ""."""
    sha = info.get("sha")
    return sha if isinstance(sha, str) and _COMMIT.fullmatch(sha) else ""


def licence(info: Mapping[str, Any]) -> str:
    """As the repository's metadata calls it: "apache-2.0"; its own name where it is of its own kind; or ""."""
    card = table(info.get("cardData"))
    named = text(next(iter(texts(card.get("license"), 60)), ""), 60) or tagged(info, "license:")
    return text(card.get("license_name"), 60) or named if named in ("", "other") else named


def base_models(info: Mapping[str, Any]) -> tuple[str, ...]:
    """What it was made from, as far as that is on the Hub."""
    named = texts(table(info.get("cardData")).get("base_model"), 200)
    if not named:
        tag = tagged(info, "base_model:").rpartition(":")[2]
        named = (tag,) if tag else ()
    return tuple(name for name in named if name.count("/") == 1)[:10]


def tags(info: Mapping[str, Any]) -> tuple[str, ...]:
    """The repository's tags in lower case."""
    return tuple(tag.lower() for tag in texts(info.get("tags"), 200))


def tagged(info: Mapping[str, Any], prefix: str) -> str:
    """What follows the prefix in the first tag that has it."""
    found = (tag for tag in texts(info.get("tags"), 200) if tag.startswith(prefix))
    return next(found, "").removeprefix(prefix)


def gate(value: object) -> Gate:
    """`gated` as the Hub says it: false, "auto" or "manual"."""
    if value == "auto":
        return Gate.AUTO
    return Gate.MANUAL if value else Gate.OPEN


def text(value: object, most_chars: int) -> str:
    """One line that can be shown; "" for anything else."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in value[: most_chars * 4] if char.isprintable())[:most_chars].strip()


def texts(value: object, most_chars: int) -> tuple[str, ...]:
    """A text or a list of them."""
    items: Iterable[object] = value[:_MOST_NAMES] if isinstance(value, list) else [value]
    return tuple(one for item in items if (one := text(item, most_chars)))


def table(value: object) -> Mapping[str, Any]:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def whole(value: object, most: int) -> int | None:
    """A whole number from 0 to `most`; None for anything else."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return value if usable and isinstance(value, int) else None


def moment(value: object) -> int | None:
    """An ISO time of the years 1970 to 2100 as Unix milliseconds; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value[:40])
        milliseconds = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
        return whole(milliseconds, _MOST_MS)
    except (ValueError, OverflowError):
        return None

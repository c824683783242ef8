"""Prompts with their histories as JSON: written and read, every hash proved, everything doubtful refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.errors import StorageError
from app.core.prompts import (
    LAST_MS,
    LONGEST_PROMPT,
    UNNAMED,
    PromptHistory,
    PromptVersion,
    hash_of,
    is_hash,
    parents_first,
    tidy_name,
    tidy_tags,
)
from app.core.text import clean

FORMAT = "orcinus-prompts"
VERSION = 1


def as_json(histories: Iterable[PromptHistory]) -> str:
    """All that is known of these prompts, every version; the same prompts always give the same text."""
    prompts = [
        {
            "name": history.name,
            "tags": list(history.tags),
            "note": history.note,
            "current": history.current,
            "versions": [
                {"hash": v.hash, "parent": v.parent, "created_ms": v.created_ms, "note": v.note, "text": v.text}
                for v in history.versions
            ],
        }
        for history in histories
    ]
    return json.dumps({"format": FORMAT, "version": VERSION, "prompts": prompts}, ensure_ascii=False, indent=1) + "\n"


def from_json(data: bytes) -> tuple[PromptHistory, ...]:
    """Read what `as_json` wrote.

    Raises:
        StorageError: it is something else, was written by a newer version, or does not say what it said when it was
            written.
    """
    try:
        table = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _no_prompts("It is not JSON, or it is cut off.") from error
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise _no_prompts("It is JSON, but not of prompts.")
    if table.get("version") != VERSION:
        raise StorageError(
            "These prompts are from a newer version",
            f"The file says that it is of version {str(table.get('version'))[:20]}; this app reads {VERSION}.",
            "Update the app, then import them again. Nothing was changed.",
        )
    return tuple(_history(prompt) for prompt in _list(table, "prompts"))


def checked(history: PromptHistory) -> PromptHistory:
    """A history that may be kept: tidy names, parents first, a current version that is there.

    Raises:
        StorageError: a version is not what its hash says, too long, or there is none.
    """
    name = tidy_name(clean(history.name)) or UNNAMED
    where = f"“{name[:60]}”"
    if not history.versions:
        raise _damaged(f"There is no version of {where} in it.")
    for version in history.versions:
        _check(version, where)
    versions = parents_first(history.versions)
    if history.current not in {version.hash for version in versions}:
        raise _damaged(f"The current version of {where} is not in it.")
    tags = tidy_tags(map(clean, history.tags))
    return PromptHistory(name, versions, history.current, tags, clean(history.note)[:LONGEST_PROMPT])


def _check(version: PromptVersion, where: str) -> None:
    if max(len(version.text), len(version.note)) > LONGEST_PROMPT:
        raise too_long(where)
    if clean(version.text) != version.text or clean(version.note) != version.note:
        raise _damaged(f"A version of {where} holds characters that are no text.")
    if not 0 <= version.created_ms <= LAST_MS:
        raise _damaged(f"A version of {where} was made at a time that does not exist.")
    if version.parent and not is_hash(version.parent):
        raise _damaged(f"A version of {where} names a parent that cannot be one.")
    if version.hash != hash_of(version.text, version.parent, version.note, version.created_ms):
        raise _damaged(f"A version of {where} is not what its hash says: it was changed or damaged.")


def too_long(where: str) -> StorageError:
    """A wording beyond what is kept."""
    return StorageError(
        "This prompt is too long",
        f"{where[:1].upper()}{where[1:]} has more than {LONGEST_PROMPT:,} characters, far more than any model reads.",
        "Shorten it. Nothing was changed.",
    )


def _history(table: Any) -> PromptHistory:
    if not isinstance(table, dict):
        raise _damaged("A prompt in it is something else.")
    versions = tuple(
        PromptVersion(
            _text(one, "hash"), _text(one, "parent"), _text(one, "text"), _text(one, "note"), _whole(one, "created_ms")
        )
        for one in _list(table, "versions")
        if isinstance(one, dict) or _refuse("versions")
    )
    tags = tuple(tag for tag in _list(table, "tags") if isinstance(tag, str) or _refuse("tags"))
    return checked(PromptHistory(_text(table, "name"), versions, _text(table, "current"), tags, _text(table, "note")))


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else _refuse(key)


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else _refuse(key)


def _whole(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse(key)


def _refuse(key: str) -> Any:
    raise _damaged(f"“{key}” is missing somewhere, or is of the wrong kind.")


def _no_prompts(detail: str) -> StorageError:
    return StorageError(
        "There are no prompts in this file", detail, "Choose a file that prompts were exported to. Nothing was changed."
    )


def _damaged(detail: str) -> StorageError:
    return StorageError(
        "These prompts cannot be trusted", detail, "Export them again where they came from. Nothing was changed."
    )

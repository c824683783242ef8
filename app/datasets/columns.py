"""What the columns of a table of questions mean, and a question from the values of a row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.lab import Check, Question
from app.core.text import clean

MEANINGS: Mapping[str, tuple[str, ...]] = {
    "key": ("id", "key", "question_id", "uid", "uuid", "name"),
    "text": ("question", "prompt", "instruction", "query", "user", "message", "input", "text"),
    "more": ("input", "context"),
    "reference": (
        "response", "reference", "reference_answer", "answer", "output", "completion", "expected", "target", "chosen",
        "assistant", "label",
    ),
    "system": ("system_prompt", "system", "system_message"),
    "tags": ("tags", "tag", "category"),
    "checks": ("checks",),
    "turns": ("messages", "conversations", "conversation"),
}  # fmt: skip
"""What a column can be, with the names it goes by, the likeliest first; OpenOrca's own are id, system_prompt, question
and response. "more" stands below the text, as Alpaca's input does; "turns" are chats of OpenAI or ShareGPT."""

_ROLES = {"human": "user", "gpt": "assistant"}


def meaning_of(names: Iterable[str], chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Which column is what: meanings to names as they stand in the file.

    chosen: what a person said, meanings to names; the others are guessed, each column once.
    """
    found = dict(chosen or {})
    by_plain = {_plain(name): name for name in reversed(list(names))}
    for meaning, known in MEANINGS.items():
        taken = set(found.values())
        name = next((by_plain[one] for one in known if one in by_plain and by_plain[one] not in taken), None)
        if meaning not in found and name is not None:
            found[meaning] = name
    if "text" in found and "turns" in found and not (chosen or {}).get("turns"):
        del found["turns"]
    return found


def question_of(values: Mapping[str, Any], meaning: Mapping[str, str]) -> Question | None:
    """A question from a row; None where it asks nothing. Its key may be ""."""

    def told(what: str) -> str:
        return _text(values.get(meaning[what])) if what in meaning else ""

    text, reference, system = told("text"), told("reference"), told("system")
    if "turns" in meaning:
        text, reference, system = _turns(values.get(meaning["turns"]))
    if text and (more := told("more")):
        text = f"{text}\n\n{more}"
    if not text.strip():
        return None
    tags = tuple(_tags(values.get(meaning["tags"]))) if "tags" in meaning else ()
    checks = tuple(_checks(_listed(values.get(meaning["checks"])))) if "checks" in meaning else ()
    return Question(told("key").strip(), text, reference, system, checks, tags)


def has_unread_checks(values: Mapping[str, Any], meaning: Mapping[str, str]) -> bool:
    """Whether a row's checks, or one of them, is nothing that is understood, and was left out."""
    given = values.get(meaning["checks"]) if "checks" in meaning else None
    if given is None or (isinstance(given, str) and not given.strip()):
        return False
    listed = _listed(given)
    return not isinstance(listed, list) or len(_checks(listed)) < len(listed)


def _plain(name: str) -> str:
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


def _text(value: Any) -> str:
    if value is None:
        return ""
    return clean(value if isinstance(value, str) else str(value))


def _turns(turns: Any) -> tuple[str, str, str]:
    """The first thing asked in a chat, what was answered to it, and the system prompt."""
    said: dict[str, str] = {}
    for turn in turns if isinstance(turns, list) else ():
        if not isinstance(turn, dict):
            continue
        role = str(turn.get("role", turn.get("from", "")))
        said.setdefault(_ROLES.get(role, role), _text(turn.get("content", turn.get("value"))))
    return said.get("user", ""), said.get("assistant", ""), said.get("system", "")


def _tags(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else _text(value).replace(";", ",").split(",")
    return [tag for part in parts if (tag := _text(part).strip())]


def _listed(value: Any) -> Any:
    """Where a table has no lists, one stands in it as JSON; a single check need not be in one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    return [value] if isinstance(value, dict) else value


def _checks(value: Any) -> list[Check]:
    """Checks as a plan has them: tables with a kind, maybe a label, and values."""
    found = []
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict) and isinstance(one.get("kind"), str):
            rest = {key: given for key, given in one.items() if key not in ("kind", "label")}
            found.append(Check(one["kind"], rest, _text(one.get("label"))))
    return found

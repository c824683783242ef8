"""Where a chat's system prompt comes from, and what stands in the places of its variables: beside the chat's row."""

from __future__ import annotations

import json
from collections.abc import Mapping

from app.core.prompt_variables import BUILT_IN
from app.core.text import clean
from app.storage.database import Database

COLUMNS = (
    "coalesce((SELECT version FROM chat_prompt WHERE chat_id = chat.id), ''),"
    " (SELECT given || char(10) || known FROM chat_variables WHERE chat_id = chat.id)"
)
"""To select from `chat`: the version's hash, and a text that `variables` reads."""


def set_version(database: Database, chat_id: int, version: str, now_ms: int) -> None:
    """Keep the hash of the version that the system prompt was taken from; "" for none."""
    database.run("DELETE FROM chat_prompt WHERE chat_id = ?", chat_id)
    if version:
        sql = "INSERT INTO chat_prompt (chat_id, version, since_ms) VALUES (?, ?, ?)"
        database.run(sql, chat_id, clean(version), now_ms)


def set_variables(database: Database, chat_id: int, values: Mapping[str, str]) -> None:
    """Replace all values by name: those that the person gave, and those that the app knew."""
    given = {name: value for name, value in values.items() if name not in BUILT_IN}
    known = {name: value for name, value in values.items() if name in BUILT_IN}
    sql = "INSERT OR REPLACE INTO chat_variables (chat_id, given, known) VALUES (?, ?, ?)"
    database.run(sql, chat_id, _json(given), _json(known))


def variables(kept: str | None) -> dict[str, str]:
    """The values from the second of `COLUMNS`; what is damaged is left out."""
    found: dict[str, str] = {}
    for line in (kept or "").splitlines():
        try:
            part = json.loads(line)
        except ValueError:
            continue
        if isinstance(part, dict):
            found |= {name: value for name, value in part.items() if isinstance(value, str)}
    return found


def _json(values: Mapping[str, str]) -> str:
    # ASCII alone: no sign of a value can be taken for the end of a line
    return clean(json.dumps(dict(values), sort_keys=True))

"""How an answer's provenance and token ids lie in the database.

What many answers share is kept once: the system prompt, and the setup (model, template, sampler values), each found by
the hash of its text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, cast

from app.core.chat import Provenance
from app.core.text import clean
from app.storage.database import Database

_SETUP = ("model_name", "model_path", "template", "sampling", "context_tokens")
_PLAIN = {
    f.name: type(f.default)
    for f in dataclasses.fields(Provenance)
    if f.name not in (*_SETUP, "system_prompt") and f.default is not dataclasses.MISSING
}


def save_answer(database: Database, message_id: int, token_ids: Sequence[int], provenance: Provenance | None) -> None:
    """Keep what belongs to an answer beside its text; inside the caller's transaction."""
    if provenance is None and not token_ids:
        return
    prompt_id = setup_id = None
    details: dict[str, Any] = {}
    if provenance is not None:
        prompt_id = _wording_id(database, provenance.system_prompt)
        setup_id = _wording_id(database, setup_text(provenance))
        details = _details(provenance)
    database.run(
        "INSERT OR REPLACE INTO answer (message_id, prompt_id, setup_id, token_ids, details) VALUES (?, ?, ?, ?, ?)",
        message_id,
        prompt_id,
        setup_id,
        pack(token_ids),
        _json(details),
    )


def setup_text(provenance: Provenance) -> str:
    """What many answers share of how they came about, as text: model, template, sampler values, context."""
    return _json({name: getattr(provenance, name) for name in _SETUP})


def details_text(provenance: Provenance) -> str:
    """What one answer alone has of it, as text; the system prompt is in neither."""
    return _json(_details(provenance))


def provenance_of(system_prompt: str, setup: str, details: str) -> Provenance:
    """How an answer came about, from the texts of the two functions above; what is damaged is left at its default."""
    return Provenance(system_prompt=system_prompt, **_setup(setup), **_plain(_mapping(details)))


def pack(token_ids: Sequence[int]) -> bytes:
    """Token ids as little-endian uint32."""
    return struct.pack(f"<{len(token_ids)}I", *token_ids)


def unpack(blob: bytes) -> tuple[int, ...]:
    """The token ids again; a damaged tail is left out."""
    count = len(blob) // 4
    return struct.unpack(f"<{count}I", blob[: 4 * count])


class Wordings:
    """The shared texts of one chat's answers, read once."""

    def __init__(self, database: Database, chat_id: int) -> None:
        self._texts: dict[int | None, str] = dict(
            database.rows(
                "SELECT id, text FROM wording WHERE id IN ("
                " SELECT prompt_id FROM answer JOIN message ON message.id = message_id WHERE chat_id = ?1 UNION"
                " SELECT setup_id FROM answer JOIN message ON message.id = message_id WHERE chat_id = ?1)",
                chat_id,
            )
        )
        self._setups: dict[int | None, dict[str, Any]] = {}

    def provenance(self, prompt_id: int | None, setup_id: int | None, details: Mapping[str, Any]) -> Provenance | None:
        """The provenance of one answer; what is damaged in it is left at its default."""
        if setup_id is None and prompt_id is None:
            return None
        if setup_id not in self._setups:
            self._setups[setup_id] = _setup(self._texts.get(setup_id, ""))
        return Provenance(system_prompt=self._texts.get(prompt_id, ""), **self._setups[setup_id], **_plain(details))


def parse_details(texts: Sequence[str | None]) -> list[Mapping[str, Any]]:
    """The details of many answers, parsed at once; empty for those that are damaged or not there."""
    try:
        found = json.loads("[" + ",".join(text or "{}" for text in texts) + "]")
    except ValueError:
        found = []
    if len(found) == len(texts) and all(type(one) is dict for one in found):
        return cast("list[Mapping[str, Any]]", found)
    return [_mapping(text or "") for text in texts]


def _details(provenance: Provenance) -> dict[str, Any]:
    return {name: getattr(provenance, name) for name in _PLAIN}


def _plain(details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in details.items()
        if type(value) is (kind := _PLAIN.get(name)) or (kind is float and type(value) is int)
    }


def _setup(text: str) -> dict[str, Any]:
    kinds = {"sampling": dict, "context_tokens": int}
    found: dict[str, Any] = {
        name: value
        for name, value in _mapping(text).items()
        if name in _SETUP and isinstance(value, kinds.get(name, str))
    }
    if sampling := found.get("sampling"):
        # JSON knows no tuples, and a setting no lists
        found["sampling"] = {key: tuple(held) if isinstance(held, list) else held for key, held in sampling.items()}
    return found


def _wording_id(database: Database, text: str) -> int:
    text = clean(text)
    digest = hashlib.sha256(text.encode()).digest()
    if found := database.row("SELECT id FROM wording WHERE sha256 = ?", digest):
        return int(found[0])
    return database.insert("INSERT INTO wording (sha256, text) VALUES (?, ?)", digest, text)


def _json(values: Mapping[str, Any]) -> str:
    return clean(json.dumps(values, ensure_ascii=False, sort_keys=True, default=dict))


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

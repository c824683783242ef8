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
from app.storage.model_sums import Summed

_SETUP = (
    "model_name", "model_path", "model_quant", "model_size_bytes", "model_mtime_ns", "model_sha256", "engine",
    "running", "template", "sampling", "context_tokens",
)  # fmt: skip
_KINDS: Mapping[str, type] = {
    "sampling": dict,
    "running": dict,
    "model_sha256": list,
    "context_tokens": int,
    "model_size_bytes": int,
    "model_mtime_ns": int,
}
"""What those are in JSON; the others are texts."""
_PLAIN: Mapping[str, type] = {
    f.name: type(f.default)
    for f in dataclasses.fields(Provenance)
    if f.name not in (*_SETUP, "system_prompt") and f.default is not dataclasses.MISSING
}


def save_answer(database: Database, message_id: int, token_ids: Sequence[int], provenance: Provenance | None) -> None:
    """Keep what belongs to an answer beside its text; inside the caller's transaction."""
    # what came of making it once more was said of the text that it had before
    database.run("DELETE FROM reproduction WHERE message_id = ?", message_id)
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
    return Provenance(system_prompt=system_prompt, **_setup(_mapping(setup)), **_plain(_mapping(details)))


def provenance_from(table: Mapping[str, Any]) -> Provenance:
    """How an answer came about, from what `dataclasses.asdict` and JSON made of it; what is unknown is passed over."""
    prompt = table.get("system_prompt")
    known: dict[str, Any] = {"system_prompt": prompt} if isinstance(prompt, str) else {}
    return Provenance(**known, **_setup(table), **_plain(table))


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
        self._summed = Summed(database)

    def provenance(self, prompt_id: int | None, setup_id: int | None, details: Mapping[str, Any]) -> Provenance | None:
        """The provenance of one answer; what is damaged in it is left at its default."""
        if setup_id is None and prompt_id is None:
            return None
        if setup_id not in self._setups:
            setup = _setup(_mapping(self._texts.get(setup_id, "")))
            sums = self._summed(Provenance(**setup)).model_sha256
            self._setups[setup_id] = {**setup, "model_sha256": sums}
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


def _setup(table: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: value for name, value in table.items() if name in _SETUP and isinstance(value, _KINDS.get(name, str))
    }
    # JSON knows no tuples, and neither a setting nor what is kept of running has lists
    for name in ("sampling", "running"):
        if name in found:
            found[name] = {key: tuple(held) if isinstance(held, list) else held for key, held in found[name].items()}
    if "model_sha256" in found:
        found["model_sha256"] = tuple(map(str, found["model_sha256"]))
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

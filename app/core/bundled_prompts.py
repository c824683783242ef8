"""The system prompts that come with the app: resources/prompts.toml and what the catalogue says of its models."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.known import Entry
from app.core.prompts import BundledPrompt, tidy_tags, version_of


def read_bundled_prompts(resources: Path, entries: Iterable[Entry]) -> tuple[BundledPrompt, ...]:
    """The prompts in the order of the file. A mistake in it raises KeyError, TypeError or ValueError."""
    with (resources / "prompts.toml").open("rb") as file:
        tables = tomllib.load(file)["prompt"]
    texts = {entry.id: entry.system_prompt for entry in entries}
    return tuple(_prompt(table, texts) for table in tables)


def _prompt(table: Mapping[str, Any], texts: Mapping[str, str]) -> BundledPrompt:
    model_id, created = table.get("model", ""), table["created"]
    if unknown := table.keys() - {"id", "name", "tags", "note", "created", "model", "text"}:
        raise TypeError(f"unknown keys: {sorted(unknown)}")
    text = (texts[model_id] if model_id else table["text"]).strip()
    if not text or (model_id and "text" in table) or not isinstance(created, datetime):
        raise ValueError(f"{table['id']}: exactly one of text and model, and a moment in `created`")
    version = version_of(text, created_ms=round(created.timestamp() * 1000))
    return BundledPrompt(table["id"], table["name"], version, tidy_tags(table["tags"]), table["note"], model_id)

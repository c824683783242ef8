"""A comparison as text for people."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.made_by import brief_markdown
from app.services.compare_columns import Column


def as_markdown(columns: Iterable[Column]) -> str:
    """The columns one after another, each with its prompt, what was said, and in brief what made it."""
    parts = []
    for column in columns:
        contestant = column.contestant
        parts.append(f"## {contestant.name}\n")
        if contestant.system_prompt.strip():
            quoted = "\n".join(f"> {line}".rstrip() for line in contestant.system_prompt.splitlines())
            parts.append(f"{quoted}\n")
        for exchange in column.exchanges:
            parts.append(f"**You**\n\n{exchange.question}\n")
            parts.append(f"**{contestant.name}**\n\n{exchange.text}\n")
            if made := brief_markdown(exchange.provenance):
                parts.append(f"{made}\n")
    return "\n".join(parts)

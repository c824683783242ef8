"""A comparison as text for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.core.made_by import brief_markdown
from app.core.reproduced import EXACT_UP_TO
from app.services.compare_columns import Column

if TYPE_CHECKING:
    from app.services.comparison import Comparison


def cautions(comparison: Comparison) -> str:
    """What is other than one may think of how the columns are answered, in sentences; "" for nothing."""
    told = []
    if later := comparison.later_models():
        told.append(f"One model answers after the other: {', '.join(later)} later than the first.")
    if comparison.most_together() > EXACT_UP_TO:
        told.append(f"With more than {EXACT_UP_TO} columns a text may differ from the one it gets alone.")
    if comparison.on_gpu:
        told.append("On a GPU the text may differ a little from one time to the next, with the same seed too.")
    return " ".join(told)


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

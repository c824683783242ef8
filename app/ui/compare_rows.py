"""What was said in a column as rows of a transcript, and what made it in a few words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from app.core.chat import Message, MessageState
from app.core.made_by import in_brief
from app.core.role import Role
from app.ui.chat_rows import footer
from app.ui.transcript_row import Row

if TYPE_CHECKING:
    from app.core.exchange import Exchange
    from app.services.compare_columns import Column


def rows_of(column: Column) -> list[Row]:
    """The column's exchanges as rows of a transcript: 1, 2 for the first question and answer, 3, 4 for the second."""
    rows: list[Row] = []
    for number, exchange in enumerate(column.exchanges):
        rows.append(Row("user", 2 * number + 1, exchange.question))
        how = exchange.provenance
        title = how.model_name if how is not None and how.model_name else "Assistant"
        error = how.error if how is not None and exchange.state is MessageState.FAILED else ""
        rows.append(
            Row("assistant", 2 * number + 2, exchange.text, title=title, footer=error, state=exchange.state.value)
        )
    return rows


def questions(rows: list[Row]) -> list[str]:
    """What was asked."""
    return [row.text for row in rows if row.kind == "user"]


def figures(exchange: Exchange | None) -> str:
    """Tokens, speed and time of the newest answer."""
    if exchange is None or exchange.provenance is None or exchange.state is MessageState.FAILED:
        return ""
    how = dataclasses.replace(exchange.provenance, dropped_turns=0)
    return footer(Message(0, 0, None, Role.ASSISTANT, "", exchange.state, provenance=how))


def made_by(exchange: Exchange | None) -> str:
    """What made the newest answer, for those who look closer."""
    how = exchange.provenance if exchange is not None else None
    if how is None:
        return ""
    read = [f"{how.prompt_tokens:,} tokens of prompt, {how.cached_tokens:,} of them read before"]
    return "\n".join((*in_brief(how), *(read if how.prompt_tokens else [])))

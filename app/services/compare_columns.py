"""What was said in the columns of a comparison, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.chat import Chat, Message, MessageState
from app.core.exchange import Exchange
from app.core.lab import Contestant
from app.core.prompt_variables import DATE, MODEL, TIME, variables
from app.core.role import Role
from app.engine.base import Turn


@dataclass(frozen=True, slots=True)
class Column:
    """One system prompt and the conversation it has had.

    `reading`: tokens of its prompt that are read, and of all. `made_from`: hash of the saved version that the prompt
    is, or was made from, "" for none. `waits_for`: the name of the model that answers first, "" where none does.
    """

    contestant: Contestant
    exchanges: tuple[Exchange, ...] = ()
    reading: tuple[int, int] = (0, 0)
    made_from: str = ""
    waits_for: str = ""

    @property
    def growing(self) -> bool:
        """Whether an answer is awaited or being written."""
        return bool(self.exchanges) and self.exchanges[-1].state is MessageState.STREAMING


def begun(contestant: Contestant, made_from: str = "") -> Column:
    """A column that nothing was asked of yet. `made_from` is for a prompt that is no saved version as it stands."""
    return Column(contestant, made_from=contestant.version or made_from)


def answered(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """What a column is told of before: a question without an answer would make two questions in a row."""
    return tuple(exchange for exchange in exchanges if exchange.text)


def turns_of(prompt: str, column: Column) -> tuple[Turn, ...]:
    """The conversation as the engine needs it, the newest question last."""
    turns = [Turn(Role.SYSTEM, prompt)] if prompt.strip() else []
    for exchange in column.exchanges[:-1]:
        turns += [Turn(Role.USER, exchange.question), Turn(Role.ASSISTANT, exchange.text, exchange.token_ids)]
    return (*turns, Turn(Role.USER, column.exchanges[-1].question))


def chat_of(
    column: Column, model_id: str, overrides: Mapping[str, Any], values: Mapping[str, str]
) -> tuple[Chat, tuple[tuple[str, Message], ...]]:
    """The column as a chat without an id, with the values its prompt was sent with, and its ended exchanges."""
    contestant = column.contestant
    used = {variable.name for variable in variables(contestant.system_prompt)}
    used |= {DATE, TIME} if used & {DATE, TIME} else set()
    kept = {name: text for name, text in values.items() if name in used - {MODEL}}
    chat = Chat(0, "", model_id, contestant.system_prompt, overrides, prompt_version=contestant.version, variables=kept)
    ended = (one for one in column.exchanges if one.state is not MessageState.STREAMING)
    return chat, tuple(
        (one.question, Message(0, 0, None, Role.ASSISTANT, one.text, one.state, 0, one.token_ids, one.provenance))
        for one in ended
    )

"""An answer with all that is kept of how it came about: a chat's, a column's, an experiment's or its judge's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.chat import Message, MessageState, Provenance
from app.core.context import WHOLE
from app.core.judging import Judgement
from app.core.lab import Cell, CellState, Place, Plan
from app.core.role import Role
from app.engine.base import Turn
from app.services.compare_columns import Column, answered, turns_of
from app.services.experiment import cell_turns, judge_turns
from app.services.reply_job import kept_of
from app.services.reply_job import turns_of as turns_of_path
from app.storage.reproductions import Answer

_TITLE_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Origin:
    """An answer, what was sent for it, and what made it.

    `title` says in a few words which answer it is. `turns` end with the question, or with the beginning of the answer
    where it was continued. `cut_off`: it was stopped before its end. `kept_as` is where it lies in the database, None
    where it does not. `trimmed`: it is kept without the blanks around it.
    """

    title: str
    turns: tuple[Turn, ...]
    text: str
    how: Provenance
    cut_off: bool = False
    kept_as: Answer | None = None
    trimmed: bool = False

    @property
    def obstacle(self) -> str:
        """Why it cannot be made once more, in a sentence; "" where it can be."""
        if not self.how.model_path:
            return "What made this answer was not kept, so it cannot be made once more."
        if not self.how.stop_reason:
            return "It broke off before its seed was known, so it cannot be made once more."
        if not self.text[self.how.continued_chars :]:
            return "There is no text to compare with."
        return ""


def of_message(path: Sequence[Message], reply: Message) -> Origin | None:
    """A chat's answer. `path` are the messages before it; None where nothing is kept of how it came about."""
    how = reply.provenance
    if how is None:
        return None
    kept = kept_of((*path, reply)) if how.prompt_tokens else None
    cut = kept.cut if kept is not None else WHOLE
    sent = [*path[: cut.head], *path[cut.end :]]
    turns = turns_of_path(sent, how.system_prompt)
    if how.continued_chars:
        ids = reply.token_ids[: how.continued_tokens]
        turns = (*turns, Turn(Role.ASSISTANT, reply.text[: how.continued_chars], ids))
    question = path[-1].text if path else ""
    return Origin(_title(question), turns, reply.text, how, reply.state is not MessageState.DONE, reply.id or None)


def of_exchange(column: Column, number: int = -1) -> Origin | None:
    """A column's answer to one of its questions, the newest unless told; None where nothing is kept of it."""
    if not column.exchanges or (how := column.exchanges[number].provenance) is None:
        return None
    exchange = column.exchanges[number]
    place = number % len(column.exchanges)
    before = answered(column.exchanges[:place])
    turns = turns_of(how.system_prompt, Column(column.contestant, (*before, exchange)))
    cut_off = exchange.state is not MessageState.DONE
    return Origin(f"{column.contestant.name}: {_title(exchange.question)}", turns, exchange.text, how, cut_off)


def of_cell(run_id: int, plan: Plan, cell: Cell) -> Origin | None:
    """An answer of a run; None where there is none, or nothing is kept of how it came about."""
    if cell.provenance is None or cell.state is not CellState.DONE:
        return None
    place = cell.place
    contestant, question = plan.contestants[place.contestant], plan.questions[place.question]
    title = f"{contestant.name}: {_title(question.text)}"
    turns = cell_turns(cell.provenance.system_prompt, question)
    return Origin(title, turns, cell.text, cell.provenance, kept_as=(run_id, place))


def of_judgement(plan: Plan, said: Judgement, cells: Mapping[Place, Cell]) -> Origin | None:
    """A judge's verdict on two answers, which are among the `cells`; None where nothing is kept of how it came about.

    A pair that the judge could say nothing about has none.
    """
    duel, how = said.duel, said.provenance
    answers = [cells.get(Place(one, duel.question, duel.seed)) for one in (duel.first, duel.second)]
    if how is None or said.error or None in answers:
        return None
    question = plan.questions[duel.question]
    texts = [cell.text for cell in answers if cell is not None]
    names = [plan.contestants[one].name for one in (duel.first, duel.second)]
    title = f"The judge on {names[0]} and {names[1]}: {_title(question.text)}"
    turns = judge_turns(how.system_prompt, question, texts[0], texts[1])
    return Origin(title, turns, said.words, how, trimmed=True)


def _title(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _TITLE_CHARACTERS else f"{words[: _TITLE_CHARACTERS - 1].rstrip()}…"

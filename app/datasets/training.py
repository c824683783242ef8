"""Rated chats and answers as training data: OpenAI and ShareGPT chats, OpenOrca's columns, preference pairs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.core.chat import Provenance
from app.core.lab import Cell, CellState, Place, Plan, Vote, system_prompt_of
from app.core.role import Role


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a dialogue; `how` tells what made an answer."""

    role: Role
    text: str
    how: Provenance | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A chat to learn from: maybe a system prompt, then a person and a model by turns, the model last."""

    key: str
    turns: tuple[Turn, ...]

    @property
    def system(self) -> str:
        """Its system prompt, "" for none."""
        return next((turn.text for turn in self.turns if turn.role is Role.SYSTEM), "")


@dataclass(frozen=True, slots=True)
class Preference:
    """Two answers to one question, the better one chosen; what made them. `before` was said before the question."""

    key: str
    system: str
    prompt: str
    chosen: str
    rejected: str
    before: tuple[Turn, ...] = ()
    chosen_how: Provenance | None = field(default=None, compare=False)
    rejected_how: Provenance | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Examples:
    """What can be learnt from, chosen in one way: either dialogues or preferences. `left_out` says what is missing."""

    title: str
    dialogues: tuple[Dialogue, ...] = ()
    preferences: tuple[Preference, ...] = ()
    are_pairs: bool = False
    left_out: str = ""


class ChatFormat(StrEnum):
    """How dialogues are written."""

    OPENAI = "openai"
    """JSON lines with `messages` of role and content."""
    SHAREGPT = "sharegpt"
    """One JSON list of `conversations` of from and value."""
    OPENORCA_JSONL = "openorca-jsonl"
    """JSON lines with id, system_prompt, question and response: dialogues of more than one question are left out."""
    OPENORCA_CSV = "openorca-csv"
    """The same as a table."""


class PairFormat(StrEnum):
    """How preferences are written, as JSON lines."""

    TEXT = "text"
    """`prompt`, `chosen` and `rejected` as texts, `system` where there is one: those with turns before are left out."""
    MESSAGES = "messages"
    """The same three as lists of role and content."""


_SHAREGPT = {Role.SYSTEM: "system", Role.USER: "human", Role.ASSISTANT: "gpt"}


def dialogues_of_run(plan: Plan, cells: Iterable[Cell]) -> list[Dialogue]:
    """Answers of a run as dialogues of one question each; which cells are good enough, the caller has decided."""
    found = []
    for cell in cells:
        if cell.state is CellState.DONE and cell.text.strip():
            question = plan.questions[cell.place.question]
            contestant = plan.contestants[cell.place.contestant]
            system = system_prompt_of(contestant, question)
            turns = (*_system(system), Turn(Role.USER, question.text), Turn(Role.ASSISTANT, cell.text, cell.provenance))
            found.append(Dialogue(f"{question.key}.{contestant.name}.{plan.seeds[cell.place.seed]}", turns))
    return found


def winners(plan: Plan, cells: Iterable[Cell], votes: Iterable[Vote]) -> list[Cell]:
    """The cells that won more than half of their duels."""
    won: dict[Place, list[float]] = {}
    for vote in votes:
        won.setdefault(Place(vote.first, vote.question, vote.seed), []).append(vote.outcome)
        won.setdefault(Place(vote.second, vote.question, vote.seed), []).append(1 - vote.outcome)
    return [cell for cell in cells if (mine := won.get(cell.place)) and sum(mine) / len(mine) > 0.5]


def preferences_of_run(plan: Plan, cells: Iterable[Cell], votes: Iterable[Vote]) -> list[Preference]:
    """Pairs of answers of which one was found better, in the order of the questions.

    Several votes on one pair count together; ties and equal answers teach nothing and are left out. The system prompt
    is the one that came with the question: two contestants differ in theirs, and neither belongs to the pair.
    """
    done = {cell.place: cell for cell in cells if cell.state is CellState.DONE}
    sums: dict[tuple[int, int, int, int], float] = {}
    for vote in votes:
        lower, higher = sorted((vote.first, vote.second))
        outcome = vote.outcome if vote.first == lower else 1 - vote.outcome
        pair = (vote.question, vote.seed, lower, higher)
        sums[pair] = sums.get(pair, 0.0) + outcome - 0.5
    found = []
    for (asked, seed, lower, higher), ahead in sorted(sums.items()):
        better, worse = (lower, higher) if ahead > 0 else (higher, lower)
        chosen, rejected = (done.get(Place(one, asked, seed)) for one in (better, worse))
        if ahead and chosen and rejected and chosen.text.strip() != rejected.text.strip():
            question = plan.questions[asked]
            names = f"{plan.contestants[better].name}.{plan.contestants[worse].name}.{plan.seeds[seed]}"
            said = (question.system_prompt, question.text, chosen.text, rejected.text)
            made = (chosen.provenance, rejected.provenance)
            found.append(Preference(f"{question.key}.{names}", *said, (), *made))
    return found


def examples_of_run(
    plan: Plan, cells: Sequence[Cell], votes: Sequence[Vote], passed: Collection[Place] | None
) -> tuple[Examples, ...]:
    """A run's answers, in the ways in which they can be chosen. passed: the cells that passed all checks, if any."""
    found = [Examples("Answers that won", tuple(dialogues_of_run(plan, winners(plan, cells, votes))))]
    if passed is not None:
        fine = [cell for cell in cells if cell.place in passed]
        found.append(Examples("Answers that passed every check", tuple(dialogues_of_run(plan, fine))))
    found.append(Examples("All answers", tuple(dialogues_of_run(plan, cells))))
    pairs = tuple(preferences_of_run(plan, cells, votes))
    found.append(Examples("Pairs of the better and the worse answer", preferences=pairs, are_pairs=True))
    return tuple(found)


def fits(dialogue: Dialogue, form: ChatFormat) -> bool:
    """Whether a dialogue can be written so."""
    one_question = sum(turn.role is not Role.SYSTEM for turn in dialogue.turns) == 2
    return one_question or form not in (ChatFormat.OPENORCA_JSONL, ChatFormat.OPENORCA_CSV)


def pair_fits(preference: Preference, form: PairFormat) -> bool:
    """Whether a preference can be written so."""
    return form is PairFormat.MESSAGES or not preference.before


def written(dialogues: Iterable[Dialogue], form: ChatFormat) -> str:
    """Dialogues as the text of a file; those that do not fit the form are left out."""
    return _WRITERS[form](one for one in dialogues if fits(one, form))


def written_preferences(preferences: Iterable[Preference], form: PairFormat = PairFormat.TEXT) -> str:
    """Preference pairs as JSON lines; those that do not fit the form are left out."""
    fitting = (one for one in preferences if pair_fits(one, form))
    return _lines(map(_pair_text if form is PairFormat.TEXT else _pair_messages, fitting))


def _pair_text(one: Preference) -> dict[str, Any]:
    system = {"system": one.system} if one.system.strip() else {}
    return system | {"prompt": one.prompt, "chosen": one.chosen, "rejected": one.rejected}


def _pair_messages(one: Preference) -> dict[str, Any]:
    asked = (*_system(one.system), *one.before, Turn(Role.USER, one.prompt))
    return {
        "prompt": _messages(asked),
        "chosen": _messages([Turn(Role.ASSISTANT, one.chosen)]),
        "rejected": _messages([Turn(Role.ASSISTANT, one.rejected)]),
    }


def _messages(turns: Iterable[Turn]) -> list[dict[str, str]]:
    return [{"role": str(turn.role), "content": turn.text} for turn in turns]


def _openai(dialogues: Iterable[Dialogue]) -> str:
    return _lines({"messages": _messages(one.turns)} for one in dialogues)


def _sharegpt(dialogues: Iterable[Dialogue]) -> str:
    found = [
        {"id": one.key, "conversations": [{"from": _SHAREGPT[turn.role], "value": turn.text} for turn in one.turns]}
        for one in dialogues
    ]
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _openorca_rows(dialogues: Iterable[Dialogue]) -> list[dict[str, str]]:
    rows = []
    for one in dialogues:
        question, response = (turn.text for turn in one.turns if turn.role is not Role.SYSTEM)
        rows.append({"id": one.key, "system_prompt": one.system, "question": question, "response": response})
    return rows


def _openorca_csv(dialogues: Iterable[Dialogue]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["id", "system_prompt", "question", "response"], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_openorca_rows(dialogues))
    return out.getvalue()


def _openorca_jsonl(dialogues: Iterable[Dialogue]) -> str:
    return _lines(_openorca_rows(dialogues))


_WRITERS: dict[ChatFormat, Callable[[Iterable[Dialogue]], str]] = {
    ChatFormat.OPENAI: _openai,
    ChatFormat.SHAREGPT: _sharegpt,
    ChatFormat.OPENORCA_JSONL: _openorca_jsonl,
    ChatFormat.OPENORCA_CSV: _openorca_csv,
}


def _system(text: str) -> tuple[Turn, ...]:
    return (Turn(Role.SYSTEM, text),) if text.strip() else ()


def _lines(objects: Iterable[Any]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)

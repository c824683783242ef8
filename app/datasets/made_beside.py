"""What made the answers of training data, for a file beside it: the data itself stays as other programs want it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from app.core.chat import Provenance
from app.core.made_by import handed_on
from app.core.role import Role
from app.datasets.training import ChatFormat, Dialogue, Examples, PairFormat, Preference, Turn, fits, pair_fits

_ENDING = ".made-by.jsonl"


def beside(path: str) -> str:
    """Where that file lies: `answers.jsonl` has `answers.made-by.jsonl` beside it."""
    place = PurePath(path)
    return str(place.with_name(f"{place.stem}{_ENDING}"))


def made_of(examples: Examples) -> list[Provenance]:
    """What made the answers in these examples, as far as it was kept."""
    made = [turn.how for one in examples.dialogues for turn in one.turns]
    for pair in examples.preferences:
        made += [*(turn.how for turn in pair.before), pair.chosen_how, pair.rejected_how]
    return [how for how in made if how is not None]


def written_made(examples: Examples, form: ChatFormat | PairFormat, fill: Callable[[Provenance], Provenance]) -> str:
    """JSON lines, one for each example that is written in this form, in the same order and with its number, from 1.

    Each answer in it has the SHA-256 of its text and what made it, null where that was not kept. fill: puts in what
    was found out since the answers were made.
    """
    if isinstance(form, PairFormat):
        pairs = (one for one in examples.preferences if pair_fits(one, form))
        return _lines(_pair(number, one, fill) for number, one in enumerate(pairs, 1))
    dialogues = (one for one in examples.dialogues if fits(one, form))
    return _lines(_dialogue(number, one, fill) for number, one in enumerate(dialogues, 1))


def _dialogue(number: int, one: Dialogue, fill: Callable[[Provenance], Provenance]) -> dict[str, Any]:
    return {"number": number, "id": one.key, "answers": _answers(one.turns, fill)}


def _pair(number: int, one: Preference, fill: Callable[[Provenance], Provenance]) -> dict[str, Any]:
    return {
        "number": number,
        "id": one.key,
        "before": _answers(one.before, fill),
        "chosen": _answer(one.chosen, one.chosen_how, fill),
        "rejected": _answer(one.rejected, one.rejected_how, fill),
    }


def _answers(turns: Iterable[Turn], fill: Callable[[Provenance], Provenance]) -> list[dict[str, Any]]:
    return [_answer(turn.text, turn.how, fill) for turn in turns if turn.role is Role.ASSISTANT]


def _answer(text: str, how: Provenance | None, fill: Callable[[Provenance], Provenance]) -> dict[str, Any]:
    return {
        "answer_sha256": hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
        "provenance": asdict(handed_on(fill(how))) if how is not None else None,
    }


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

"""Judging answers by pairs: what a model is shown and how its verdict is read, and what a person says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.core.chat import Provenance
from app.core.lab import Place, Plan, Question, Rater, Vote

DEFAULT_JUDGE_PROMPT = """\
You compare two answers to one question. Judge how well each answer does what the question asks: is it right, \
complete, clear, and no longer than it needs to be? Where a reference answer is given, it counts as right. The order \
in which the answers stand means nothing, and neither does their length alone.

First say in one or two sentences what makes the difference. Then end with one line that holds nothing but your \
verdict: A, B or tie."""
"""What a judge is told unless the person writes something else; it asks for what `verdict_of` reads."""

SAME_WORDS = "Both answers are word for word the same."
"""Said in place of a judge, who need not be asked then."""

_OUTCOMES = {"a": 1.0, "b": 0.0, "tie": 0.5}
_VERDICT = re.compile(r"(?:(?:final )?verdict|answer)?[\s:*_]*(a|b|tie)", re.IGNORECASE)
_ORNAMENT = " \t*_`'\"“”.[]()"
_NO_ANSWER = "(no answer)"


@dataclass(frozen=True, slots=True, order=True)
class Duel:
    """Two contestants' answers to one question with one seed, `first` shown as A: indices into the plan."""

    question: int
    seed: int
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said about two answers.

    `outcome` is None where its words hold no verdict, or `error` tells why it said nothing: kept and counted, but no
    vote. `provenance` tells what made it; None where no model was asked, or nobody kept it yet.
    """

    duel: Duel
    outcome: float | None
    words: str = ""
    error: str = ""
    at_ms: int = 0
    provenance: Provenance | None = None

    @property
    def vote(self) -> Vote | None:
        """It as a vote, if it is one."""
        if self.outcome is None:
            return None
        duel = self.duel
        return Vote(
            Rater.JUDGE, duel.question, duel.seed, duel.first, duel.second, self.outcome, self.words, self.at_ms
        )


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a person said about two answers, `id` as the store knows it.

    `outcome` is None where the pair was skipped: kept, so that it does not come again, but no vote.
    """

    duel: Duel
    outcome: float | None
    words: str = ""
    at_ms: int = 0
    id: int = 0

    @property
    def vote(self) -> Vote | None:
        """It as a vote, if it is one."""
        if self.outcome is None:
            return None
        duel = self.duel
        return Vote(
            Rater.PERSON, duel.question, duel.seed, duel.first, duel.second, self.outcome, self.words, self.at_ms
        )


class Counted(StrEnum):
    """Whose votes a ranking counts."""

    BOTH = "both"
    JUDGE = "judge"
    PERSON = "person"

    def of(self, votes: Iterable[Vote]) -> list[Vote]:
        """Those that count."""
        return [vote for vote in votes if self is Counted.BOTH or str(vote.rater) == str(self)]


def judge_message(question: Question, first: str, second: str) -> str:
    """What a judge is asked about two answers. Everything but the second answer comes before it: it is read once."""
    parts = [("Instructions that came with the question", question.system_prompt)] if question.system_prompt else []
    parts.append(("Question", question.text))
    if question.reference:
        parts.append(("Reference answer", question.reference))
    parts += [("Answer A", first.strip() or _NO_ANSWER), ("Answer B", second.strip() or _NO_ANSWER)]
    shown = "\n\n".join(f"### {title}\n{text}" for title, text in parts)
    return f"{shown}\n\n### Your verdict\nWhich answer is better? End with one line: A, B or tie."


def verdict_of(words: str) -> float | None:
    """1 where the last line says A, 0 for B, 0.5 for a tie; None for anything else, however it may be meant."""
    lines = [line.strip(_ORNAMENT) for line in words.splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    found = _VERDICT.fullmatch(last)
    return _OUTCOMES[found[1].lower()] if found else None


def duels(plan: Plan, has_answer: Callable[[Place], bool]) -> Iterator[Duel]:
    """Every pair of answers that there are, in both orders; those that are shown the same beginning stand together."""
    for question in range(len(plan.questions)):
        for seed in range(len(plan.seeds)):
            able = [one for one in range(len(plan.contestants)) if has_answer(Place(one, question, seed))]
            for first in able:
                yield from (Duel(question, seed, first, second) for second in able if second != first)

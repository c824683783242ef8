"""How an experiment stands by its votes: everything that a page of results shows of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.judging import Counted, Duel
from app.core.lab import Cell, Plan, Rater, Vote
from app.scoring.agreement import Agreement, Steadiness, agreement, steadiness
from app.scoring.ranking import Ranking, rank
from app.scoring.saying import Said, most_telling, sentences
from app.scoring.teaching import TeachingPair, teaching
from app.scoring.win_table import Duels, win_table

NEXT = 10
"""So many pairs are looked ahead at when it is said what would teach most."""


@dataclass(frozen=True, slots=True)
class QuestionStanding:
    """One question: by contestant the share of its duels there that it won, ties half, None without any."""

    question: int
    shares: tuple[float | None, ...]
    votes: int


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it. `judge` and `person` are their votes, whether they count or not.

    compared: by how many votes each pair of contestants that has any was compared, the least first. following: the
    two contestants whom the person should compare next, and open: how many pairs of answers are left to rate.
    """

    counted: Counted
    ranking: Ranking
    says: tuple[Said, ...]
    table: tuple[tuple[Duels, ...], ...]
    questions: tuple[QuestionStanding, ...]
    agreement: Agreement
    steadiness: Steadiness
    judge: int
    person: int
    compared: tuple[int, ...]
    following: tuple[int, int] | None
    open: int


@dataclass(frozen=True, slots=True)
class Teaching:
    """The next pairs to rate, and how many there are to rate at all."""

    pairs: tuple[TeachingPair, ...]
    open: int


def standing_of(
    plan: Plan,
    cells: Iterable[Cell],
    votes: Sequence[Vote],
    skipped: Iterable[Duel] = (),
    counted: Counted = Counted.BOTH,
) -> Standing:
    """How it stands; takes up to seconds for many contestants and votes, so never in the window's thread."""
    counting = counted.of(votes)
    size = len(plan.contestants)
    ranking = rank(counting, size)
    table = win_table(counting, size)
    pairs, left = teaching(cells, votes, size, NEXT, skipped=skipped)
    return Standing(
        counted,
        ranking,
        sentences(ranking, [one.name for one in plan.contestants]),
        table,
        by_question(counting, size),
        agreement(votes),
        steadiness(votes),
        sum(vote.rater is Rater.JUDGE for vote in votes),
        sum(vote.rater is Rater.PERSON for vote in votes),
        tuple(sorted(one.votes for at, row in enumerate(table) for one in row[at + 1 :] if one.votes)),
        most_telling(pairs),
        left,
    )


def teaching_of(
    plan: Plan, cells: Iterable[Cell], votes: Sequence[Vote], skipped: Iterable[Duel], limit: int, seed: int
) -> Teaching:
    """What a person should rate next."""
    pairs, left = teaching(cells, votes, len(plan.contestants), limit, seed, skipped)
    return Teaching(tuple(pairs), left)


def by_question(votes: Iterable[Vote], contestants: int) -> tuple[QuestionStanding, ...]:
    """How each contestant did on each question that has votes, in the order of the plan."""
    won: dict[int, list[float]] = {}
    duels: dict[int, list[int]] = {}
    for vote in votes:
        mine = won.setdefault(vote.question, [0.0] * contestants)
        count = duels.setdefault(vote.question, [0] * contestants)
        mine[vote.first] += vote.outcome
        mine[vote.second] += 1 - vote.outcome
        count[vote.first] += 1
        count[vote.second] += 1
    return tuple(
        QuestionStanding(
            question,
            tuple(hits / tries if tries else None for hits, tries in zip(won[question], duels[question], strict=True)),
            sum(duels[question]) // 2,
        )
        for question in sorted(won)
    )

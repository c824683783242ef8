"""How often each contestant beat each other one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.lab import Vote
from app.scoring.ranking import wins_by_question


@dataclass(frozen=True, slots=True)
class Duels:
    """Votes between the contestant of a row and that of a column, in both orders; ties are half a win."""

    wins: float
    votes: int

    @property
    def share(self) -> float | None:
        """How often the row won, 0 to 1; None without votes."""
        return self.wins / self.votes if self.votes else None


def win_table(votes: Sequence[Vote], contestants: int) -> tuple[tuple[Duels, ...], ...]:
    """Rows and columns by contestant; nobody meets itself."""
    wins = wins_by_question(votes, contestants).sum(axis=0)
    return tuple(
        tuple(Duels(float(wins[row, column]), round(wins[row, column] + wins[column, row])) for column in one)
        for one, row in ((range(contestants), row) for row in range(contestants))
    )


def win_rate(votes: Sequence[Vote], contestant: int) -> float | None:
    """The share of its duels that a contestant won, ties half; None without any."""
    mine = [vote.outcome for vote in votes if vote.first == contestant]
    mine += [1 - vote.outcome for vote in votes if vote.second == contestant]
    return sum(mine) / len(mine) if mine else None

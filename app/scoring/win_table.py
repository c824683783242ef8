"""How often each contestant beat each other one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.lab import Vote
from app.scoring.agreement import wilson
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


def win_rate_intervals(
    votes: Sequence[Vote], contestants: int, resamples: int = 1000, seed: int = 1
) -> list[tuple[float, float] | None]:
    """The 95 % interval of each contestant's win rate, None for one without duels.

    Questions are drawn anew, as for the ranking. Where fewer than two tell of a contestant, or it won or lost every
    duel, resamples cannot differ: Wilson's interval of the share is taken there.
    """
    wins = wins_by_question(votes, contestants)
    won, duels = wins.sum(axis=2), (wins + wins.transpose(0, 2, 1)).sum(axis=2)
    asked = len(wins)
    counts = np.zeros((0, asked))
    if asked:
        chance = np.random.default_rng(seed)
        counts = chance.multinomial(asked, np.full(asked, 1 / asked), size=resamples).astype(np.float64)
    found: list[tuple[float, float] | None] = []
    for one in range(contestants):
        hits, tries = float(won[:, one].sum()), round(duels[:, one].sum())
        if not tries:
            found.append(None)
        elif (duels[:, one] > 0).sum() < 2 or hits in (0, tries):
            found.append(wilson(round(hits), tries))
        else:
            drawn = counts @ duels[:, one]
            shares = (counts @ won[:, one])[drawn > 0] / drawn[drawn > 0]
            low, high = np.quantile(shares, [0.025, 0.975])
            found.append((float(low), float(high)))
    return found

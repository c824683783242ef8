"""The earlier run that a grid is compared with: what became of each of its cells, and of each of its prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.lab import Cell, CellState, Place
from app.core.run_pairs import RunPairs, pairs_of
from app.ui.run_looks import Change

if TYPE_CHECKING:
    from app.core.lab import Plan
    from app.scoring.results import Results


class EarlierRun:
    """All places are those of the later run, whose grid it is."""

    def __init__(self, results: Results, pairs: RunPairs) -> None:
        self.results = results
        self._pairs = pairs
        self._shares = _shares_of(results, pairs)

    @classmethod
    def beside(cls, plan: Plan, results: Results | None) -> EarlierRun | None:
        """For the grid of a plan; None where nothing is in both."""
        if results is None:
            return None
        pairs = pairs_of(plan, results.plan)
        return None if pairs.is_empty else cls(results, pairs)

    def cell(self, place: Place) -> Cell | None:
        """The same cell."""
        partner = self._pairs.partner(place)
        return self.results.cells.get(partner) if partner is not None else None

    def change(self, cell: Cell, passed: bool | None) -> Change:
        """How a cell stands beside it, of which it is known whether it passed."""
        before = self.cell(cell.place)
        if before is None or CellState.DONE not in (cell.state, before.state):
            return Change.NONE
        found = self.results.findings.get(before.place, ())
        was = all(one.passed for one in found) if found else None
        if was is not None and passed is not None and was != passed:
            return Change.BETTER if passed else Change.WORSE
        return Change.SAME if cell.text == before.text else Change.OTHER

    def share(self, contestant: int) -> tuple[int, int] | None:
        """Of a prompt's answers to the questions of both, so many passed all checks, and so many there were."""
        return self._shares.get(contestant)


def _shares_of(results: Results, pairs: RunPairs) -> dict[int, tuple[int, int]]:
    """By prompt of the later run: how many answers of the earlier one passed, and how many were looked at."""
    shares = {one: [0, 0] for one in pairs.contestants.values()}
    asked = set(pairs.questions.values())
    for place, found in results.findings.items():
        if found and place.contestant in shares and place.question in asked:
            shares[place.contestant][0] += all(each.passed for each in found)
            shares[place.contestant][1] += 1
    return {at: (shares[one][0], shares[one][1]) for at, one in pairs.contestants.items()}

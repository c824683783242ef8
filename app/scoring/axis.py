"""The axis of a plot: round ends and steps around what is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

NEAR_POINTS = 50.0
"""A plot of a ranking reaches at least so far to either side of the average: 100 points win 64 % of duels."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high` with a mark at each `step`."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, low: float, high: float) -> Axis:
        """An axis with round ends around two values, with four to nine steps."""
        if high - low < 1e-9:
            low, high = (low, low + 1) if low >= 0 else (low - 1, low)
        rough = (high - low) / 5
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= rough * 0.999)
        return cls(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step)

    def share(self, value: float) -> float:
        """Where a value stands, 0 to 1; what is beyond an end stands at it."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    @property
    def marks(self) -> list[float]:
        """The values that are marked, from end to end."""
        return [self.low + number * self.step for number in range(round((self.high - self.low) / self.step) + 1)]

"""How the number of a setting lies on a slider, and how it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.core.settings import Kind, Setting

_MOST_POSITIONS = 1000
_LOG_FROM_RATIO = 500


@dataclass(frozen=True, slots=True)
class Scale:
    """A slider's positions, 0 to `positions`, and the values from `low` to `high` that they stand for.

    Where the values span more than a few hundredfold the positions are spread by ratio, or the small values, which
    are the usual ones, could not be hit.
    """

    low: float
    high: float
    step: float
    whole: bool

    @classmethod
    def of(cls, setting: Setting) -> Scale | None:
        """The scale of a number's setting; None where it has no end that a slider could show."""
        high = setting.soft_high if setting.soft_high is not None else setting.high
        if setting.low is None or high is None:
            return None
        whole = setting.kind is Kind.INT
        step = setting.step or (1 if whole else (high - setting.low) / 100)
        if setting.soft_high is None and (high - setting.low) / step > _MOST_POSITIONS * 100:
            return None
        return cls(setting.low, high, step, whole)

    @property
    def by_ratio(self) -> bool:
        """Whether equal ways on the slider are equal ratios, not equal differences."""
        return self.low > 0 and self.high / self.low > _LOG_FROM_RATIO

    @property
    def positions(self) -> int:
        """The last position."""
        return 200 if self.by_ratio else max(1, min(_MOST_POSITIONS, round((self.high - self.low) / self.step)))

    def position(self, value: float) -> int:
        """The position nearest to a value; values outside lie at the ends."""
        inside = min(max(value, self.low), self.high)
        share = (
            math.log(inside / self.low) / math.log(self.high / self.low)
            if self.by_ratio
            else (inside - self.low) / (self.high - self.low)
        )
        return round(share * self.positions)

    def value(self, position: int) -> float | int:
        """The value at a position, on a step."""
        share = position / self.positions
        if self.by_ratio:
            raw = self.low * (self.high / self.low) ** share
            step = max(self.step, 10.0 ** (math.floor(math.log10(raw)) - 1))
        else:
            raw = self.low + share * (self.high - self.low)
            step = self.step
        stepped = min(max(round(raw / step) * step, self.low), self.high)
        if position in (0, self.positions):
            stepped = self.high if position else self.low
        return int(stepped) if self.whole else round(stepped, 6)

    def stepped(self, value: float, steps: int) -> float | int:
        """The value so many steps further, within the scale's low end; there is no end above."""
        moved = max(value + steps * self.step, self.low)
        return int(moved) if self.whole else round(moved, 6)


def written(value: float | int, setting: Setting) -> str:
    """A number as its field shows it: as many digits as the step has, more only where the value needs them."""
    if setting.kind is Kind.INT:
        return str(int(value))
    step = setting.step or 0.01
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    short = f"{value:.{digits}f}"
    return short if float(short) == value else f"{value:g}"

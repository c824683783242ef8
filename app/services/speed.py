"""How fast something comes, over the last seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 8.0


class Speed:
    """Bytes a second over the last eight seconds; falls to 0 by itself when nothing comes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()

    def at(self, have_bytes: int) -> None:
        """So much is there now. Less than before begins anew, as when bytes were thrown away."""
        if self._marks and have_bytes < self._marks[-1][1]:
            self._marks.clear()
        self._marks.append((self._clock(), have_bytes))

    def now(self) -> float:
        """Bytes a second right now."""
        now = self._clock()
        while len(self._marks) > 1 and self._marks[1][0] <= now - _WINDOW_S:
            self._marks.popleft()
        if not self._marks:
            return 0.0
        since, had = self._marks[0]
        span = min(_WINDOW_S, max(now - since, 0.5))
        return max(0, self._marks[-1][1] - had) / span

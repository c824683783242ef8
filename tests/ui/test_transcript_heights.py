"""Where rows begin, whatever was changed in between."""

from __future__ import annotations

import random
from itertools import accumulate

from app.ui.transcript_heights import Heights


def test_tops_are_the_sums_of_the_heights_after_any_change():
    rng = random.Random(4)
    plain: list[int] = []
    heights = Heights()
    for _ in range(2_000):
        if not plain or rng.random() < 0.3:
            start = rng.randint(0, len(plain))
            end = rng.randint(start, min(len(plain), start + 3))
            new = [rng.randint(1, 90) for _ in range(rng.randint(0, 4))]
            plain[start:end] = new
            heights.splice(start, end, new)
        else:
            row, height = rng.randrange(len(plain)), rng.randint(1, 90)
            assert heights.set(row, height) == (plain[row] != height)
            plain[row] = height
        if rng.random() < 0.5:
            tops = list(accumulate(plain, initial=0))
            row = rng.randint(0, len(plain))
            assert heights.top(row) == tops[row]
            assert heights.total == tops[-1]
            if plain:
                y = rng.randrange(tops[-1])
                assert tops[heights.row_at(y)] <= y < tops[heights.row_at(y) + 1]
    assert heights.row_at(-5) == 0
    assert heights.row_at(10**9) == max(0, len(plain) - 1)

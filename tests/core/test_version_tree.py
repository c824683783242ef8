"""Versions are drawn as a tree: newest first, the current line at the left, other lines beside it."""

from __future__ import annotations

import random

from app.core.prompts import PromptVersion, version_of
from app.core.version_tree import version_tree


def history(parents: list[int]) -> list[PromptVersion]:
    """Versions by the place of their parent, -1 for none."""
    made: list[PromptVersion] = []
    for at, parent in enumerate(parents):
        made.append(version_of(f"text {at}", made[parent].hash if parent >= 0 else "", "", at))
    return made


def drawn(parents: list[int], current: int) -> list[tuple[int, int, int]]:
    versions = history(parents)
    return [(one.number, one.lane, one.parent_row) for one in version_tree(versions, versions[current].hash)]


def test_a_straight_history_is_one_line():
    assert drawn([-1, 0, 1], 2) == [(3, 0, 1), (2, 0, 2), (1, 0, -1)]


def test_a_version_that_led_nowhere_stands_beside_the_line():
    # version 3 was made from 2, and then 4 from 2 again
    assert drawn([-1, 0, 1, 1], 3) == [(4, 0, 2), (3, 1, 2), (2, 0, 3), (1, 0, -1)]


def test_lanes_are_used_again_where_they_are_free():
    parents = [-1, 0, 0, 2, 2]  # 2 leaves 1; 4 leaves 3
    assert [(number, lane) for number, lane, _ in drawn(parents, 4)] == [(5, 0), (4, 1), (3, 0), (2, 1), (1, 0)]


def test_lines_at_the_same_time_have_lanes_of_their_own():
    assert [lane for _, lane, _ in drawn([-1, 0, 0, 0], 3)] == [0, 1, 2, 0]


def test_an_older_current_version_keeps_the_left_lane():
    assert drawn([-1, 0, 1], 0) == [(3, 1, 1), (2, 1, 2), (1, 0, -1)]


def test_a_history_with_gaps_is_drawn_all_the_same():
    lost = version_of("b", "0" * 64, "", 2)
    first = version_of("a", "", "", 1)
    assert [(one.lane, one.parent_row) for one in version_tree([first, lost], lost.hash)] == [(0, -1), (1, -1)]
    assert version_tree([], "") == ()


def test_no_two_lines_of_any_history_overlap():
    rng = random.Random(5)
    for _ in range(200):
        count = rng.randrange(1, 30)
        parents = [rng.randrange(-1, at) if at else -1 for at in range(count)]
        versions = history(parents)
        places = version_tree(versions, versions[rng.randrange(count)].hash)
        assert [one.number for one in places] == list(range(count, 0, -1))
        used: set[tuple[int, int]] = set()
        for row, one in enumerate(places):
            assert (one.lane, row) not in used
            used.add((one.lane, row))
            if one.parent_row >= 0:
                assert places[one.parent_row].version.hash == one.version.parent
        for row, one in enumerate(places):
            # between a version and its parent nothing else stands in its lane
            for between in range(row + 1, one.parent_row):
                assert (one.lane, between) not in used

"""Which bytes to ask for next: everything once, the first missing ones first."""

from __future__ import annotations

import random

from app.hub.ranges import MIB, Span, next_span, span_bytes


def test_the_first_missing_bytes_come_first():
    span = next_span(1000, [(0, 100), (300, 400)], [Span(100, 150)], at_most=500, reach=1000)
    assert span is not None
    assert (span.at, span.end) == (150, 300)


def test_nothing_is_left_once_all_is_held_or_on_its_way():
    assert next_span(1000, [(0, 600)], [Span(600, 1000)], 500, 1000) is None


def test_nothing_is_asked_for_beyond_the_reach():
    span = next_span(1000, [(0, 600)], [], 500, 700)
    assert span is not None
    assert (span.at, span.end) == (600, 700)
    assert next_span(1000, [(0, 700)], [], 500, 700) is None


def test_what_overlaps_or_comes_in_any_order_is_understood():
    span = next_span(1000, [(500, 800), (0, 300), (200, 600)], [], 500, 1000)
    assert span is not None
    assert (span.at, span.end) == (800, 1000)


def test_taking_spans_until_none_is_left_covers_every_byte_once():
    chance = random.Random(1)
    for _ in range(200):
        size = chance.randrange(1, 500)
        held = [(start, start + chance.randrange(1, 50)) for start in (chance.randrange(size) for _ in range(3))]
        held = [(start, min(end, size)) for start, end in held]
        count = [0] * size
        running: list[Span] = []
        while (span := next_span(size, held, running, chance.randrange(1, 80), size)) is not None:
            running.append(span)
            for at in range(span.at, span.end):
                count[at] += 1
        for at in range(size):
            assert count[at] == (0 if any(start <= at < end for start, end in held) else 1)


def test_spans_last_about_two_seconds_within_bounds():
    left = 10_000 * MIB
    assert span_bytes(0, left, 4) == 2 * MIB
    assert span_bytes(5 * MIB, left, 4) == 10 * MIB
    assert span_bytes(10_000, left, 4) == MIB
    assert span_bytes(500 * MIB, left, 4) == 32 * MIB
    assert span_bytes(500 * MIB, left, 1) == 256 * MIB


def test_spans_get_shorter_towards_the_end_so_that_all_end_together():
    assert span_bytes(20 * MIB, 40 * MIB, 4) == 10 * MIB
    assert span_bytes(20 * MIB, 2 * MIB, 4) == MIB

"""What was read of turns, moved to another place of the context when those before it are dropped.

llama.cpp calls it a K-shift: the cells get other positions, and before the next decode their keys are rotated to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WORTH_MOVING = 16
"""Ids below which reading them again is as quick."""
_MOST_PLACES = 64


def can_move(llama: Any, model: Any, context: Any, type_k: str) -> bool:
    """Whether a model's cells can be moved and still mean the same.

    llama.cpp says yes to recurrent states, which hold no positions that could move, and to positions that were added
    before the first layer, where they stay in the values. A sliding window has forgotten what would have to be moved.
    Quantised keys end the process in this version where a head's size is no multiple of 64 (build_rope_shift uses a
    rotation that is not there), and elsewhere are rounded once more at each move.
    """
    return bool(
        llama.llama_memory_can_shift(llama.llama_get_memory(context))
        and not llama.llama_model_is_recurrent(model)
        and not llama.llama_model_is_hybrid(model)
        and llama.llama_model_n_swa(model) <= 0
        and llama.llama_model_rope_type(model) != llama.LLAMA_ROPE_TYPE_NONE
        and type_k == "f16"
    )


def place_of(wanted: Sequence[int], held: Sequence[int], at: int) -> tuple[int, int]:
    """Where in `held` the ids `wanted[at:]` stand further back than at `at`, and how many of them; (0, 0) for nowhere.

    Of several places the one with the most ids in a row is taken, of equal ones the first.
    """
    start = list(wanted[at : at + WORTH_MOVING])
    best = (0, 0)
    if len(start) < WORTH_MOVING:
        return best
    place, tried = at, 0
    while tried < _MOST_PLACES:
        try:
            place = held.index(start[0], place + 1)
        except ValueError:
            break
        if list(held[place : place + WORTH_MOVING]) == start:
            tried += 1
            length = common_length(held[place:], wanted[at:])
            best = max(best, (place, length), key=lambda found: found[1])
    return best


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences begin with in common."""
    size = min(len(one), len(other))
    low, high = 0, size
    # slices are compared in C: halving beats walking through 100,000 ids
    while low < high:
        middle = (low + high + 1) // 2
        if list(one[low:middle]) == list(other[low:middle]):
            low = middle
        else:
            high = middle - 1
    return low

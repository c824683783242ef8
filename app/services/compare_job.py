"""One message to several columns as a job for the engine lane: all of a model's columns at once, in one context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.engine.base import Request, Tagged, Turn, Wish
from app.services.engine_room import EngineRoom, LoadStopped, ModelSpec
from app.services.lane import Job


@dataclass(frozen=True, slots=True)
class Asked:
    """One column's part: its number, its own conversation, how to sample, and the flag that stops it alone."""

    column: int
    turns: tuple[Turn, ...]
    sampling: Sampling
    stop: StopFlag


@dataclass(frozen=True, slots=True)
class SharedStart:
    """So many tokens all prompts begin with; they are read once."""

    tokens: int


def compare_job(room: EngineRoom, spec: ModelSpec, asked: Sequence[Asked]) -> Job:
    """A job that loads the model if need be, then yields its ModelFacts, a SharedStart, and Tagged events by column.

    It begins with an empty cache, so that the same seed gives the same text again: see `Engine.stream_many`.
    """

    def job(stop: StopFlag) -> Iterator[object]:
        try:
            engine = room.engine(spec, stop)
        except LoadStopped:
            return
        yield engine.facts
        with room.guarded():
            prompts = [engine.render(one.turns).tokens for one in asked]
            yield SharedStart(_shared(prompts))
            wishes: Iterator[Wish] = (
                (Request(prompt, one.sampling), one.stop) for prompt, one in zip(prompts, asked, strict=True)
            )
            for tagged in engine.stream_many(wishes, stop, len(asked), from_scratch=True):
                yield Tagged(asked[tagged.index].column, tagged.event)

    return job


def _shared(prompts: Sequence[tuple[int, ...]]) -> int:
    """How many first tokens are the same in all; 0 for one prompt, which shares with nobody."""
    if len(prompts) < 2:
        return 0
    first = min(prompts)
    last = max(prompts)
    return next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))

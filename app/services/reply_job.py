"""One reply as a job for the engine lane, and what the one before left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.core.chat import Message, Provenance
from app.core.context import WHOLE, Cut, Kept
from app.core.errors import AppError, ContextFullError, MessageTooLongError
from app.core.options import Sampling
from app.core.overflow import Overflow
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Turn
from app.engine.turn import play
from app.services.engine_room import EngineRoom, LoadStopped, ModelSpec
from app.services.lane import Job


def turns_of(path: Sequence[Message], system_prompt: str) -> tuple[Turn, ...]:
    """The conversation as the engine needs it: the system prompt, if there is one, and then the path's messages."""
    system = (Turn(Role.SYSTEM, system_prompt),) if system_prompt.strip() else ()
    return system + tuple(Turn(message.role, message.text, message.token_ids) for message in path)


def reply_job(
    room: EngineRoom,
    spec: ModelSpec,
    turns: Sequence[Turn],
    sampling: Sampling,
    conversation: int,
    overflow: Overflow,
    kept: Kept | None,
) -> Job:
    """A job that loads the model if need be, then yields its ModelFacts and all that `play` yields."""

    def job(stop: StopFlag) -> Iterator[object]:
        try:
            engine = room.engine(spec, stop)
        except LoadStopped:
            return
        yield engine.facts
        refused: AppError | None = None
        with room.guarded():
            try:
                yield from play(engine, turns, sampling, stop, conversation, overflow, kept)
            except (MessageTooLongError, ContextFullError) as error:
                refused = error  # nothing was sent, and nothing is wrong with the engine
        if refused is not None:
            raise refused

    return job


def kept_of(path: Sequence[Message]) -> Kept | None:
    """What the last answer in this path was made without: the next one keeps to it as long as it fits."""
    for message in reversed(path):
        how = message.provenance
        if how is not None and how.prompt_tokens and how.context_tokens:
            return Kept(_cut(path, how), how.context_tokens)
    return None


def _cut(path: Sequence[Message], how: Provenance) -> Cut:
    places = {message.id: place for place, message in enumerate(path)}
    end, head = places.get(how.first_sent_id, 0), places.get(how.left_out_from_id, 0)
    return Cut(head, end - head) if head < end else WHOLE

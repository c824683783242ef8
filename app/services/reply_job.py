"""One reply as a job for the engine lane, and what is written down about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from app.core.chat import Message, Provenance, Role
from app.core.context import WHOLE, Cut, Kept
from app.core.errors import ContextFullError, EngineDiedError, MessageTooLongError
from app.core.options import Sampling
from app.core.overflow import Overflow
from app.core.stopping import StopFlag
from app.engine.base import Done, ModelFacts, Turn
from app.engine.turn import Fitted, play
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
        try:
            yield from play(engine, turns, sampling, stop, conversation, overflow, kept)
        except (MessageTooLongError, ContextFullError):
            raise  # nothing was sent, and nothing is wrong with the engine
        except EngineDiedError as error:
            room.died(error)
            raise
        except Exception:
            # whatever went wrong in there, the next reply shall start from a sound context
            room.empty()
            raise

    return job


def provenance(
    facts: ModelFacts | None,
    sampling: Sampling,
    system_prompt: str,
    path: Sequence[Message],
    fitted: Fitted | None,
    done: Done | None,
    error: str = "",
) -> Provenance:
    """What is kept of how an answer came about, however far it got. `path` are the messages it answers."""
    known = Provenance(system_prompt=system_prompt, sampling=dataclasses.asdict(sampling), error=error)
    if fitted is not None:
        left_out_from_id, first_sent_id = _gap_ids(path, fitted.cut)
        known = dataclasses.replace(
            known,
            prompt_tokens=fitted.prompt_tokens,
            dropped_turns=fitted.newly_dropped,
            left_out_from_id=left_out_from_id,
            first_sent_id=first_sent_id,
        )
    if facts is not None:
        known = dataclasses.replace(
            known,
            model_name=facts.name,
            model_path=facts.path,
            template=facts.template,
            context_tokens=facts.n_ctx,
        )
    if done is not None:
        known = dataclasses.replace(
            known,
            seed=done.seed,
            prompt_tokens=done.prompt_tokens,
            cached_tokens=done.cached_tokens,
            moved_tokens=done.moved_tokens,
            completion_tokens=done.completion_tokens,
            ttft_ms=done.ttft_ms,
            tokens_per_s=done.tokens_per_s,
            duration_ms=done.duration_ms,
            stop_reason=str(done.reason),
        )
    return known


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


def _gap_ids(path: Sequence[Message], cut: Cut) -> tuple[int, int]:
    """The first message that is left out, and the first that is sent again behind it; 0, 0 where nothing is."""
    if not cut.dropped or cut.end >= len(path):
        return 0, 0
    return path[cut.head].id, path[cut.end].id

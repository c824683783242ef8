"""One reply as a job for the engine lane, and what is written down about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from app.core.chat import Message, Provenance, Role
from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.engine.base import Done, ModelFacts, Turn
from app.engine.turn import Fitted, play
from app.services.engine_room import EngineRoom, LoadStopped, ModelSpec
from app.services.lane import Job


def turns_of(path: Sequence[Message], system_prompt: str) -> tuple[Turn, ...]:
    """The conversation as the engine needs it: the system prompt, if there is one, and then the path's messages."""
    system = (Turn(Role.SYSTEM, system_prompt),) if system_prompt.strip() else ()
    return system + tuple(Turn(message.role, message.text, message.token_ids) for message in path)


def reply_job(room: EngineRoom, spec: ModelSpec, turns: Sequence[Turn], sampling: Sampling, conversation: int) -> Job:
    """A job that loads the model if need be, then yields its ModelFacts and all that `play` yields."""

    def job(stop: StopFlag) -> Iterator[object]:
        try:
            engine = room.engine(spec, stop)
        except LoadStopped:
            return
        yield engine.facts
        try:
            yield from play(engine, turns, sampling, stop, conversation)
        except Exception:
            # whatever went wrong in there, the next reply shall start from a sound context
            room.empty()
            raise

    return job


def provenance(
    facts: ModelFacts | None,
    sampling: Sampling,
    system_prompt: str,
    first_sent_id: int,
    done: Done | None,
    error: str = "",
) -> Provenance:
    """What is kept of how an answer came about, however far it got."""
    known = Provenance(
        system_prompt=system_prompt, sampling=dataclasses.asdict(sampling), first_sent_id=first_sent_id, error=error
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
            completion_tokens=done.completion_tokens,
            ttft_ms=done.ttft_ms,
            tokens_per_s=done.tokens_per_s,
            duration_ms=done.duration_ms,
            stop_reason=str(done.reason),
        )
    return known


def first_sent(path: Sequence[Message], fitted: Fitted | None) -> int:
    """Id of the oldest message that went into the prompt; 0 when nothing was left out."""
    if fitted is None or not fitted.dropped_turns or fitted.dropped_turns >= len(path):
        return 0
    return path[fitted.dropped_turns].id

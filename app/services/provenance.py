"""What is written down about how an answer came about, in chats and in experiments alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from app.core.chat import Message, Provenance
from app.core.context import Cut
from app.core.options import Sampling
from app.engine.base import Done, ModelFacts
from app.engine.turn import Fitted


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


def _gap_ids(path: Sequence[Message], cut: Cut) -> tuple[int, int]:
    """The first message that is left out, and the first that is sent again behind it; 0, 0 where nothing is."""
    if not cut.dropped or cut.end >= len(path):
        return 0, 0
    return path[cut.head].id, path[cut.end].id

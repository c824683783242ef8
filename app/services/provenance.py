"""What is written down about how an answer came about, in chats and in experiments alike."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

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
    *,
    prompt_version: str = "",
    at_once: int = 0,
    made_ms: int | None = None,
) -> Provenance:
    """What is kept of how an answer came about, however far it got. `path` are the messages it answers.

    prompt_version: hash of the version that the system prompt was taken from, and perhaps edited since.
    at_once: how many answers could be written side by side in the call that gave it; 0 where it was a chat's own.
    made_ms: when that was; now, where it is left out.
    """
    known = Provenance(
        system_prompt=system_prompt,
        prompt_version=prompt_version,
        sampling=dataclasses.asdict(sampling),
        at_once=at_once,
        made_ms=time.time_ns() // 1_000_000 if made_ms is None else made_ms,
        error=error,
    )
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
            model_quant=facts.quant,
            model_size_bytes=facts.size_bytes,
            model_mtime_ns=facts.mtime_ns,
            engine=facts.engine,
            running=running(facts),
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


def running(facts: ModelFacts) -> dict[str, Any]:
    """How a loaded model runs, as far as its answers may depend on it; see core/made_by.py for the words."""
    where = facts.placement
    return {
        "devices": facts.devices,
        "gpu_layers": where.gpu_layers,
        "layers": facts.n_layers + 1,
        "threads": where.threads,
        "batch_tokens": where.batch_tokens,
        "kv_type": where.kv_type,
        "flash_attention": where.flash_attention,
        "adapters": where.adapters,
        "inexact": facts.inexact,
    }


def _gap_ids(path: Sequence[Message], cut: Cut) -> tuple[int, int]:
    """The first message that is left out, and the first that is sent again behind it; 0, 0 where nothing is."""
    if not cut.dropped or cut.end >= len(path):
        return 0, 0
    return path[cut.head].id, path[cut.end].id

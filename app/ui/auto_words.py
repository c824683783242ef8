"""What Auto comes to, by setting: "8,192", "28 of 33", "q8_0"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.hardware import Forecast
    from app.services.model_manager import ModelState


def of_loaded(state: ModelState) -> dict[str, str]:
    """What it came to when the model was loaded; nothing where it is not."""
    facts = state.facts
    if facts is None:
        return {}
    where = facts.placement
    words = {
        "context_tokens": f"{facts.n_ctx:,}",
        "gpu_layers": _layers(where.gpu_layers, facts.n_layers),
        "threads": str(where.threads),
        "batch_tokens": f"{where.batch_tokens:,}",
        "kv_type": where.kv_type,
        "mmap": _switch(where.mmap),
    }
    if where.flash_attention is not None:
        words["flash_attention"] = _switch(where.flash_attention)
    return words


def of_forecast(found: Forecast) -> dict[str, str]:
    """What it would come to now; nothing where the model does not fit."""
    if not found.n_ctx:
        return {}
    return {
        "context_tokens": f"{found.n_ctx:,}",
        "gpu_layers": _layers(found.gpu_layers, found.n_layers),
        "threads": str(found.threads),
        "batch_tokens": f"{found.batch_tokens:,}",
        "kv_type": found.kv_type,
        "mmap": _switch(found.mmap),
    }


def _layers(on_gpu: int, n_layers: int) -> str:
    if not on_gpu:
        return "none"
    return "all" if on_gpu > n_layers else f"{on_gpu} of {n_layers + 1}"


def _switch(on: bool) -> str:
    return "On" if on else "Off"

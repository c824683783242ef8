"""Which models write otherwise beside other answers than alone, as their files tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.exactness import EXPERTS, RECURRENT

_STATES = ("ssm.", "wkv.", "shortconv.", "kda.", "xlstm.")
"""What the names of values begin with that only models with a running state have, behind the architecture's."""


def inexact_of(metadata: Mapping[str, Any], architecture: str) -> str:
    """Whether a file's header is that of a model with experts, or of one that is recurrent at least in part."""
    experts = metadata.get(f"{architecture}.expert_count", 0)
    if isinstance(experts, int) and experts > 1:
        return EXPERTS
    beginnings = tuple(f"{architecture}.{part}" for part in _STATES)
    return RECURRENT if any(key.startswith(beginnings) for key in metadata) else ""

"""Settings of how models are run, whichever model it is."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.settings import Kind, Scope, setting


@dataclass(frozen=True, slots=True)
class Running:
    """Where the engine runs and what it keeps."""

    own_process: bool = setting(
        True,
        kind=Kind.BOOL,
        scope=Scope.APP,
        part="Engine",
        label="Run models in a process of their own",
        help="An error that ends llama.cpp then costs one reply and not the window. Takes effect when a model is next "
        "loaded.",
    )
    kept_gb: int = setting(
        4,
        kind=Kind.INT,
        scope=Scope.APP,
        part="Engine",
        label="Disk for what was read of chats",
        unit="GB",
        low=0,
        high=10_000,
        soft_high=64,
        step=1,
        help="So that an old chat answers at once after a restart. 0 keeps nothing; a deleted chat leaves nothing.",
    )

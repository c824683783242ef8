"""Numbers and states as the window words them, the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import EngineDiedError, PutAsideError

if TYPE_CHECKING:
    from app.services.context_meter import Usage
    from app.services.engine_room import ModelState


def gigabytes(size_bytes: int) -> str:
    """A size on disk, in powers of ten as download pages count: "4.4 GB", "2 MB"."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.1f} GB"
    if size_bytes >= 1_000_000:
        return f"{size_bytes / 1e6:.0f} MB"
    return f"{max(1, round(size_bytes / 1e3))} kB"


def parameters(count: int) -> str:
    """A number of weights: "7.2 billion", "1.9 million"."""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if count >= size:
            return f"{count / size:.1f} {word}"
    return str(count)


def state_words(state: ModelState) -> str:
    """Where a model is in its life, in words."""
    if state.kind == "loading":
        return f"Loading {state.progress:.0%}".replace("%", " %")
    if isinstance(state.error, EngineDiedError):
        return "Stopped unexpectedly"
    if isinstance(state.error, PutAsideError):
        return "Put aside"
    return {"ready": "Loaded", "failed": "Could not be loaded"}.get(state.kind, "Not loaded")


def usage_words(usage: Usage, *, short: bool = False) -> str:
    """The tokens of a context in use; "about" where the model has not counted them itself. `short`: numbers alone."""
    if not usage.context_tokens:
        return f"about {usage.used_tokens:,} tokens" if usage.used_tokens else "Tokens: not counted yet"
    about = "" if usage.exact else "about "
    numbers = f"{about}{usage.used_tokens:,} of {usage.context_tokens:,}"
    return numbers if short else f"{numbers} tokens"

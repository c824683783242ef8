"""What a person can do when a message was not sent because the context is full."""

from __future__ import annotations

from collections.abc import Callable

from app.core.errors import ContextFullError
from app.engine.base import ModelFacts
from app.services.notice import Notice

Again = Callable[[str, bool], None]
"""Says a text once more in its place; the flag allows that turns are left out for it."""


def bigger_context(facts: ModelFacts | None, prompt_tokens: int) -> int:
    """The smallest doubling of the context that holds a prompt with room for its reply; 0 where the model has none."""
    if facts is None:
        return 0
    tokens = facts.n_ctx
    while tokens - tokens // 4 < prompt_tokens and tokens < facts.n_ctx_train:
        tokens = min(2 * tokens, facts.n_ctx_train)
    return tokens if tokens > facts.n_ctx and tokens - tokens // 4 >= prompt_tokens else 0


def question(
    error: ContextFullError,
    drop: Callable[[], None],
    enlarge: tuple[int, Callable[[], None]] | None,
    begin: Callable[[], None],
) -> Notice:
    """The bar that asks; `enlarge` comes with the tokens that the context would have."""
    ways = [("Drop the oldest this time", drop), ("Put it into a new chat", begin)]
    if enlarge is not None:
        ways.insert(1, (f"Load with {enlarge[0]:,} tokens", enlarge[1]))
    return Notice(error.title, error.detail, error.hint, "warning", tuple(ways))

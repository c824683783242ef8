"""One turn of a conversation: render, fit, generate. The window and the command line both play turns through here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.core.context import WHOLE, Cut, Kept, Size, fit, last_question, least, system_length
from app.core.errors import ContextFullError, MessageTooLongError
from app.core.options import Sampling
from app.core.overflow import Overflow
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Engine, Event, Prompt, Request, Turn

_MAX_TOKEN_BYTES = 16
"""More bytes than a token stands for on average in any text people write."""
_COUNTED_BYTES = 1_000_000
"""A text up to this size is tokenized only to tell how long it is."""
_LEAST_ROOM = 32
"""Tokens of room for the reply below which a question counts as too long."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What of the conversation goes to the model: how many tokens, and what was left out.

    `left_out_at` is the token of the prompt in front of which turns are missing, -1 where none are or where the
    template does not keep turns apart. `newly_dropped` turns were still sent with the reply before.
    """

    prompt_tokens: int
    cut: Cut = WHOLE
    prompt: Prompt = field(default=Prompt(()))
    left_out_at: int = -1
    newly_dropped: int = 0


def fit_prompt(
    engine: Engine,
    turns: Sequence[Turn],
    sampling: Sampling,
    overflow: Overflow = Overflow(),  # noqa: B008 - frozen
    kept: Kept | None = None,
) -> Fitted:
    """The prompt that `play` would send.

    Room is kept for the longest reply asked for, but not more than a quarter of the context. `kept` is what the reply
    before left out; it stays as long as it fits and the context is as large as it was.

    Raises:
        MessageTooLongError: system prompt and last question alone are too long.
        ContextFullError: turns would have to be left out, and the person wants to be asked.
        TemplateError: the model's template failed and ChatML could not stand in.
    """
    n_ctx = engine.facts.n_ctx
    reserve = min(sampling.max_tokens or n_ctx, n_ctx // 4)
    sizes = _sizes(turns)
    system, question = system_length(sizes), last_question(sizes)
    _refuse_huge(engine, turns, sizes, system, question)
    prompts: dict[Cut, Prompt] = {}

    def measure(cut: Cut) -> int:
        at_least = _at_least(sizes, system, cut)
        if at_least > n_ctx:
            return at_least
        prompts[cut] = engine.render(_sent(turns, system, cut))
        return len(prompts[cut].tokens)

    before = kept.cut if kept is not None and kept.n_ctx == n_ctx else None
    found = fit(sizes, measure, n_ctx - reserve, overflow.when_full, before)
    cut = least(sizes) if found is None else found
    if cut not in prompts:
        measure(cut)
    prompt = prompts[cut]
    if len(prompt.tokens) > n_ctx - min(reserve, _LEAST_ROOM):
        raise _too_long(engine, turns, system, len(prompt.tokens))
    if found is None:
        raise _full(measure(before or WHOLE), n_ctx, reserve)
    return Fitted(
        len(prompt.tokens),
        cut,
        prompt,
        _gap(prompt, _sent(turns, system, cut), system + cut.head) if cut.dropped else -1,
        max(0, cut.dropped - (before.dropped if before is not None else 0)),
    )


def used_tokens(engine: Engine, turns: Sequence[Turn], cut: Cut) -> int:
    """Tokens of a conversation that waits for its next question, with this left out; about, where it is far too long.

    Raises:
        TemplateError: as `fit_prompt`.
    """
    sizes = _sizes(turns)
    system = system_length(sizes)
    at_least = _at_least(sizes, system, cut)
    if at_least > engine.facts.n_ctx:
        return at_least
    return len(engine.render(_sent(turns, system, cut), reply=False).tokens)


def play(
    engine: Engine,
    turns: Sequence[Turn],
    sampling: Sampling,
    stop: StopFlag,
    conversation: int = 0,
    overflow: Overflow = Overflow(),  # noqa: B008 - frozen
    kept: Kept | None = None,
) -> Iterator[Event | Fitted]:
    """Play the next turn: first one `Fitted`, then the engine's events.

    `turns` are the system prompt, if any, and the conversation up to the question to answer; an answer that stands last
    goes on. `kept` is what the reply before left out.

    Raises:
        MessageTooLongError, ContextFullError, TemplateError: as `fit_prompt`; nothing was generated.
        EngineError: the engine failed; what came before is valid.
    """
    fitted = fit_prompt(engine, turns, sampling, overflow, kept)
    yield fitted
    yield from engine.stream(
        Request(
            fitted.prompt.tokens,
            sampling,
            conversation,
            continues=bool(turns) and turns[-1].role is Role.ASSISTANT,
            left_out_at=fitted.left_out_at,
            may_move=overflow.move_kept,
        ),
        stop,
    )


def _sizes(turns: Sequence[Turn]) -> list[Size]:
    return [Size(turn.role, len(turn.text.encode("utf-8", "replace"))) for turn in turns]


def _sent(turns: Sequence[Turn], system: int, cut: Cut) -> list[Turn]:
    return [*turns[: system + cut.head], *turns[system + cut.end :]]


def _at_least(sizes: Sequence[Size], system: int, cut: Cut) -> int:
    """Tokens that the turns sent take at least, told by their bytes alone."""
    sent = (*sizes[: system + cut.head], *sizes[system + cut.end :])
    return sum(size.size_bytes for size in sent) // _MAX_TOKEN_BYTES


def _gap(prompt: Prompt, sent: Sequence[Turn], before: int) -> int:
    """How many tokens the first `before` of the turns sent take; -1 where the prompt does not keep them apart."""

    def holds(turn: int) -> bool:
        return sent[turn].text.strip() in "".join(part.text for part in prompt.segments if part.turn == turn)

    tokens = 0
    for segment in prompt.segments:
        if segment.turn >= before:
            # a template may fold the system prompt into a question, or write several turns in one go
            apart = segment.turn == before and holds(before) and (not before or holds(before - 1))
            return tokens if apart else -1
        tokens += len(segment.tokens)
    return -1


def _refuse_huge(engine: Engine, turns: Sequence[Turn], sizes: Sequence[Size], system: int, question: int) -> None:
    """Refuse by size alone what could never fit, before seconds are spent on tokenizing it."""
    n_ctx = engine.facts.n_ctx
    for index in (*range(system), *range(question, len(sizes))):
        size = sizes[index].size_bytes
        if size > n_ctx * _MAX_TOKEN_BYTES:
            tokens = (
                f"{engine.count(turns[index].text):,} tokens"
                if size <= _COUNTED_BYTES
                else f"about {size // 4:,} tokens ({size / 1e6:.1f} MB)"
            )
            what = "The system prompt" if index < system else "This message"
            raise MessageTooLongError(
                f"{what} is too long for the model",
                f"It takes {tokens}; the context holds {n_ctx:,}.",
                "Nothing was sent. Shorten it, or send the part that matters.",
            )


def _too_long(engine: Engine, turns: Sequence[Turn], system: int, total: int) -> MessageTooLongError:
    n_ctx = engine.facts.n_ctx
    prompt_tokens = len(engine.render(turns[:system], reply=False).tokens) if system else 0
    if prompt_tokens > total // 2:
        return MessageTooLongError(
            "The system prompt is too long for the model",
            f"It takes {prompt_tokens:,} of the context's {n_ctx:,} tokens, and too few are left for the question.",
            "Nothing was sent. Shorten the system prompt, or load the model with a larger context.",
        )
    return MessageTooLongError(
        "This message is too long for the model",
        f"{'With the system prompt it' if system else 'It'} takes {total:,} tokens; the context holds {n_ctx:,}, the "
        "reply among them.",
        "Nothing was sent. Shorten it, or load the model with a larger context.",
    )


def _full(total: int, n_ctx: int, reserve: int) -> ContextFullError:
    return ContextFullError(
        "The context is full",
        f"With this message the chat takes {total:,} tokens; the context holds {n_ctx:,}, and {reserve:,} of them are "
        "for the reply.",
        "Nothing was sent: you wanted to be asked before turns are left out.",
        total,
    )

"""One turn of a conversation: render, fit, generate. The window and the command line both play turns through here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.core.chat import Role
from app.core.context import Size, fit, last_question, system_length
from app.core.errors import MessageTooLongError
from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.engine.base import Engine, Event, Prompt, Request, Turn

_MAX_TOKEN_BYTES = 16
"""More bytes than a token stands for on average in any text people write."""
_LEAST_ROOM = 32
"""Tokens of room for the reply below which a question counts as too long."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What of the conversation goes to the model: how many tokens, and how many of its oldest turns were left out."""

    prompt_tokens: int
    dropped_turns: int
    prompt: Prompt = field(default=Prompt(()))


def fit_prompt(engine: Engine, turns: Sequence[Turn], sampling: Sampling, *, reply: bool = True) -> Fitted:
    """The prompt that `play` would send; without `reply`, of a conversation that waits for its next question.

    Room is kept for the longest reply asked for, but not more than a quarter of the context.

    Raises:
        MessageTooLongError: system prompt and last question alone are too long.
        TemplateError: the model's template failed and ChatML could not stand in.
    """
    n_ctx = engine.facts.n_ctx
    reserve = min(sampling.max_tokens or n_ctx, n_ctx // 4)
    sizes = [Size(turn.role, len(turn.text.encode("utf-8", "replace"))) for turn in turns]
    system, question = system_length(sizes), last_question(sizes)
    _refuse_huge(sizes, system, question, n_ctx)
    prompts: dict[int, Prompt] = {}

    def measure(start: int) -> int:
        least = sum(size.size_bytes for size in (*sizes[:system], *sizes[start:])) // _MAX_TOKEN_BYTES
        if least > n_ctx:
            return least
        prompts[start] = engine.render([*turns[:system], *turns[start:]], reply=reply)
        return len(prompts[start].tokens)

    start = fit(sizes, measure, n_ctx - reserve)
    if start not in prompts:
        measure(start)
    prompt = prompts[start]
    if reply and len(prompt.tokens) > n_ctx - min(reserve, _LEAST_ROOM):
        raise _too_long(engine, turns, system, len(prompt.tokens))
    return Fitted(len(prompt.tokens), start - system, prompt)


def play(
    engine: Engine, turns: Sequence[Turn], sampling: Sampling, stop: StopFlag, conversation: int = 0
) -> Iterator[Event | Fitted]:
    """Play the next turn: first one `Fitted`, then the engine's events.

    `turns` are the system prompt, if any, and the conversation up to the question to answer; an answer that stands last
    goes on.

    Raises:
        MessageTooLongError, TemplateError: as `fit_prompt`; nothing was generated.
        EngineError: the engine failed; what came before is valid.
    """
    fitted = fit_prompt(engine, turns, sampling)
    yield fitted
    continues = bool(turns) and turns[-1].role is Role.ASSISTANT
    yield from engine.stream(Request(fitted.prompt.tokens, sampling, conversation, continues), stop)


def _refuse_huge(sizes: Sequence[Size], system: int, question: int, n_ctx: int) -> None:
    """Refuse by size alone what could never fit, before seconds are spent on tokenizing it."""
    for index in (*range(system), *range(question, len(sizes))):
        size = sizes[index].size_bytes
        if size > n_ctx * _MAX_TOKEN_BYTES:
            what = "The system prompt" if index < system else "This message"
            raise MessageTooLongError(
                f"{what} is too long for the model",
                f"It has {size / 1e6:.1f} MB, far more than the {n_ctx:,} tokens of the context can hold.",
                "Nothing was sent. Shorten it, or send the part that matters.",
            )


def _too_long(engine: Engine, turns: Sequence[Turn], system: int, total: int) -> MessageTooLongError:
    n_ctx = engine.facts.n_ctx
    prompt_tokens = len(engine.render(turns[:system], reply=False).tokens) if system else 0
    if prompt_tokens > total // 2:
        return MessageTooLongError(
            "The system prompt is too long for the model",
            f"It takes {prompt_tokens:,} of the context's {n_ctx:,} tokens, and too few are left for the question.",
            "Shorten the system prompt, or load the model with a larger context.",
        )
    return MessageTooLongError(
        "This message is too long for the model",
        f"With the system prompt it takes {total:,} tokens; the context holds {n_ctx:,}, the reply among them.",
        "Nothing was sent. Shorten it, or load the model with a larger context.",
    )

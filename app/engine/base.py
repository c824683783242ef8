"""The contract of an engine: one loaded model that turns a conversation into token ids and those into a reply.

An engine is used by one thread at a time. Work that takes long is a generator; between two of its values, and inside
llama.cpp where the backend allows, it looks at a StopFlag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, Protocol

from app.core.errors import AppError
from app.core.options import Sampling
from app.core.placement import Placement
from app.core.role import Role
from app.core.stopping import StopFlag


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as the prompt needs it. `token_ids` are those the model generated for it, if it wrote it here."""

    role: Role
    text: str
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the prompt. A "control" segment is one or more of the template's control tokens and nothing else.

    `turn` is the index of the turn it belongs to; -1 for what the template adds of its own.
    """

    kind: Literal["control", "text"]
    role: str
    text: str
    tokens: tuple[int, ...]
    turn: int = -1


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads: token ids in segments, control ids only where the template put them."""

    segments: tuple[Segment, ...]
    notice: str = ""
    """A sentence for the person, where the prompt is not written as they may expect."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """All token ids in order."""
        return tuple(token for segment in self.segments for token in segment.tokens)

    @property
    def text(self) -> str:
        """The prompt as the template writes it; a BOS token that the vocabulary adds of its own is not in it."""
        return "".join(segment.text for segment in self.segments)


_NOWHERE = Placement()


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a loaded model. Sizes in bytes, contexts in tokens; `n_ctx` is the context in force."""

    name: str
    path: str
    architecture: str
    size_bytes: int
    n_params: int
    n_ctx: int
    n_ctx_train: int
    n_layers: int
    n_vocab: int
    gpu_layers: int
    template: str
    """Which chat template is used: "ChatML", "the model's own" or "ChatML (fallback)"."""
    notices: tuple[str, ...] = ()
    """Sentences for the person, such as why a template was not used."""
    quant: str = ""
    """How the weights are stored, as llama.cpp names it ("Q4_K_M"); empty where the file does not tell."""
    placement: Placement = _NOWHERE
    """How it really runs, and where llama.cpp put what."""
    n_at_once: int = 1
    """How many replies `stream_many` generates at once."""
    can_move: bool = False
    """Whether what was read can be moved to another place of the context; see `Request.may_move`."""
    mtime_ns: int = 0
    """Time of the newest of the model's files when it was loaded."""
    engine: str = ""
    """Which release of which library runs it."""
    devices: tuple[str, ...] = ()
    """The devices that its weights lie on, each with its name for people."""
    inexact: str = ""
    """Why it may write otherwise beside other answers than alone, see core/exactness.py; "" for no such reason."""

    def told(self, notice: str, *, why_cpu: bool = False) -> ModelFacts:
        """These with another sentence for the person, which may be the reason why no GPU is used."""
        placement = replace(self.placement, why_cpu=notice) if why_cpu else self.placement
        return replace(self, notices=(*self.notices, notice), placement=placement)


MOST_AT_ONCE = 16
"""Replies that one batch takes. On a CPU the arithmetic of 16 tokens costs about five times that of one."""


class StopReason(StrEnum):
    """Why a reply ended."""

    END = "end"
    """The model ended it."""
    STOP_STRING = "stop_string"
    LENGTH = "length"
    """Its longest reply was reached."""
    CONTEXT = "context"
    """The context is full."""
    STOPPED = "stopped"
    """The person stopped it."""
    REPEATED = "repeated"
    """The model did nothing but repeat itself."""


@dataclass(frozen=True, slots=True)
class Request:
    """One reply wanted: the prompt's ids, how to sample, and which conversation it belongs to (for the cache).

    `continues` says that the prompt ends in an answer's own text, so that a space before its next word belongs to it.

    `left_out_at` is the token in front of which turns of the conversation are missing, -1 where none are. With
    `may_move`, what was read of the turns behind it may be moved there, though it was read with the missing turns
    before it; else the reply is as from a fresh context.
    """

    tokens: tuple[int, ...]
    sampling: Sampling
    conversation: int = 0
    continues: bool = False
    left_out_at: int = -1
    may_move: bool = False
    endless: bool = False
    """Whether the reply goes on past the model's own end, as measurements want it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The prompt is being read: `done` of `total` tokens; those from the cache count as done."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the reply: whole characters, and how many tokens were generated so far. Text may be empty."""

    text: str
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a reply and its figures. `token_ids` are the generated ids without the token that ended it.

    `ttft_ms` is from the request to the first generated token; `tokens_per_s` counts from the first token to the last.
    `moved_tokens`, which are among the cached ones, were moved to their place for this reply; see `Request.may_move`.
    """

    reason: StopReason
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    ttft_ms: float
    tokens_per_s: float
    duration_ms: float
    seed: int
    token_ids: tuple[int, ...]
    moved_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """One of several requests cannot be answered; the others go on."""

    error: AppError


Event = Reading | Delta | Done
Wish = tuple[Request, StopFlag]
"""One of several requests, and the flag that stops its reply alone."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What happens to one of several requests; `index` counts them from 0 in the order they were given."""

    index: int
    event: Event | Failed
    more: bool = False
    """Whether others, of the same decode, follow at once."""


class Engine(Protocol):
    """One loaded model."""

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        ...

    def tell(self, notice: str, *, why_cpu: bool = False) -> None:
        """Add a sentence for the person to what is known of the model; it may be the reason why no GPU is used."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether it can still be asked something: it was not closed and did not end by itself."""
        ...

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """The exact prompt for these turns; with `reply`, it ends where the assistant's next words begin.

        An answer that stands last goes on then: the prompt ends in its text.

        Texts may hold any characters: what looks like a control token stays text.

        Raises:
            TemplateError: the model's own template failed and ChatML could not stand in.
        """
        ...

    def count(self, text: str) -> int:
        """How many tokens a text is on its own, control strings counting as text; an int >= 0."""
        ...

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply: Reading events, Delta events, one Done last, whatever ended it.

        What the cache holds of the prompt is not read again.

        Raises:
            EngineError: llama.cpp failed; what was yielded before is valid.
            MessageTooLongError: the prompt does not fit the context.
        """
        ...

    def stream_many(
        self, wishes: Iterator[Wish | None], stop: StopFlag, width: int = MOST_AT_ONCE, *, from_scratch: bool = False
    ) -> Iterator[Tagged]:
        """Generate several replies at once, in sequences of one context; of each the events of `stream`, tagged.

        `wishes` is asked for the next request whenever fewer than `width` (at most `facts.n_at_once`) are in the works,
        so a place is never empty while there is something to do; it ends when there is nothing more. None from it says
        that there is nothing now but may be once one of those in the works has ended: it is asked again then. None
        while none is in the works ends it too. While it is asked it may use `render` and `count`; apart from that the
        engine is busy until the end.

        What prompts begin with in common is read once, also from one call to the next. Each request has a sampler, a
        seed and a stop flag of its own; `conversation` is not looked at. Events of different requests come in any
        order. `stop` ends all: those in the works end with a Done, further ones are not asked for. A request without a
        Done or Failed has not been answered. A call `from_scratch` may be shared with a second process that has as many
        places of its own: see `Sharing`.

        On a CPU a request with a seed gets the same reply whatever else is in the works, alone too, and again, when the
        call begins `from_scratch`: with an empty cache, chats being written down first; it may go on for as long as it
        likes, and a place then stays empty now and then until what was read can be forgotten. Else, from `stream`, with
        more than four at once against up to four, and where those in the works together outgrow the context, logits
        differ in the last bits, so that a reply may differ where two tokens are all but equally likely. Models with
        experts, recurrent ones and GPUs give no promise.

        Raises:
            EngineError: llama.cpp failed; what was yielded before is valid.
        """
        ...

    def keep_in(self, folder: str, limit_bytes: int) -> None:
        """Keep what was read of conversations in this folder, and look there for what was read before.

        All files there together stay within the limit; conversation 0 is never kept.
        """
        ...

    def drop(self, conversation: int) -> None:
        """A conversation is gone: forget it, and what was kept of it."""
        ...

    def rest(self, stop: StopFlag | None = None) -> None:
        """Nobody is waiting: write down what would have to be read again after an end; `stop` ends it between chats."""
        ...

    def close(self) -> None:
        """Write down what would be lost and give the memory back; harmless when repeated.

        Never while `stream` is being advanced.
        """
        ...

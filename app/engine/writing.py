"""How turns are written for a loaded model, and how the ids it answers with become a reply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.core.chatml import IM_END, IM_START
from app.core.errors import AppError, EngineError, MessageTooLongError
from app.core.options import Sampling
from app.engine.base import Delta, Event, Prompt, Request, StopReason, Turn
from app.engine.model_file import ModelFile
from app.engine.prompt import ChatMLRenderer
from app.engine.rendering import OWN, choose_renderer
from app.engine.reply import Reply
from app.engine.sampling import Sampler
from app.engine.vocabulary import Vocabulary

_PLAIN_CHATML = (
    f"This model does not know {IM_START} and {IM_END}: they are written as plain text, and it may answer less well."
)


class Writing:
    """The words of one model: its vocabulary, its template, and what ends a reply. Valid as long as the model is."""

    def __init__(self, llama: Any, model: Any, file: ModelFile, template: str, n_ctx: int) -> None:
        """`template` is the setting: "auto", "chatml"; `n_ctx` is the context in force."""
        self._llama = llama
        self._model = model
        self._n_ctx = n_ctx
        self.vocabulary = Vocabulary(llama, llama.llama_model_get_vocab(model), dict(file.chatml_ids))
        choice = choose_renderer(self.vocabulary, file.template, template)
        self._renderer = choice.renderer
        self.template = choice.name
        """Which one is used; see `ModelFacts.template`."""
        self.notices = list(choice.notices)
        if choice.name != OWN and not choice.renderer.control_ids:
            self.notices.append(_PLAIN_CHATML)
        self._ends = self.vocabulary.ends | frozenset(ChatMLRenderer(self.vocabulary).control_ids.values())
        # the id ends a reply where the file says that it controls; elsewhere the model may have learnt to spell it
        known = IM_END in file.control_texts or choice.name == OWN
        self._stop_texts = () if known else (IM_END,)

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """The exact prompt for these turns; see `Engine.render`."""
        return self._renderer.render(turns, reply=reply)

    def refusal(self, request: Request) -> AppError | None:
        """Why a request cannot be answered; None where it can."""
        if not request.tokens:
            return EngineError("There is nothing to answer", "The prompt is empty.", "Write a message first.")
        if len(request.tokens) >= self._n_ctx:
            return MessageTooLongError(
                "This message is too long for the model",
                f"The prompt is {len(request.tokens):,} tokens; the context holds {self._n_ctx:,}.",
                "Shorten it, or load the model with a larger context.",
            )
        if not self.vocabulary.knows(request.tokens):
            # llama.cpp would end the process
            return EngineError(
                "This prompt is not for this model",
                "It holds tokens that the model does not have.",
                "Send the message again.",
            )
        return None

    def sampler(self, sampling: Sampling) -> Sampler:
        """A sampler chain of its own; a context manager."""
        return Sampler(self._llama, self._model, sampling, self._n_ctx)

    def begin(self, request: Request) -> Reply:
        """An empty reply to a request that is not refused."""
        drop_space = not request.continues and self.vocabulary.begins_with_space_after(request.tokens[-1])
        return Reply(request, self._stop_texts, drop_first_space=drop_space)

    def grow(self, reply: Reply, token: int) -> tuple[Delta | None, StopReason | None]:
        """Add a chosen id to a reply: what it adds, and why the reply ends with it, if it does."""
        if token in self._ends and not reply.endless:
            return None, StopReason.END
        delta, reason = reply.add(token, self.vocabulary.piece(token)), reply.over
        if reason is None and reply.repeats and not reply.endless:
            reason = StopReason.REPEATED
        return delta, reason

    def end(self, reply: Reply, reason: StopReason, seed: int) -> Iterator[Event]:
        """The last events of a reply."""
        return reply.end(reason, seed, self.vocabulary.following_tokens)

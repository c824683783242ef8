"""How much of the context a chat uses, counted by the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.chat import Chat, Message
from app.core.context import WHOLE, Cut
from app.core.errors import AppError
from app.core.stopping import StopFlag
from app.engine.base import Engine, Turn
from app.engine.turn import used_tokens
from app.services.lane import Ticket
from app.services.model_manager import ModelManager
from app.services.reply_job import kept_of, turns_of

_WAIT_MS = 150
"""A person who types is counted when they pause."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the context in use: the system prompt and those turns that the last reply was made with or from.

    `exact` is False while the model that would count them is not loaded. A chat can use more than there is, when the
    context was made smaller: the next reply leaves out what is too much.
    """

    used_tokens: int = 0
    context_tokens: int = 0
    exact: bool = False


class ContextMeter(QObject):
    """Counts one chat's tokens on the engine lane whenever something changed, and follows a reply while it grows.

    Signals:
        usage_changed(Usage).
        prompt_count_changed(int): tokens of the system prompt; -1 while unknown.
    """

    usage_changed = Signal(object)
    prompt_count_changed = Signal(int)

    def __init__(self, models: ModelManager, parent: QObject) -> None:
        super().__init__(parent)
        self.usage = Usage()
        self.prompt_tokens = -1
        self._models = models
        self._wanted: tuple[Chat, Sequence[Message]] | None = None
        self._ticket: Ticket | None = None
        self._timer = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._timer.timeout.connect(self._count)

    def count(self, chat: Chat, path: Sequence[Message]) -> None:
        """Count soon; until then, or while the model is not loaded, what the last answer told stands."""
        self._wanted = (chat, path)
        answer = next((message.provenance for message in reversed(path) if message.provenance), None)
        if not self.usage.exact:
            used = answer.prompt_tokens + answer.completion_tokens if answer else 0
            self._set(Usage(used, answer.context_tokens if answer else 0, exact=False))
        self._timer.start()

    def follow(self, used_tokens: int, context_tokens: int) -> None:
        """A reply is growing: this many tokens are in the context now."""
        self._timer.stop()
        if self._ticket is not None:
            self._ticket.cancel()
        self._set(Usage(used_tokens, context_tokens, exact=True))

    def _count(self) -> None:
        if self._wanted is None:
            return
        if self._ticket is not None:
            self._ticket.cancel()
        chat, path = self._wanted
        kept = kept_of(path)
        cut = kept.cut if kept is not None else WHOLE
        spec = self._models.spec(chat.model_id)
        turns = turns_of(path, chat.system_prompt)
        room = self._models.room

        def job(stop: StopFlag) -> Iterator[object]:
            engine = room.loaded(spec)
            if engine is None or stop.is_set():
                return
            prompt_tokens = engine.count(chat.system_prompt)
            yield Usage(_used(engine, turns, cut), engine.facts.n_ctx, exact=True), prompt_tokens

        ticket = self._ticket = self._models.run(job)
        ticket.items.connect(self._counted)
        ticket.ended.connect(lambda _outcome: self._over(ticket))

    def _counted(self, items: tuple[tuple[Usage, int], ...]) -> None:
        usage, self.prompt_tokens = items[-1]
        self._set(usage)
        self.prompt_count_changed.emit(self.prompt_tokens)

    def _over(self, ticket: Ticket) -> None:
        if ticket is self._ticket:
            self._ticket = None

    def _set(self, usage: Usage) -> None:
        if usage != self.usage:
            self.usage = usage
            self.usage_changed.emit(usage)


def _used(engine: Engine, turns: Sequence[Turn], cut: Cut) -> int:
    """Tokens of the conversation so far, without what is left out of it."""
    if not turns:
        return 0
    try:
        return used_tokens(engine, turns, cut)
    except AppError:
        return engine.facts.n_ctx  # it cannot be sent as it is: full

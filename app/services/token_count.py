"""How many tokens a text is while it is being typed: at once about, and exactly where the model is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.stopping import StopFlag
from app.services.lane import Ticket
from app.services.model_manager import ModelManager

_WAIT_MS = 150
"""A person who types is counted when they pause."""
_BYTES_PER_TOKEN = 4.2
"""Of English text by the tokenizers of most models; it is only ever shown as about so many."""
_ENOUGH_BYTES = 40
"""Shorter texts say too little about how the model splits what comes next."""


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of a text; `exact` where the model itself counted them."""

    tokens: int
    exact: bool

    @property
    def words(self) -> str:
        """As it is told."""
        about = "" if self.exact else "about "
        return f"{about}1 token" if self.tokens == 1 else f"{about}{self.tokens:,} tokens"


class TokenCount(QObject):
    """Counts one text for one model, again and again. Lives in the GUI thread.

    Signals:
        counted(Count): of the text that was asked for last: a guess at once, perhaps followed by the exact number.
    """

    counted = Signal(object)

    def __init__(self, models: ModelManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._text, self._model_id = "", ""
        self._exact: tuple[str, str, int] | None = None
        """Model, text and tokens of the last exact count: how the next ones are guessed."""
        self._ticket: Ticket | None = None
        self._timer = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._timer.timeout.connect(self._ask)
        models.state_changed.connect(self._model_changed)

    def count(self, text: str, model_id: str) -> None:
        """Count this from now on; nothing is told anew of what was counted already."""
        if (text, model_id) == (self._text, self._model_id):
            return
        self._text, self._model_id = text, model_id
        if not text:
            self._timer.stop()
            self.counted.emit(Count(0, exact=True))
        elif self._exact is not None and self._exact[:2] == (model_id, text):
            self.counted.emit(Count(self._exact[2], exact=True))
        else:
            self.counted.emit(Count(self._guess(), exact=False))
            self._timer.start()

    def _guess(self) -> int:
        size = len(self._text.encode("utf-8", "replace"))
        if self._exact is not None and self._exact[0] == self._model_id:
            known = len(self._exact[1].encode("utf-8", "replace"))
            if known >= _ENOUGH_BYTES:
                return max(1, round(size * self._exact[2] / known))
        return max(1, round(size / _BYTES_PER_TOKEN))

    @Slot()
    def _ask(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        text, model_id = self._text, self._model_id
        spec, room = self._models.spec(model_id), self._models.room

        def job(stop: StopFlag) -> Iterator[object]:
            engine = room.loaded(spec)
            if engine is not None and not stop.is_set():
                yield engine.count(text)

        ticket = self._ticket = self._models.run(job)
        ticket.items.connect(lambda items: self._counted(model_id, text, items[-1]))
        ticket.ended.connect(lambda _outcome: self._over(ticket))

    def _counted(self, model_id: str, text: str, tokens: int) -> None:
        self._exact = (model_id, text, tokens)
        if (model_id, text) == (self._model_id, self._text):
            self.counted.emit(Count(tokens, exact=True))

    def _over(self, ticket: Ticket) -> None:
        if ticket is self._ticket:
            self._ticket = None

    @Slot(str)
    def _model_changed(self, model_id: str) -> None:
        """It may be loaded now, or have other words for the same text."""
        if model_id == self._model_id and self._text and self._models.state(model_id).kind == "ready":
            self._timer.start()

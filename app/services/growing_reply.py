"""The owner of one reply while it grows: from the engine lane to the window and, every quarter second, to disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.chat import Chat, Message, MessageState, Provenance
from app.core.errors import AppError, ContextFullError, MessageTooLongError
from app.core.options import Sampling
from app.core.overflow import Overflow
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, ModelFacts, Reading, StopReason, Turn
from app.engine.turn import Fitted
from app.services.archive import Archive
from app.services.lane import End, Outcome, Ticket
from app.services.model_manager import ModelManager
from app.services.notice import Notice
from app.services.provenance import provenance
from app.services.reply_job import kept_of, reply_job
from app.storage.stores import Stores

SAVE_MS = 250
"""After any crash at most this much of a reply, and the time to write it, is missing; half a second is the promise."""

_RETRY_MS = 3000
_READING_AT_ONCE = 512
"""Tokens still to read that are worth a line from the beginning."""
_READING_MS = 500
"""After so long the progress of fewer is told too; a line for less would only flicker."""

_STATES = {End.FINISHED: MessageState.DONE, End.STOPPED: MessageState.STOPPED, End.FAILED: MessageState.FAILED}


def _stopped_before(stop: StopFlag) -> Iterator[object]:
    """A job that ends as stopped before it has done anything: a flag that is set from outside could come too late."""
    stop.set()
    yield from ()


class GrowingReply(QObject):
    """One reply in the making.

    Signals:
        text_added(int, str): message id and new text.
        progress_changed(str): "Loading ...", "Reading ...", or empty.
        tokens_counted(int, int): tokens in the context now, and its size.
        finished(Message, AppError or None): the reply as it is kept.
        refused(MessageTooLongError or ContextFullError): the question does not fit and nothing was sent.
        fitted(): it is known what of the chat is sent, and what is left out.
        notice(Notice): the reply cannot be saved at the moment, or its prompt is not written as the model asks for.
    """

    text_added = Signal(int, str)
    progress_changed = Signal(str)
    tokens_counted = Signal(int, int)
    finished = Signal(object, object)
    refused = Signal(object)
    fitted = Signal()
    notice = Signal(object)

    def __init__(
        self,
        message: Message,
        history: Sequence[Message],
        turns: Sequence[Turn],
        chat: Chat,
        sampling: Sampling,
        overflow: Overflow,
        models: ModelManager,
        archive: Archive[Stores],
        parent: QObject,
        continued: Message | None = None,
    ) -> None:
        """`continued` is what the message was before, when it goes on instead of starting empty."""
        super().__init__(parent)
        self.message = message
        self._history = history
        self._turns = turns
        self._chat = chat
        self._sampling = sampling
        self._overflow = overflow
        self._models = models
        self._archive = archive
        self._parts: list[str] = [continued.text] if continued else []
        self.continued = continued
        self._unsaved: list[str] = []
        self._facts: ModelFacts | None = None
        self._fitted: Fitted | None = None
        self._done: Done | None = None
        self._ticket: Ticket | None = None
        self._told = False
        self._reading = ""
        """How far the prompt is read, in words."""
        self._reading_told = False
        self._reading_timer = QTimer(self, singleShot=True, interval=_READING_MS)
        self._reading_timer.timeout.connect(self._tell_reading)
        self._save_timer = QTimer(self, interval=SAVE_MS)
        self._save_timer.timeout.connect(self.save_text)
        models.state_changed.connect(self._loading)

    def start(self, *, stopped: bool = False) -> None:
        """Queue the work; everything else follows by signals. `stopped`: it was stopped before it could begin."""
        spec = self._models.spec(self._chat.model_id)
        kept = kept_of([*self._history, *([self.continued] if self.continued else [])])
        job = reply_job(self._models.room, spec, self._turns, self._sampling, self._chat.id, self._overflow, kept)
        self._ticket = self._models.run(_stopped_before if stopped else job, pressing=not stopped)
        self._ticket.items.connect(self._take)
        self._ticket.ended.connect(self._end)
        self._save_timer.start()

    def stop(self) -> None:
        """End the reply where it is."""
        if self._ticket is not None:
            self._ticket.cancel()

    def so_far(self) -> Message:
        """The reply with the text it has now, and what was sent for it."""
        how = self._provenance() if self._fitted is not None else self.message.provenance
        return dataclasses.replace(self.message, text="".join(self._parts), provenance=how)

    def save_text(self) -> None:
        """Hand what came since the last time to the storage lane."""
        if not self._unsaved:
            return
        text, self._unsaved = "".join(self._unsaved), []
        message_id = self.message.id
        self._archive.ask(
            lambda stores: stores.chats.append_chunk(message_id, text),
            failed=lambda error: self._not_saved(error, text),
        )

    def _take(self, items: tuple[object, ...]) -> None:
        texts: list[str] = []
        for item in items:
            match item:
                case Delta(text, count):
                    self._has_begun()
                    texts.append(text)
                    self._count(count)
                case Reading(done, total):
                    self._read(done, total)
                case Fitted():
                    self._fitted = item
                    self._count(0)
                    self.fitted.emit()
                    if item.prompt.notice:
                        self.notice.emit(Notice(item.prompt.notice, level="warning", once=True))
                case ModelFacts():
                    # under the name that the person sees it by everywhere, which need not be the file's own
                    self._facts = dataclasses.replace(item, name=self._models.entry(self._chat.model_id).name)
                    self.progress_changed.emit("")
                case Done():
                    self._has_begun()
                    self._done = item
        if text := "".join(texts):
            self._parts.append(text)
            self._unsaved.append(text)
            self.text_added.emit(self.message.id, text)

    def _read(self, done: int, total: int) -> None:
        self._reading = f"Reading {done:,} of {total:,} tokens"
        if self._reading_told or total - done >= _READING_AT_ONCE:
            self._tell_reading()
        elif done < total and not self._reading_timer.isActive():
            self._reading_timer.start()

    def _tell_reading(self) -> None:
        self._reading_told = True
        self.progress_changed.emit(self._reading)

    def _has_begun(self) -> None:
        """The prompt is read, or nothing more comes of it."""
        self._reading_timer.stop()
        if self._reading_told:
            self._reading_told = False
            self.progress_changed.emit("")

    def _count(self, completion_tokens: int) -> None:
        if self._fitted is not None and self._facts is not None:
            self.tokens_counted.emit(self._fitted.prompt_tokens + completion_tokens, self._facts.n_ctx)

    def _loading(self, model_id: str) -> None:
        state = self._models.state(model_id)
        if model_id == self._chat.model_id and state.kind == "loading":
            name = self._models.entry(model_id).name
            self.progress_changed.emit(f"Loading {name} {state.progress:.0%}")

    def _end(self, outcome: Outcome) -> None:
        self._save_timer.stop()
        self._has_begun()
        self._models.state_changed.disconnect(self._loading)
        error = outcome.error
        if isinstance(error, MessageTooLongError | ContextFullError) and self._fitted is None:
            self.refused.emit(error)
            return
        state = _STATES[outcome.end]
        if self._done is not None and self._done.reason is not StopReason.STOPPED and error is None:
            state = MessageState.DONE  # Stop came too late to change anything
        self.message = dataclasses.replace(
            self.message,
            text="".join(self._parts),
            state=state,
            token_ids=self._token_ids(),
            provenance=self._provenance(str(error) if error else ""),
        )
        self._keep()
        self.finished.emit(self.message, error)

    def _provenance(self, error: str = "") -> Provenance:
        prompt = self._chat.system_prompt
        made = provenance(
            self._facts,
            self._sampling,
            prompt,
            self._history,
            self._fitted,
            self._done,
            error,
            prompt_version=self._chat.prompt_version,
        )
        before = self.continued
        if before is None:
            return made
        ids = len(before.token_ids)
        return dataclasses.replace(made, continued_chars=len(before.text), continued_tokens=ids)

    def _token_ids(self) -> tuple[int, ...]:
        ids_before = self.continued.token_ids if self.continued else ()
        if self._done is None or (self.continued and self.continued.text and not ids_before):
            return ()  # ids are only of use for the whole of the text
        return ids_before + self._done.token_ids

    def _keep(self) -> None:
        """Write the finished reply; when the disk refuses, keep it here and try again until it works."""
        message, archive = self.message, self._archive

        def work(stores: Stores) -> None:
            stores.chats.finish(message.id, message.state, message.text, message.token_ids, message.provenance)

        def failed(error: AppError) -> None:
            self._not_saved(error, "")
            QTimer.singleShot(_RETRY_MS, archive, keep)

        def keep() -> None:
            archive.ask(work, failed=failed)

        keep()

    def _not_saved(self, error: AppError, text: str) -> None:
        if text:
            self._unsaved.insert(0, text)
        if not self._told:
            self._told = True
            self.notice.emit(Notice.of(error))

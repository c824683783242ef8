"""One conversation: what the person says in it, and the reply that grows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from PySide6.QtCore import QObject

from app.core import prompt_variables
from app.core.chat import Chat, Message
from app.core.errors import AppError, ContextFullError
from app.core.overflow import WhenFull
from app.core.role import Role
from app.core.text import clean
from app.services.archive import Archive
from app.services.chat_record import add_turn, title_from
from app.services.full_context import Again, bigger_context, question
from app.services.growing_reply import GrowingReply
from app.services.model_manager import ModelManager
from app.services.notice import LONGEST_TEXT, Notice, too_long
from app.services.open_chat import OpenChat
from app.services.preferences import Preferences
from app.services.reply_job import turns_of
from app.storage.stores import Stores


class ChatSession(OpenChat):
    """One chat, open. Lives in the GUI thread; the disk and the engine are reached through their lanes."""

    def __init__(
        self,
        chat: Chat,
        archive: Archive[Stores],
        models: ModelManager,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        """A chat with id 0 is not in the database yet; it gets there with its first message, draft or change."""
        super().__init__(chat, archive, models, preferences, parent)
        self._again: Again = lambda _text, _dropping: None
        """Does once more what the person did last."""
        self._dropping = False
        self._stop_wanted = False
        """Stop was asked for while the turn was still being saved."""

    # --- what the person does ---------------------------------------------------------------------------------------

    def send(self, text: str, *, typed: bool = True) -> bool:
        """Say something. The turn is saved before anything else happens.

        `typed`: it stood in the composer; else what stands there, unsent, stays the draft. Returns whether the text was
        taken: if not, it stays where it was written, and a notice says why.
        """
        return self._say(clean(text).strip(), self.chat.leaf_id, typed=typed)

    def edit(self, message_id: int, text: str) -> bool:
        """Say something else instead of an earlier turn; the old version stays, a step to the side.

        Returns whether the text was taken: if not, it stays where it was written, and a notice says why.
        """
        return self._say(clean(text).strip(), self.tree[message_id].parent_id, typed=False)

    def regenerate(self, message_id: int, *, dropping: bool = False) -> None:
        """Ask for another answer; the old one stays, a step to the side. `dropping`: turns may go without a word."""
        question_id = self.tree[message_id].parent_id
        if self.busy or question_id is None or not self._is_filled():
            return
        self._begin(lambda _text, dropping: self.regenerate(message_id, dropping=dropping), dropping)
        self._ask(
            lambda stores, chat_id: stores.chats.add_reply(chat_id, question_id),
            lambda reply: self._start_reply(reply, None),
            self._not_sent,
        )

    def continue_reply(self, message_id: int, *, dropping: bool = False) -> None:
        """Let an answer that was cut off go on where it ended. `dropping`: turns may go without a word."""
        message = self.tree[message_id]
        if self.busy or message.role is not Role.ASSISTANT or self.chat.leaf_id != message_id:
            return
        if not self._is_filled():
            return
        self._begin(lambda _text, dropping: self.continue_reply(message_id, dropping=dropping), dropping)
        self._ask(
            lambda stores, _chat_id: stores.chats.reopen(message_id),
            lambda reply: self._start_reply(dataclasses.replace(reply, mark=message.mark), None, continued=message),
            self._not_sent,
        )

    def stop(self) -> None:
        """Stop the reply; what has come is kept. One that has not begun ends as soon as its turn is saved."""
        self._stop_wanted = self._sending
        if self._reply is not None:
            self._reply.stop()

    def flush(self) -> None:
        """Hand everything unsaved to the storage lane; before the program ends."""
        self._draft.flush()
        self.stop()
        if self._reply is not None:
            self._reply.save_text()

    # --- saying something -------------------------------------------------------------------------------------------

    def _say(self, text: str, parent_id: int | None, dropping: bool = False, *, typed: bool) -> bool:
        """Whether the text is on its way."""
        if not text or not self._may_say(text):
            return False

        def again(text: str, dropping: bool) -> None:
            if not self._say(text, parent_id, dropping, typed=typed):
                self._put_back(text)

        title = self.chat.title if self.chat.titled_by_person or parent_id is not None else title_from(text)
        self._begin(again, dropping)
        if typed:
            # now and not when it is saved: what is typed meanwhile is not what was sent
            self._draft.sent()
        self._ask(
            lambda stores, chat_id: add_turn(stores, chat_id, parent_id, text, title, clear_draft=typed),
            lambda pair: self._said(pair, title),
            lambda error: self._not_sent(error, text),
        )
        return True

    def _may_say(self, text: str) -> bool:
        """Whether a message can be sent now; a notice says why not."""
        if not self.ready:
            return False
        if self.busy:
            stop = ("Stop the reply", self.stop)
            hint = "Send it when the reply is there, or stop the reply."
            detail = "What you wrote was not sent. It is still where you wrote it."
            self.notice.emit(Notice("A reply is still being written", detail, hint, "warning", (stop,)))
            return False
        if len(text) > LONGEST_TEXT:
            self.notice.emit(too_long(len(text)))
            return False
        return self._is_filled()

    def _said(self, pair: tuple[Message, Message], title: str) -> None:
        question, reply = pair
        branched = question.parent_id != self.chat.leaf_id
        self.tree.put(question)
        self._change(leaf_id=question.id, title=title)
        if not branched:
            self.message_added.emit(question)
        self._start_reply(reply, question if branched else None)
        self.saved.emit()

    def _is_filled(self) -> bool:
        """Whether all variables of the system prompt have values; date and time get theirs now, once for this chat."""
        missing = self.filled().unresolved
        if missing:
            names = ", ".join(f"{{{{{name}}}}}" for name in missing)
            hint = "Give it one below the system prompt, or write a default into that: {{name=default}}."
            way = ("Give a value", self.values_wanted.emit)
            self.notice.emit(Notice(f"{names} has no value", "Nothing was sent.", hint, "warning", (way,)))
            return False
        moment = (prompt_variables.DATE, prompt_variables.TIME)
        used = {variable.name for variable in prompt_variables.variables(self.chat.system_prompt)}
        if used.intersection(moment) and not self.chat.variables.keys() & set(moment):
            values = self.values()
            self._set_variables({**self.chat.variables, **{name: values[name] for name in moment}})
        return True

    def _begin(self, again: Again, dropping: bool) -> None:
        self._again, self._dropping = again, dropping
        self._sending, self._stop_wanted = True, False
        self.busy_changed.emit(True)

    def _not_sent(self, error: AppError, text: str = "") -> None:
        self._sending = False
        self.busy_changed.emit(False)
        self.notice.emit(Notice.of(error))
        self._put_back(text)

    def _put_back(self, text: str) -> None:
        """The text belongs into the composer again, also where another chat is on screen meanwhile."""
        if text:
            self._draft.put_back(text)
            self._draft.flush()
            self.text_returned.emit(text)

    # --- the reply --------------------------------------------------------------------------------------------------

    def _start_reply(self, reply: Message, branched_at: Message | None, continued: Message | None = None) -> None:
        before = self.path() if continued is None else self.path()[:-1]
        history = self.tree.path(reply.parent_id)
        on_screen = continued is None and [m.id for m in before] == [m.id for m in history] and branched_at is None
        self.tree.put(reply)
        self._change(leaf_id=reply.id)
        if on_screen:
            self.message_added.emit(reply)
        elif continued is not None:
            self.message_changed.emit(reply)
        else:
            self.path_changed.emit()
        chat = self._as_sent()
        turns = turns_of([*history, *([continued] if continued else [])], chat.system_prompt)
        overflow = self.overflow()
        if overflow.asks and self._dropping:
            overflow = dataclasses.replace(overflow, when_full=WhenFull.DROP_OLDEST.value)
        self._reply = GrowingReply(
            reply, history, turns, chat, self.sampling(), overflow, self._models, self._archive, self, continued
        )
        self._reply.text_added.connect(self.text_added)
        self._reply.progress_changed.connect(self.progress_changed)
        self._reply.tokens_counted.connect(self._meter.follow)
        self._reply.fitted.connect(self.markers_changed)
        self._reply.finished.connect(self._reply_finished)
        self._reply.refused.connect(self._reply_refused)
        self._reply.notice.connect(self.notice)
        self._sending = False
        self._reply.start(stopped=self._stop_wanted)

    def _reply_finished(self, message: Message, error: AppError | None) -> None:
        self._end_reply()
        self.tree.put(message)
        self.message_changed.emit(message)
        self.busy_changed.emit(False)
        if error is not None:
            again = lambda: self.regenerate(message.id)  # noqa: E731
            self.notice.emit(self._models.trouble(self.chat.model_id, error, again=again))
        self._recount()
        self.saved.emit()

    def _reply_refused(self, error: AppError) -> None:
        """The question does not fit: take the turn back and give the text to the composer again."""
        assert self._reply is not None
        reply_id, continued = self._reply.message.id, self._reply.continued
        self._end_reply()
        text = ""
        if continued is not None:
            self._leave_as_it_was(continued)
        else:
            gone, text, leaf_id = self.tree.take_back(reply_id)
            # first, so that it is nowhere lost if the program ends in between
            self._put_back(text)
            self._change(leaf_id=leaf_id)
            self._ask(lambda stores, chat_id: stores.chats.take_back(chat_id, gone, leaf_id))
            self.path_changed.emit()
        self.busy_changed.emit(False)
        if isinstance(error, ContextFullError):
            self._ask_what_to_do(error, text)
        else:
            self.notice.emit(dataclasses.replace(Notice.of(error), level="warning"))
        self._recount()

    def _leave_as_it_was(self, answer: Message) -> None:
        self.tree.put(answer)
        finished = (answer.id, answer.state, answer.text, answer.token_ids, answer.provenance)
        self._ask(lambda stores, _chat_id: stores.chats.finish(*finished))
        self.message_changed.emit(answer)

    def _ask_what_to_do(self, error: ContextFullError, text: str) -> None:
        """Nothing was sent: offer the ways in which it can be."""
        again, model_id = self._again, self.chat.model_id
        asked = text or next((m.text for m in reversed(self.path()) if m.role is Role.USER), "")

        def take(then: Callable[[str], None]) -> None:
            if self.busy:
                return
            written = asked
            if text:
                self.text_taken.emit()
                written = self.draft.strip() or asked
                self.set_draft("")
            then(written)

        def enlarge(tokens: int) -> None:
            self._preferences.set_for_model(model_id, "context_tokens", tokens)
            take(lambda written: again(written, False))

        larger = bigger_context(self._models.state(model_id).facts, error.prompt_tokens)
        self.notice.emit(
            question(
                error,
                drop=lambda: take(lambda written: again(written, True)),
                enlarge=(larger, lambda: enlarge(larger)) if larger else None,
                begin=lambda: take(lambda written: self.new_chat_wanted.emit(self, written)),
            )
        )

    def _end_reply(self) -> None:
        if self._reply is not None:
            self._reply.deleteLater()
        self._reply = None
        self.progress_changed.emit("")

"""One conversation: what the person does to it, the reply that grows in it, and how both are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.chat import Chat, Message, MessageTree, Role
from app.core.errors import AppError, MessageTooLongError
from app.core.options import Sampling
from app.core.settings import declared
from app.core.text import clean
from app.services.archive import Archive
from app.services.chat_record import ChatRecord, add_turn, title_from
from app.services.context_meter import ContextMeter, Usage
from app.services.growing_reply import GrowingReply
from app.services.model_manager import ModelManager
from app.services.notice import LONGEST_TEXT, Notice, too_long
from app.services.preferences import Preferences
from app.services.reply_job import turns_of
from app.services.transcript_marks import Marker, markers
from app.storage.stores import Stores

Result = TypeVar("Result")

_DRAFT_MS = 400


class ChatSession(QObject):
    """One chat, open. Lives in the GUI thread; the disk and the engine are reached through their lanes.

    Signals:
        loaded(): the messages are there.
        chat_changed(): title, model, system prompt, overrides, id or pin.
        path_changed(): other messages are on screen now; rebuild.
        message_added(Message), message_changed(Message): one message came, or has a new state or text.
        text_added(int, str): the reply with this id grew.
        busy_changed(bool): a reply is being made.
        progress_changed(str): what is waited for, in words; empty when nothing.
        usage_changed(Usage): how much of the context is used.
        prompt_count_changed(int): tokens of the system prompt; -1 while unknown.
        notice(Notice): something to tell.
        text_returned(str): this text was not sent; it belongs back in the composer.
        saved(): the chat got its place in the database, or changed there.
    """

    loaded = Signal()
    chat_changed = Signal()
    path_changed = Signal()
    message_added = Signal(object)
    message_changed = Signal(object)
    text_added = Signal(int, str)
    busy_changed = Signal(bool)
    progress_changed = Signal(str)
    usage_changed = Signal(object)
    prompt_count_changed = Signal(int)
    notice = Signal(object)
    text_returned = Signal(str)
    saved = Signal()

    def __init__(
        self,
        chat: Chat,
        archive: Archive[Stores],
        models: ModelManager,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        """A chat with id 0 is not in the database yet; it gets there with its first message, draft or change."""
        super().__init__(parent)
        self.chat = chat
        self.tree = MessageTree()
        self.ready = chat.id == 0
        self.draft = ""
        self._archive = archive
        self._record = ChatRecord(archive, chat.id, self._got_place, self._not_kept)
        self._models = models
        self._preferences = preferences
        self._reply: GrowingReply | None = None
        self._sending = False
        self._draft_timer = QTimer(self, singleShot=True, interval=_DRAFT_MS)
        self._draft_timer.timeout.connect(self._save_draft)
        self._meter = ContextMeter(models, self)
        self._meter.usage_changed.connect(self.usage_changed)
        self._meter.prompt_count_changed.connect(self.prompt_count_changed)
        models.state_changed.connect(self._model_state_changed)
        if not self.ready:
            self._load()
        else:
            self._recount()

    # --- what is there ---------------------------------------------------------------------------------------------

    def path(self) -> list[Message]:
        """The messages on screen, first to last; a growing reply with what it has so far."""
        found = self.tree.path(self.chat.leaf_id)
        if self._reply is not None and found and found[-1].id == self._reply.message.id:
            found[-1] = self._reply.so_far()
        return found

    def markers(self) -> tuple[Marker, ...]:
        """The lines between them."""
        return markers(self.path(), self.chat.system_prompt)

    @property
    def busy(self) -> bool:
        """Whether a reply is being made."""
        return self._sending or self._reply is not None

    @property
    def usage(self) -> Usage:
        """How much of the context is used."""
        return self._meter.usage

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the system prompt; -1 while unknown."""
        return self._meter.prompt_tokens

    def sampling(self) -> Sampling:
        """The sampler values in force."""
        return self._preferences.resolved(Sampling, self.chat.model_id, self.chat.overrides).values

    # --- what the person does ---------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """Say something. The turn is saved before anything else happens."""
        self._say(clean(text).strip(), self.chat.leaf_id)

    def edit(self, message_id: int, text: str) -> None:
        """Say something else instead of an earlier turn; the old version stays, a step to the side."""
        self._say(clean(text).strip(), self.tree[message_id].parent_id)

    def regenerate(self, message_id: int) -> None:
        """Ask for another answer; the old one stays, a step to the side."""
        question_id = self.tree[message_id].parent_id
        if self.busy or question_id is None:
            return
        self._begin()
        self._ask(
            lambda stores, chat_id: stores.chats.add_reply(chat_id, question_id),
            lambda reply: self._start_reply(reply, None),
            self._not_sent,
        )

    def continue_reply(self, message_id: int) -> None:
        """Let an answer that was cut off go on where it ended."""
        message = self.tree[message_id]
        if self.busy or message.role is not Role.ASSISTANT or self.chat.leaf_id != message_id:
            return
        self._begin()
        self._ask(
            lambda stores, _chat_id: stores.chats.reopen(message_id),
            lambda reply: self._start_reply(reply, None, continued=message),
            self._not_sent,
        )

    def stop(self) -> None:
        """Stop the reply; what has come is kept."""
        if self._reply is not None:
            self._reply.stop()

    def show_version(self, message_id: int, step: int) -> None:
        """Show the version `step` places after (or before) this one, and what followed it last."""
        if self.busy:
            return
        versions = self.tree.siblings(message_id)
        place = versions.index(message_id) + step
        if 0 <= place < len(versions):
            leaf_id = self.tree.newest_leaf(versions[place])
            self._change(leaf_id=leaf_id)
            self._ask(lambda stores, chat_id: stores.chats.set_leaf(chat_id, leaf_id))
            self.path_changed.emit()
            self._recount()

    def set_system_prompt(self, text: str) -> None:
        """Change the system prompt; the very next reply uses it."""
        text = clean(text)
        if text == self.chat.system_prompt or not self.ready:
            return
        self._change(system_prompt=text)
        self._ask(lambda stores, chat_id: stores.chats.set_system_prompt(chat_id, text))
        self._recount()

    def set_override(self, key: str, value: Any) -> None:
        """Change a sampling setting for this chat alone.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        self._set_overrides({**self.chat.overrides, key: declared(Sampling)[key].checked(value)})

    def clear_override(self, key: str) -> None:
        """Go back to the model's value."""
        self._set_overrides({known: value for known, value in self.chat.overrides.items() if known != key})

    def set_model(self, model_id: str) -> None:
        """Let another model answer from now on. An untouched system prompt follows the model's default."""
        if model_id == self.chat.model_id or not self.ready:
            return
        old = self.chat
        prompt = old.system_prompt
        if not self.path() and prompt == self._preferences.model_prompt(old.model_id):
            prompt = self._preferences.model_prompt(model_id)
        self._change(model_id=model_id, system_prompt=prompt)

        def work(stores: Stores, chat_id: int) -> None:
            stores.chats.set_model(chat_id, model_id)
            stores.chats.set_system_prompt(chat_id, prompt)

        self._ask(work)
        self._models.prepare(model_id)
        self._recount()

    def set_draft(self, text: str) -> None:
        """Keep what is typed but not sent."""
        if text != self.draft:
            self.draft = text
            self._draft_timer.start()

    def rename(self, title: str) -> None:
        """Give the chat a title of the person's own."""
        title = clean(title).strip()
        if title and title != self.chat.title:
            self._change(title=title, titled_by_person=True)
            self._ask(lambda stores, chat_id: stores.chats.rename(chat_id, title), lambda _: self.saved.emit())

    def set_pinned(self, pinned: bool) -> None:
        """Keep the chat at the top of the list, or not."""
        self._change(pinned=pinned)
        self._ask(lambda stores, chat_id: stores.chats.pin(chat_id, pinned), lambda _: self.saved.emit())

    def flush(self) -> None:
        """Hand everything unsaved to the storage lane; before the program ends."""
        if self._draft_timer.isActive():
            self._draft_timer.stop()
            self._save_draft()
        if self._reply is not None:
            self._reply.stop()
            self._reply.save_text()

    # --- saying something -------------------------------------------------------------------------------------------

    def _say(self, text: str, parent_id: int | None) -> None:
        if self.busy or not text or not self.ready:
            return
        if len(text) > LONGEST_TEXT:
            self.notice.emit(too_long(len(text)))
            self.text_returned.emit(text)
            return
        title = self.chat.title if self.chat.titled_by_person or parent_id is not None else title_from(text)
        self._begin()
        self._ask(
            lambda stores, chat_id: add_turn(stores, chat_id, parent_id, text, title),
            lambda pair: self._said(pair, title),
            lambda error: self._not_sent(error, text),
        )

    def _said(self, pair: tuple[Message, Message], title: str) -> None:
        question, reply = pair
        self.draft = ""
        self._draft_timer.stop()
        branched = question.parent_id != self.chat.leaf_id
        self.tree.put(question)
        self._change(leaf_id=question.id, title=title)
        if not branched:
            self.message_added.emit(question)
        self._start_reply(reply, question if branched else None)
        self.saved.emit()

    def _begin(self) -> None:
        self._sending = True
        self.busy_changed.emit(True)

    def _not_sent(self, error: AppError, text: str = "") -> None:
        self._sending = False
        self.busy_changed.emit(False)
        self.notice.emit(Notice.of(error))
        if text:
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
        turns = turns_of([*history, *([continued] if continued else [])], self.chat.system_prompt)
        self._reply = GrowingReply(
            reply, history, turns, self.chat, self.sampling(), self._models, self._archive, self, continued
        )
        self._reply.text_added.connect(self.text_added)
        self._reply.progress_changed.connect(self.progress_changed)
        self._reply.tokens_counted.connect(self._meter.follow)
        self._reply.finished.connect(self._reply_finished)
        self._reply.refused.connect(self._reply_refused)
        self._reply.notice.connect(self.notice)
        self._sending = False
        self._reply.start()

    def _reply_finished(self, message: Message, error: AppError | None) -> None:
        self._end_reply()
        self.tree.put(message)
        self.message_changed.emit(message)
        self.busy_changed.emit(False)
        if error is not None:
            again = ("Try again", lambda: self.regenerate(message.id))
            self.notice.emit(Notice.of(error, (again,)))
        self._recount()
        self.saved.emit()

    def _reply_refused(self, error: MessageTooLongError) -> None:
        """The question does not fit: take the turn back and give the text to the composer again."""
        assert self._reply is not None
        gone, text, leaf_id = self.tree.take_back(self._reply.message.id)
        self._end_reply()
        self._change(leaf_id=leaf_id)
        self._ask(lambda stores, chat_id: stores.chats.take_back(chat_id, gone, leaf_id))
        self.path_changed.emit()
        self.busy_changed.emit(False)
        self.notice.emit(dataclasses.replace(Notice.of(error), level="warning"))
        if text:
            self.text_returned.emit(text)
        self._recount()

    def _end_reply(self) -> None:
        if self._reply is not None:
            self._reply.deleteLater()
        self._reply = None
        self.progress_changed.emit("")

    # --- keeping it -------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        chat_id = self.chat.id

        def work(stores: Stores) -> tuple[Chat, Sequence[Message], str]:
            return stores.chats.chat(chat_id), stores.chats.messages(chat_id), stores.chats.draft(chat_id)

        self._archive.ask(work, self._loaded, self._not_kept)

    def _loaded(self, result: tuple[Chat, Sequence[Message], str]) -> None:
        self.chat, messages, self.draft = result
        self.tree = MessageTree(messages)
        self.ready = True
        self.chat_changed.emit()
        self.loaded.emit()
        self._recount()

    def _set_overrides(self, overrides: Mapping[str, Any]) -> None:
        if not self.ready:
            return
        self._change(overrides=overrides)
        self._ask(lambda stores, chat_id: stores.chats.set_overrides(chat_id, overrides))

    def _save_draft(self) -> None:
        if not self.ready or (self.chat.id == 0 and not self.draft.strip()):
            return
        draft = self.draft
        self._ask(lambda stores, chat_id: stores.chats.save_draft(chat_id, draft))

    def _change(self, **changes: Any) -> None:
        self.chat = dataclasses.replace(self.chat, **changes)
        self.chat_changed.emit()

    def _ask(
        self,
        work: Callable[[Stores, int], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[AppError], None] | None = None,
    ) -> None:
        self._record.ask(self.chat, work, then, failed)

    def _got_place(self, chat_id: int) -> None:
        self._change(id=chat_id)
        self.saved.emit()

    def _not_kept(self, error: AppError) -> None:
        self.notice.emit(Notice.of(error))

    # --- counting ---------------------------------------------------------------------------------------------------

    def _recount(self) -> None:
        if self.ready and not self.busy:
            self._meter.count(self.chat, self.path(), self.sampling())

    def _model_state_changed(self, model_id: str) -> None:
        if model_id == self.chat.model_id:
            self._recount()

"""A chat that is open: its messages, what holds for it, and how both are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core import prompt_variables
from app.core.chat import Chat, Mark, Message, MessageState, MessageTree
from app.core.errors import AppError
from app.core.options import Sampling
from app.core.overflow import Overflow
from app.core.prompt_variables import Resolved
from app.core.role import Role
from app.core.settings import declared
from app.core.text import clean
from app.services.archive import Archive
from app.services.chat_record import ChatRecord
from app.services.context_meter import ContextMeter, Usage
from app.services.draft import Draft
from app.services.growing_reply import GrowingReply
from app.services.model_manager import ModelManager
from app.services.notice import Notice
from app.services.origin import Origin, of_message
from app.services.origins import Origins
from app.services.preferences import Preferences
from app.services.training import TrainingSource, marked_answers
from app.services.transcript_marks import Marker, markers
from app.storage.stores import Stores

Result = TypeVar("Result")


class OpenChat(QObject):
    """One chat, all but the talking: `ChatSession` adds that.

    Lives in the GUI thread; the disk and the engine are reached through their lanes.

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
        text_taken(): what stands in the composer is sent after all; hand it over as the draft, and clear the field.
        markers_changed(): the lines between the messages may be others.
        values_wanted(): variables of the system prompt have no value; show where they are given.
        new_chat_wanted(ChatSession, str): a chat like this one shall be begun with this text.
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
    text_taken = Signal()
    markers_changed = Signal()
    values_wanted = Signal()
    new_chat_wanted = Signal(object, str)
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
        self._draft = Draft(self._save_draft, self)
        self._archive = archive
        self._record = ChatRecord(archive, chat.id, self._got_place, self._not_kept)
        self._models = models
        self._preferences = preferences
        self.origins: Origins | None = None
        """Tells of answers what made them, where the chat is one of the library's."""
        self._reply: GrowingReply | None = None
        self._sending = False
        self._meter = ContextMeter(models, self)
        self._meter.usage_changed.connect(self.usage_changed)
        self._meter.prompt_count_changed.connect(self.prompt_count_changed)
        models.state_changed.connect(self._model_state_changed)
        preferences.model_settings_changed.connect(self._model_settings_changed)
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
        return markers(self.path(), self.filled().text)

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

    @property
    def draft(self) -> str:
        """What is typed but not sent."""
        return self._draft.text

    def values(self) -> dict[str, str]:
        """What stands in the places of variables: what was given, and what the app knows.

        Date and time are those of the first message that was sent with them, so that nothing is read again for them.
        """
        name = self._models.entry(self.chat.model_id).name
        known = prompt_variables.built_in(datetime.now(tz=UTC).astimezone(), name)
        return {**known, **self.chat.variables, prompt_variables.MODEL: name}

    def filled(self) -> Resolved:
        """The system prompt as it is sent, and which of its variables have no value."""
        return prompt_variables.resolve(self.chat.system_prompt, self.values())

    def origin(self, message_id: int) -> Origin | None:
        """A reply with what made it; None where that was not kept."""
        reply = self.tree[message_id]
        return of_message(self.tree.path(reply.parent_id), reply)

    def sampling(self) -> Sampling:
        """The sampler values in force."""
        return self._preferences.resolved(Sampling, self.chat.model_id, self.chat.overrides).values

    def overflow(self) -> Overflow:
        """What is done when the context is full."""
        return self._preferences.resolved(Overflow, self.chat.model_id, self.chat.overrides).values

    # --- what holds for it -------------------------------------------------------------------------------------------

    def show_version(self, message_id: int, step: int) -> None:
        """Show the version `step` places after (or before) this one, and what followed it last."""
        if self.busy:
            return
        versions = self.tree.siblings(message_id)
        place = versions.index(message_id) + step
        if 0 <= place < len(versions):
            self._show_path(versions[place])

    def show_message(self, message_id: int) -> None:
        """Show a path through this message, unless one is shown; not while a reply is made."""
        if not self.busy and all(message.id != message_id for message in self.path()):
            self._show_path(message_id)

    def _show_path(self, through_id: int) -> None:
        leaf_id = self.tree.newest_leaf(through_id)
        self._change(leaf_id=leaf_id)
        self._ask(lambda stores, chat_id: stores.chats.set_leaf(chat_id, leaf_id))
        self.path_changed.emit()
        self._recount()

    def training(self) -> TrainingSource:
        """Its marked answers, and those of all chats, as training data."""
        return marked_answers(self._archive, self.chat.id)

    def mark(self, message_id: int, mark: Mark | None) -> None:
        """Say of an answer that it is good or bad; None takes that back."""
        message = self.tree[message_id]
        if message.role is Role.ASSISTANT and message.state is not MessageState.STREAMING:
            self.tree.put(dataclasses.replace(message, mark=mark))
            self._ask(lambda stores, _chat_id: stores.marks.set(message_id, mark))

    def set_system_prompt(self, text: str) -> None:
        """Change the system prompt; the very next reply uses it."""
        text = clean(text)
        if text == self.chat.system_prompt or not self.ready:
            return
        self._change(system_prompt=text)
        self._ask(lambda stores, chat_id: stores.chats.set_system_prompt(chat_id, text))
        self._recount()

    def use_prompt(self, text: str, version: str) -> None:
        """Take the system prompt from a version, named by its hash; "" for a text that comes from none."""
        text = clean(text)
        if (text, version) == (self.chat.system_prompt, self.chat.prompt_version) or not self.ready:
            return
        self._change(system_prompt=text, prompt_version=version)

        def work(stores: Stores, chat_id: int) -> None:
            with stores.together():
                stores.chats.set_system_prompt(chat_id, text)
                stores.chats.set_prompt_version(chat_id, version)

        self._ask(work)
        self._recount()

    def follow_default(self) -> None:
        """The model has another default system prompt: a chat in which nothing was done yet begins with that."""
        if self._record.begun:
            return
        prompt = self._preferences.model_prompt(self.chat.model_id)
        version = self._preferences.model_prompt_version(self.chat.model_id)
        if (prompt, version) != (self.chat.system_prompt, self.chat.prompt_version):
            self._change(system_prompt=prompt, prompt_version=version)
            self._recount()

    def set_variable(self, name: str, value: str | None) -> None:
        """Give a variable of the system prompt a value; None goes back to its default."""
        left = {known: text for known, text in self.chat.variables.items() if known != name}
        self._set_variables(left if value is None else {**left, name: clean(value)})

    def forget_moment(self) -> None:
        """Let date and time be those of the next message."""
        moment = (prompt_variables.DATE, prompt_variables.TIME)
        self._set_variables({name: text for name, text in self.chat.variables.items() if name not in moment})

    def _set_variables(self, values: Mapping[str, str]) -> None:
        if values == self.chat.variables or not self.ready:
            return
        self._change(variables=values)
        self._ask(lambda stores, chat_id: stores.chats.set_variables(chat_id, values))
        self._recount()

    def set_override(self, key: str, value: Any) -> None:
        """Change a setting of sampling, or of the full context, for this chat alone.

        What the model has anyway is no change, and is not kept as one.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        group = Sampling if key in declared(Sampling) else Overflow
        checked = declared(group)[key].checked(value)
        if checked == getattr(self._preferences.resolved(group, self.chat.model_id).values, key):
            self.clear_override(key)
        else:
            self._set_overrides({**self.chat.overrides, key: checked})

    def clear_override(self, key: str) -> None:
        """Go back to the model's value."""
        self._set_overrides({known: value for known, value in self.chat.overrides.items() if known != key})

    def set_model(self, model_id: str) -> None:
        """Let another model answer from now on. An untouched system prompt follows the model's default."""
        if model_id == self.chat.model_id or not self.ready:
            return
        old = self.chat
        prompt, version = old.system_prompt, old.prompt_version
        if not self.path() and prompt == self._preferences.model_prompt(old.model_id):
            prompt = self._preferences.model_prompt(model_id)
            version = self._preferences.model_prompt_version(model_id)
        self._change(model_id=model_id, system_prompt=prompt, prompt_version=version)

        def work(stores: Stores, chat_id: int) -> None:
            with stores.together():
                stores.chats.set_model(chat_id, model_id)
                stores.chats.set_system_prompt(chat_id, prompt)
                stores.chats.set_prompt_version(chat_id, version)

        self._ask(work)
        self._models.prepare(model_id)
        self._recount()

    def set_draft(self, text: str) -> None:
        """Keep what is typed but not sent."""
        self._draft.type(text)

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

    # --- keeping it -------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        chat_id = self.chat.id

        def work(stores: Stores) -> tuple[Chat, Sequence[Message], str]:
            return stores.chats.chat(chat_id), stores.chats.messages(chat_id), stores.chats.draft(chat_id)

        self._archive.ask(work, self._loaded, self._not_kept)

    def _loaded(self, result: tuple[Chat, Sequence[Message], str]) -> None:
        self.chat, messages, self._draft.text = result
        self.tree = MessageTree(messages)
        self.ready = True
        self.chat_changed.emit()
        self.loaded.emit()
        self._recount()

    def _set_overrides(self, overrides: Mapping[str, Any]) -> None:
        if not self.ready:
            return
        known = self.chat.overrides
        self._change(overrides=overrides)
        if overrides != known:
            self._ask(lambda stores, chat_id: stores.chats.set_overrides(chat_id, overrides))

    def _save_draft(self, draft: str) -> None:
        if not self.ready or (self.chat.id == 0 and not draft.strip()):
            return
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

    def _as_sent(self) -> Chat:
        """The chat with its system prompt as the model reads it."""
        return dataclasses.replace(self.chat, system_prompt=self.filled().text)

    # --- counting ---------------------------------------------------------------------------------------------------

    def _recount(self) -> None:
        if self.ready and not self.busy:
            self._meter.count(self._as_sent(), self.path())

    def _model_settings_changed(self, model_id: str) -> None:
        if model_id == self.chat.model_id:
            self.chat_changed.emit()

    def _model_state_changed(self, model_id: str) -> None:
        if model_id == self.chat.model_id:
            self._recount()

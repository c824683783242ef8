"""All chats: the list, search, the trash, and the sessions that are open."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.chat import Chat, ChatRow, Message
from app.core.errors import AppError
from app.core.lab import Contestant
from app.core.prompt_variables import BUILT_IN
from app.core.text import clean
from app.services.archive import Archive
from app.services.chat_record import UNTITLED, keep_conversation, title_from
from app.services.chat_session import ChatSession
from app.services.comparison import Comparison
from app.services.comparison_record import ComparisonRecord
from app.services.model_manager import ModelManager
from app.services.model_sums import Fill
from app.services.notice import Notice
from app.services.origins import Origins
from app.services.preferences import Preferences
from app.storage.model_sums import unsummed
from app.storage.remembered import LAST_CHAT, LAST_MODEL
from app.storage.stores import Stores

_REFRESH_MS = 50
_OPEN_CHATS = 8
"""So many chats stay in memory; going back to one of them shows it at once."""


class Library(QObject):
    """The saved chats and the open ones. Lives in the GUI thread.

    Signals:
        chats_changed(): the list is another one.
        found(str, tuple): the query and its hits (chat_id, title, snippet).
        notice(Notice): something to tell that belongs to no open chat.
        exported(str): a chat was written to this file.
        kept(int): a conversation from elsewhere is the chat of this id now, and listed.
        trash_listed(tuple): the chats in the trash, last deleted first.
    """

    chats_changed = Signal()
    found = Signal(str, tuple)
    notice = Signal(object)
    exported = Signal(str)
    kept = Signal(int)
    trash_listed = Signal(tuple)

    def __init__(
        self,
        archive: Archive[Stores],
        models: ModelManager,
        preferences: Preferences,
        chats: Sequence[ChatRow],
        last_chat_id: int | None,
        last_model_id: str,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._archive = archive
        self._models = models
        self._preferences = preferences
        self._chats = tuple(chats)
        self._last_chat_id = last_chat_id
        self._last_model_id = last_model_id
        self._sessions: dict[int, ChatSession] = {}
        self._deleted: set[int] = set()
        self._fresh: ChatSession | None = None
        self._refresh_timer = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._refresh_timer.timeout.connect(self._refresh)
        self._kept_columns: ComparisonRecord | None = None
        self._told: set[Notice] = set()
        self.origins = Origins(archive, models, self)
        """What tells of any answer what made it."""
        models.state_changed.connect(self._model_changed)
        preferences.model_settings_changed.connect(self._default_changed)
        archive.failed.connect(self._failed)

    def chats(self) -> tuple[ChatRow, ...]:
        """Pinned ones first, then the newest first."""
        return self._chats

    def last_chat_id(self) -> int | None:
        """The chat that was open when the app was last used, if it is still there."""
        return self._last_chat_id if any(chat.id == self._last_chat_id for chat in self._chats) else None

    @property
    def last_model_id(self) -> str:
        """The model used last, else the one that comes with the app."""
        known = {entry.id for entry in self._models.entries()}
        return self._last_model_id if self._last_model_id in known else self._models.default_id

    def new_chat(self, model_id: str = "") -> ChatSession:
        """An empty chat with its model's default system prompt; the one that is still empty, if there is one."""
        model_id = model_id or self.last_model_id
        fresh = self._fresh
        if fresh is not None and fresh.chat.id == 0 and not fresh.busy:
            if fresh.chat.model_id != model_id:
                fresh.set_model(model_id)
            return fresh
        prompt = self._preferences.model_prompt(model_id)
        version = self._preferences.model_prompt_version(model_id)
        session = self._open(Chat(0, UNTITLED, model_id, system_prompt=prompt, prompt_version=version))
        self._fresh = session
        return session

    def keep_conversation(self, chat: Chat, exchanges: Sequence[tuple[str, Message]]) -> None:
        """Make a chat of a conversation held elsewhere, questions with their answers; answers with `kept`."""

        def listed(chat_id: int, chats: tuple[ChatRow, ...]) -> None:
            self._listed(chats)
            self.kept.emit(chat_id)

        named = chat if chat.title else dataclasses.replace(chat, title=title_from(exchanges[0][0]))

        def work(stores: Stores) -> tuple[int, tuple[ChatRow, ...]]:
            return keep_conversation(stores, named, exchanges), tuple(stores.chats.rows())

        self._archive.ask(work, lambda result: listed(*result))

    def new_chat_like(self, other: ChatSession, draft: str) -> ChatSession:
        """An empty chat with another's model, system prompt and settings; `draft` stands in its composer, unsent."""
        chat = other.chat
        session = self.new_chat(chat.model_id)
        session.use_prompt(chat.system_prompt, chat.prompt_version)
        for name, text in chat.variables.items():
            if name not in BUILT_IN:
                session.set_variable(name, text)
        for key, value in chat.overrides.items():
            session.set_override(key, value)
        session.set_draft(draft if not session.draft.strip() else f"{draft}\n\n{session.draft}")
        return session

    def comparison(self, model_id: str, first: Sequence[Contestant]) -> Comparison:
        """The columns that were compared last, to be asked by this model; `first` where there were none."""
        made = Comparison(self._models, self._preferences, model_id, self)
        self._kept_columns = ComparisonRecord(made, self._archive, tuple(first))
        return made

    def session(self, chat_id: int) -> ChatSession | None:
        """An open chat; opening it again gives the same session, with a reply that may still be growing.

        None where the chat was deleted, as by the time a hit of a search is chosen; a notice says so.
        """
        row = next((row for row in self._chats if row.id == chat_id), None)
        if chat_id in self._deleted or (row is None and chat_id not in self._sessions):
            hint = "Deleted chats can be brought back for 30 days, in the settings."
            self.notice.emit(Notice("This chat is gone", "It was deleted.", hint, "warning"))
            return None
        if chat_id in self._sessions:
            self._sessions[chat_id] = self._sessions.pop(chat_id)  # the one used last stands last
            self._close_old()
            return self._sessions[chat_id]
        assert row is not None
        session = self._open(Chat(row.id, row.title, row.model_id, pinned=row.pinned, updated_ms=row.updated_ms))
        self._sessions[chat_id] = session
        self._close_old()
        return session

    def _close_old(self) -> None:
        """Let go of chats that were not looked at lately: each holds all its messages in memory."""
        for chat_id in list(self._sessions)[:-_OPEN_CHATS]:
            if not self._sessions[chat_id].busy:
                session = self._sessions.pop(chat_id)
                session.flush()
                session.deleteLater()

    def opened(self, session: ChatSession) -> None:
        """Remember which chat and model are on screen."""
        self._last_chat_id = session.chat.id or None
        self._last_model_id = session.chat.model_id
        chat_id, model_id = self._last_chat_id, self._last_model_id

        def work(stores: Stores) -> None:
            stores.state.set(LAST_CHAT, chat_id)
            stores.state.set(LAST_MODEL, model_id)

        self._archive.ask(work)

    def rename(self, chat_id: int, title: str) -> None:
        """Give a chat a title of the person's own; an empty one changes nothing."""
        title = clean(title).strip()
        if (session := self._sessions.get(chat_id)) and session.ready:
            session.rename(title)
        elif title:
            self._archive.ask(lambda stores: stores.chats.rename(chat_id, title), lambda _: self._refresh())

    def set_pinned(self, chat_id: int, pinned: bool) -> None:
        """Keep a chat at the top of the list, or not."""
        if (session := self._sessions.get(chat_id)) and session.ready:
            session.set_pinned(pinned)
        else:
            self._archive.ask(lambda stores: stores.chats.pin(chat_id, pinned), lambda _: self._refresh())

    def delete(self, chat_id: int) -> None:
        """Put a chat in the trash; the notice that says so can undo it."""
        listed = next((chat for chat in self._chats if chat.id == chat_id), None)
        # a chat just begun may not be in the list yet
        session = self._sessions.get(chat_id)
        chat = session.chat if session is not None else listed
        if chat is None:
            return
        if session is not None:
            session.stop()
        self._deleted.add(chat_id)
        self._chats = tuple(other for other in self._chats if other.id != chat_id)
        self.chats_changed.emit()
        self._archive.ask(lambda stores: stores.chats.trash(chat_id))
        self._models.drop_conversation(chat_id)
        undo = ("Undo", lambda: self.restore(chat_id))
        self.notice.emit(Notice(f"“{chat.title}” was deleted", actions=(undo,)))

    def restore(self, chat_id: int) -> None:
        """Take a chat out of the trash."""
        self._deleted.discard(chat_id)
        self._archive.ask(lambda stores: stores.chats.restore(chat_id), lambda _: self._refresh())

    def list_trash(self) -> None:
        """Ask what is in the trash; answers with `trash_listed`."""
        self._archive.ask(lambda stores: tuple(stores.chats.rows(trashed=True)), self.trash_listed.emit)

    def purge(self, chat_id: int) -> None:
        """Delete a chat that is in the trash for good."""
        if (session := self._sessions.pop(chat_id, None)) is not None:
            session.deleteLater()
        self._archive.ask(lambda stores: stores.chats.purge(chat_id), lambda _: self.list_trash())

    def search(self, query: str) -> None:
        """Look for words in titles and messages; answers with `found`."""
        if not query.strip():
            self.found.emit(query, ())
            return
        self._archive.ask(lambda stores: tuple(stores.chats.search(query)), lambda hits: self.found.emit(query, hits))

    def export_chat(self, chat_id: int, path: str) -> None:
        """Write a chat to a file: Markdown, or JSON if the name ends so; answers with `exported`."""
        bundled = self.origins.bundled

        def write(_fill: Fill) -> None:
            self._archive.ask(
                lambda stores: stores.export(chat_id, Path(path), bundled), lambda _: self.exported.emit(path)
            )

        self._archive.ask(
            lambda stores: unsummed(message.provenance for message in stores.chats.messages(chat_id)),
            lambda made: self.origins.sums_first(made, write, self.notice.emit),
        )

    def flush(self) -> None:
        """Hand everything unsaved to the storage lane; before the program ends."""
        for session in (*self._sessions.values(), *([self._fresh] if self._fresh else [])):
            session.flush()
        if self._kept_columns is not None:
            self._kept_columns.flush()
        self.origins.close()

    def _open(self, chat: Chat) -> ChatSession:
        session = ChatSession(chat, self._archive, self._models, self._preferences, self)
        session.origins = self.origins
        session.saved.connect(lambda: self._saved(session))
        session.chat_changed.connect(lambda: self._changed(session))
        return session

    def _saved(self, session: ChatSession) -> None:
        chat_id = session.chat.id
        if chat_id and chat_id not in self._sessions:
            self._sessions[chat_id] = session
            if self._fresh is session:
                self._fresh = None
                self.opened(session)
        self._refresh_timer.start()

    def _changed(self, session: ChatSession) -> None:
        """Show a new title or pin in the list at once; the order follows from the database."""
        chat = session.chat
        self._chats = tuple(
            dataclasses.replace(old, title=chat.title, pinned=chat.pinned, model_id=chat.model_id)
            if old.id == chat.id
            else old
            for old in self._chats
        )

    def _default_changed(self, model_id: str) -> None:
        """A new chat starts from the default, also the one that is empty on screen."""
        if self._fresh is not None and self._fresh.chat.model_id == model_id:
            self._fresh.follow_default()

    def _model_changed(self, model_id: str) -> None:
        """Tell what a loaded model had to say, once for as long as the program runs."""
        facts = self._models.state(model_id).facts
        if facts is None or not facts.notices:
            return
        notice = Notice(f"{facts.name} is loaded", " ".join(facts.notices), level="warning")
        if notice not in self._told:
            self._told.add(notice)
            self.notice.emit(notice)

    def _refresh(self) -> None:
        self._archive.ask(lambda stores: tuple(stores.chats.rows()), self._listed)

    def _listed(self, chats: tuple[ChatRow, ...]) -> None:
        self._chats = chats
        self.chats_changed.emit()

    def _failed(self, error: AppError) -> None:
        self.notice.emit(Notice.of(error))

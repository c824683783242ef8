"""Chats and their messages in the database: what is sent is kept, and what is deleted is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.core.chat import TRASH_DAYS, Chat, ChatRow, Message, MessageState, Provenance
from app.core.errors import StorageError
from app.core.role import Role
from app.core.search import Found
from app.core.text import clean
from app.storage import chat_prompts
from app.storage.backups import Backups, forget_rows
from app.storage.chat_search import search
from app.storage.database import Database, Row
from app.storage.marks import with_marks
from app.storage.replies import Wordings, parse_details, save_answer, unpack
from app.storage.trouble import told

_LONGEST_SEARCH = 400
# looked up, not called: a chat may have ten thousand of them
_ROLES = {str(role): role for role in Role}
_STATES = {str(state): state for state in MessageState}
_ROW = "id, title, model_id, pinned, updated_ms, deleted_ms"
_NEXT_ACTIVITY = "(SELECT coalesce(max(activity), 0) + 1 FROM chat)"


def now_ms() -> int:
    """The clock on the wall, in milliseconds since 1970. It may jump: nothing is ordered by it."""
    return time.time_ns() // 1_000_000


class ChatStore:
    """All chats. Each call is one transaction and is on the disk when it returns.

    Every method may raise StorageError; texts may hold anything and are cleaned first.

    Args:
        backups: where copies lie from which deleted chats have to go too, if there are any.
        clock: milliseconds since 1970.
    """

    def __init__(
        self, database: Database, backups: Backups | None = None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        self._database = database
        self._backups = backups
        self._clock = clock

    # Chats

    def create(
        self,
        model_id: str,
        *,
        title: str = "",
        system_prompt: str = "",
        overrides: Mapping[str, Any] | None = None,
        prompt_version: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> Chat:
        """A new chat without messages, at the top of the list."""
        now = self._clock()
        with self._database.transaction():
            chat_id = self._database.insert(
                "INSERT INTO chat (title, model_id, system_prompt, overrides, activity, created_ms, updated_ms)"
                f" VALUES (?, ?, ?, ?, {_NEXT_ACTIVITY}, ?, ?)",
                clean(title),
                clean(model_id),
                clean(system_prompt),
                _overrides_text(overrides or {}),
                now,
                now,
            )
            if prompt_version:
                self.set_prompt_version(chat_id, prompt_version)
            if variables:
                self.set_variables(chat_id, variables)
        return self.chat(chat_id)

    def chat(self, chat_id: int) -> Chat:
        """One chat, in the trash or not."""
        found = self._database.row(
            "SELECT id, title, model_id, system_prompt, overrides, pinned, titled_by_person, leaf_id, created_ms,"
            f" updated_ms, deleted_ms, {chat_prompts.COLUMNS} FROM chat WHERE id = ?",
            chat_id,
        )
        if found is None:
            raise _no_chat()
        values = list(found)
        values[4], values[5], values[6] = _overrides(found[4]), bool(found[5]), bool(found[6])
        values[12] = chat_prompts.variables(found[12])
        return Chat(*values)

    def rows(self, *, trashed: bool = False) -> list[ChatRow]:
        """The list of chats: pinned ones first, then those last written in; or the trash, last deleted first."""
        order = "deleted_ms DESC, activity DESC" if trashed else "pinned DESC, activity DESC"
        wanted = "NOT NULL" if trashed else "NULL"
        found = self._database.rows(f"SELECT {_ROW} FROM chat WHERE deleted_ms IS {wanted} ORDER BY {order}")
        return [chat_row(row) for row in found]

    def rename(self, chat_id: int, title: str, *, by_person: bool = True) -> None:
        """Give a title. One made by the app never replaces one that a person gave."""
        guard = "" if by_person else " AND titled_by_person = 0"
        changed = self._database.run(
            f"UPDATE chat SET title = ?, titled_by_person = ? WHERE id = ?{guard}", clean(title), by_person, chat_id
        )
        if not changed:
            self.chat(chat_id)

    def pin(self, chat_id: int, pinned: bool) -> None:
        """Hold a chat at the top of the list, or let it go."""
        self._set(chat_id, "pinned", int(pinned))

    def set_model(self, chat_id: int, model_id: str) -> None:
        """Answer with another model from now on."""
        self._set(chat_id, "model_id", clean(model_id))

    def set_system_prompt(self, chat_id: int, text: str) -> None:
        """Use another system prompt from the next reply on."""
        self._set(chat_id, "system_prompt", clean(text))

    def set_prompt_version(self, chat_id: int, version: str) -> None:
        """Say which version the system prompt comes from, by its hash; "" for none."""
        with self._database.transaction():
            self._check_parent(chat_id, None)
            chat_prompts.set_version(self._database, chat_id, version, self._clock())

    def set_variables(self, chat_id: int, values: Mapping[str, str]) -> None:
        """Replace all values for the variables of its system prompt."""
        with self._database.transaction():
            self._check_parent(chat_id, None)
            chat_prompts.set_variables(self._database, chat_id, values)

    def set_overrides(self, chat_id: int, overrides: Mapping[str, Any]) -> None:
        """Replace all settings that differ from the model's in this chat."""
        self._set(chat_id, "overrides", _overrides_text(overrides))

    def set_leaf(self, chat_id: int, message_id: int | None) -> None:
        """Show the path that ends at this message."""
        with self._database.transaction():
            self._check_parent(chat_id, message_id)
            self._set(chat_id, "leaf_id", message_id)

    def trash(self, chat_id: int) -> None:
        """Put a chat into the trash; it can be restored for 30 days."""
        self._set(chat_id, "deleted_ms", self._clock())

    def restore(self, chat_id: int) -> None:
        """Take a chat out of the trash."""
        self._set(chat_id, "deleted_ms", None)

    def purge(self, chat_id: int) -> None:
        """Delete a chat for good: from the file, its log and the copies."""
        self._purge([chat_id])

    def purge_old(self) -> int:
        """Delete for good what has been in the trash for 30 days; how many chats that were."""
        limit = self._clock() - TRASH_DAYS * 24 * 3600 * 1000
        old = self._database.rows("SELECT id FROM chat WHERE deleted_ms < ?", limit)
        if old:
            self._purge([chat_id for (chat_id,) in old])
        return len(old)

    # Messages

    def messages(self, chat_id: int) -> list[Message]:
        """All messages of a chat, every version, in the order they came."""
        wordings = Wordings(self._database, chat_id)
        found = self._database.rows(
            "SELECT m.id, m.parent_id, m.role, m.text, m.state, m.created_ms, a.token_ids, a.prompt_id, a.setup_id,"
            " a.details FROM message AS m LEFT JOIN answer AS a ON a.message_id = m.id"
            " WHERE m.chat_id = ? ORDER BY m.id",
            chat_id,
        )
        details = zip(found, parse_details([row[-1] for row in found]), strict=True)
        read = [self._message(chat_id, row, wordings, more) for row, more in details]
        return with_marks(self._database, chat_id, read)

    def add_turn(
        self, chat_id: int, parent_id: int | None, text: str, *, clear_draft: bool = True
    ) -> tuple[Message, Message]:
        """Keep what the person sent, with the empty reply that will grow, and show that path; all in one.

        An edited question is a new turn under the old one's parent.
        """
        with self._database.transaction():
            self._check_parent(chat_id, parent_id)
            user = self._insert(chat_id, parent_id, Role.USER, MessageState.DONE, clean(text))
            reply = self._insert(chat_id, user.id, Role.ASSISTANT, MessageState.STREAMING, "")
            self._moved_on(chat_id, reply.id)
            if clear_draft:
                self._database.run("DELETE FROM draft WHERE chat_id = ?", chat_id)
        return user, reply

    def add_reply(self, chat_id: int, parent_id: int) -> Message:
        """One more empty reply to a message, beside those it has, and show it."""
        with self._database.transaction():
            self._check_parent(chat_id, parent_id)
            reply = self._insert(chat_id, parent_id, Role.ASSISTANT, MessageState.STREAMING, "")
            self._moved_on(chat_id, reply.id)
        return reply

    def reopen(self, message_id: int) -> Message:
        """Let an ended reply grow on: what it has stays, and chunks come after it."""
        with self._database.transaction():
            changed = self._database.run(
                "UPDATE message SET state = 'streaming' WHERE id = ? AND role = 'assistant' AND state <> 'streaming'",
                message_id,
            )
            if not changed:
                raise _not_growing()
            # ids of a part of the text are no use, and would pass for those of all of it
            self._database.run("UPDATE answer SET token_ids = x'' WHERE message_id = ?", message_id)
        chat_id, parent_id, role, text, created_ms = self._message_columns(message_id)
        return Message(message_id, chat_id, parent_id, Role(role), text, MessageState.STREAMING, created_ms)

    def take_back(self, chat_id: int, message_ids: Sequence[int], leaf_id: int | None) -> None:
        """Take out messages that nothing follows, such as a question too long to be sent, and show another path."""
        with self._database.transaction():
            for message_id in sorted(message_ids, reverse=True):
                if self._database.row("SELECT 1 FROM message WHERE parent_id = ? AND chat_id = ?", message_id, chat_id):
                    raise ValueError(f"message {message_id} has others after it")
                self._database.run("DELETE FROM message WHERE id = ? AND chat_id = ?", message_id, chat_id)
            self.set_leaf(chat_id, leaf_id)

    def append_chunk(self, message_id: int, text: str) -> None:
        """Keep the next piece of a growing reply."""
        added = self._database.run(
            "INSERT INTO chunk (message_id, text) SELECT id, ? FROM message WHERE id = ? AND state = 'streaming'",
            clean(text),
            message_id,
        )
        if not added:
            raise _not_growing()

    def finish(
        self,
        message_id: int,
        state: MessageState,
        text: str | None = None,
        token_ids: Sequence[int] = (),
        provenance: Provenance | None = None,
    ) -> Message:
        """End a growing reply in any state but STREAMING.

        Args:
            message_id: the reply.
            state: how it ended.
            text: the whole reply; when left out, what the chunks hold.
            token_ids: the ids generated, each 0 to 2**32 - 1.
            provenance: how the reply came about.
        """
        if state is MessageState.STREAMING:
            raise ValueError("a reply cannot end as still streaming")
        with self._database.transaction():
            whole = self._joined(message_id) if text is None else clean(text)
            changed = self._database.run(
                "UPDATE message SET text = ?, state = ? WHERE id = ? AND state = 'streaming'", whole, state, message_id
            )
            if not changed:
                raise _not_growing()
            self._database.run("DELETE FROM chunk WHERE message_id = ?", message_id)
            save_answer(self._database, message_id, token_ids, provenance)
        chat_id, parent_id, role, _, created_ms = self._message_columns(message_id)
        return Message(
            message_id, chat_id, parent_id, Role(role), whole, state, created_ms, tuple(token_ids), provenance
        )

    def recover(self) -> int:
        """At the start, before anything streams: replies that were cut off keep what had come; how many there were."""
        with self._database.transaction():
            cut_off = self._database.rows("SELECT id FROM message WHERE state = 'streaming'")
            for (message_id,) in cut_off:
                self.finish(message_id, MessageState.INTERRUPTED)
        return len(cut_off)

    def search(self, typed: str, limit: int = 50) -> list[Found]:
        """Chats with all these words in their title or in one message, the last word as far as it is typed.

        Titles come first, then the newest messages; each chat once. Anything may be typed.
        """
        return search(self._database, clean(typed)[:_LONGEST_SEARCH], limit)

    # Drafts

    def save_draft(self, chat_id: int, text: str) -> None:
        """Keep what stands unsent in a chat's composer; chat 0 is the one not begun yet."""
        if text:
            self._database.run("INSERT OR REPLACE INTO draft (chat_id, text) VALUES (?, ?)", chat_id, clean(text))
        else:
            self._database.run("DELETE FROM draft WHERE chat_id = ?", chat_id)

    def draft(self, chat_id: int) -> str:
        """What stood unsent in a chat's composer."""
        found = self._database.row("SELECT text FROM draft WHERE chat_id = ?", chat_id)
        return found[0] if found else ""

    def _purge(self, chat_ids: Sequence[int]) -> None:
        # copies first: cut off in between, the chat is still there to be deleted again
        dropped = self._backups is not None and self._backups.forget_chats(chat_ids)
        with told():
            forget_rows(self._database.connection, chat_ids)
        self._database.empty_journal()
        if dropped and self._backups is not None:
            self._backups.make(self._database.connection)

    def _set(self, chat_id: int, column: str, value: Any) -> None:
        if not self._database.run(f"UPDATE chat SET {column} = ? WHERE id = ?", value, chat_id):
            raise _no_chat()

    def _check_parent(self, chat_id: int, parent_id: int | None) -> None:
        if self._database.row("SELECT 1 FROM chat WHERE id = ?", chat_id) is None:
            raise _no_chat()
        if parent_id is not None and not self._database.row(
            "SELECT 1 FROM message WHERE id = ? AND chat_id = ?", parent_id, chat_id
        ):
            raise ValueError(f"message {parent_id} is not in chat {chat_id}")

    def _insert(self, chat_id: int, parent_id: int | None, role: Role, state: MessageState, text: str) -> Message:
        now = self._clock()
        message_id = self._database.insert(
            "INSERT INTO message (chat_id, parent_id, role, state, created_ms, text) VALUES (?, ?, ?, ?, ?, ?)",
            chat_id,
            parent_id,
            role,
            state,
            now,
            text,
        )
        return Message(message_id, chat_id, parent_id, role, text, state, now)

    def _moved_on(self, chat_id: int, leaf_id: int) -> None:
        self._database.run(
            f"UPDATE chat SET leaf_id = ?, updated_ms = ?, activity = {_NEXT_ACTIVITY} WHERE id = ?",
            leaf_id,
            self._clock(),
            chat_id,
        )

    def _joined(self, message_id: int) -> str:
        parts = self._database.rows(
            "SELECT text FROM (SELECT 0 AS place, text FROM message WHERE id = ?1"
            " UNION ALL SELECT id, text FROM chunk WHERE message_id = ?1) ORDER BY place",
            message_id,
        )
        return "".join(text for (text,) in parts)

    def _message_columns(self, message_id: int) -> Row:
        found = self._database.row(
            "SELECT chat_id, parent_id, role, text, created_ms FROM message WHERE id = ?", message_id
        )
        if found is None:
            raise _no_chat()
        return found

    def _message(self, chat_id: int, row: Row, wordings: Wordings, details: Mapping[str, Any]) -> Message:
        message_id, parent_id, role, text, state, created_ms, blob, prompt_id, setup_id, _ = row
        if state == "streaming":
            text = self._joined(message_id)
        return Message(
            message_id,
            chat_id,
            parent_id,
            _ROLES[role],
            text,
            _STATES[state],
            created_ms,
            unpack(blob) if blob else (),
            wordings.provenance(prompt_id, setup_id, details),
        )


def chat_row(row: Row) -> ChatRow:
    """A row of the list from its columns."""
    chat_id, title, model_id, pinned, updated_ms, deleted_ms = row
    return ChatRow(chat_id, title, model_id, bool(pinned), updated_ms, deleted_ms)


def _overrides_text(overrides: Mapping[str, Any]) -> str:
    return clean(json.dumps(dict(overrides), ensure_ascii=False, sort_keys=True))


def _overrides(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _no_chat() -> StorageError:
    return StorageError("This chat is gone", "It was deleted.", "Choose another chat or start a new one.")


def _not_growing() -> StorageError:
    return StorageError("This reply has ended already", "Nothing can be added to it.", "Ask for a new one.")

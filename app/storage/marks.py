"""What the person thinks of answers, beside the messages: good or bad."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from app.core.chat import Mark, Message
from app.storage.database import Database

_MARKS = (Mark.BAD, Mark.GOOD)


class MarkStore:
    """All marks. Each call is one transaction and is on the disk when it returns.

    Every method may raise StorageError. `clock`: milliseconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def set(self, message_id: int, mark: Mark | None) -> None:
        """Mark an answer, or take its mark back; of a message that is gone nothing is kept."""
        if mark is None:
            self._database.run("DELETE FROM mark WHERE message_id = ?", message_id)
        else:
            self._database.run(
                "INSERT OR REPLACE INTO mark (message_id, good, at_ms) SELECT id, ?, ? FROM message WHERE id = ?",
                _MARKS.index(mark),
                self._clock(),
                message_id,
            )

    def marked_chats(self) -> list[int]:
        """The chats that have a marked answer and are not in the trash."""
        return [
            chat_id
            for (chat_id,) in self._database.rows(
                "SELECT DISTINCT chat_id FROM mark JOIN message ON message.id = message_id"
                " JOIN chat ON chat.id = chat_id WHERE deleted_ms IS NULL ORDER BY chat_id"
            )
        ]


def with_marks(database: Database, chat_id: int, messages: list[Message]) -> list[Message]:
    """A chat's messages with what the person thinks of them."""
    marks: dict[int, int] = dict(
        database.rows(
            "SELECT message_id, good FROM mark JOIN message ON message.id = message_id WHERE chat_id = ?", chat_id
        )
    )
    if not marks:
        return messages
    return [
        dataclasses.replace(message, mark=_MARKS[marks[message.id]]) if message.id in marks else message
        for message in messages
    ]

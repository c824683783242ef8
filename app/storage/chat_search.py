"""Finds chats by what stands in them: by words through the index, and sign for sign where words do not help."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from app.core.search import MARK_END, MARK_START, Found, cut_out, index_query, marked, pieces
from app.storage.database import Database

_MOST_LOOKED_AT = 20_000
"""Hits read at most, so that a letter found everywhere does not hold up what comes after it."""


def search(database: Database, typed: str, limit: int) -> list[Found]:
    """See ChatStore.search; `typed` is clean."""
    parts = pieces(typed)
    if not parts:
        return []
    query = index_query(typed)
    in_titles = _titles_by_words(database, query, limit) if query else _titles_by_signs(database, parts, limit)
    found = list(in_titles)
    known = {hit.chat_id for hit in found}
    hits = _messages_by_words(database, query) if query else _messages_by_signs(database, parts)
    with closing(hits):
        for looked_at, (message_id, chat_id, title, text) in enumerate(hits):
            if len(found) >= limit or looked_at >= _MOST_LOOKED_AT:
                break
            if chat_id not in known:
                known.add(chat_id)
                line, marks = cut_out(text, parts) if text else _snippet(database, query, message_id)
                found.append(Found(chat_id, title, message_id, line, marks))
    return found


Hits = Generator[tuple[Any, ...], None, None]


def _titles_by_words(database: Database, query: str, limit: int) -> Iterator[Found]:
    for chat_id, title, highlighted in database.rows(
        "SELECT chat.id, chat.title, highlight(title_words, 0, ?, ?) FROM title_words"
        " JOIN chat ON chat.id = title_words.rowid"
        " WHERE title_words MATCH ? AND deleted_ms IS NULL ORDER BY activity DESC LIMIT ?",
        MARK_START,
        MARK_END,
        query,
        limit,
    ):
        yield Found(chat_id, title, None, *marked(highlighted))


def _titles_by_signs(database: Database, parts: list[str], limit: int) -> Iterator[Found]:
    condition = " AND ".join(["title LIKE ? ESCAPE '\\'"] * len(parts))
    for chat_id, title in database.rows(
        f"SELECT id, title FROM chat WHERE {condition} AND deleted_ms IS NULL ORDER BY activity DESC LIMIT ?",
        *map(_anywhere, parts),
        limit,
    ):
        yield Found(chat_id, title, None, *cut_out(title, parts))


def _messages_by_words(database: Database, query: str) -> Hits:
    return database.stream(
        "SELECT message.id, chat_id, title, '' FROM message_words JOIN message ON message.id = message_words.rowid"
        " JOIN chat ON chat.id = chat_id"
        " WHERE message_words MATCH ? AND deleted_ms IS NULL ORDER BY message_words.rowid DESC",
        query,
    )


def _messages_by_signs(database: Database, parts: list[str]) -> Hits:
    condition = " AND ".join(["text LIKE ? ESCAPE '\\'"] * len(parts))
    return database.stream(
        "SELECT message.id, chat_id, title, text FROM message JOIN chat ON chat.id = chat_id"
        f" WHERE {condition} AND state <> 'streaming' AND deleted_ms IS NULL ORDER BY message.id DESC",
        *map(_anywhere, parts),
    )


def _snippet(database: Database, query: str, message_id: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    found = database.row(
        "SELECT snippet(message_words, 0, ?, ?, '…', 12) FROM message_words WHERE message_words MATCH ? AND rowid = ?",
        MARK_START,
        MARK_END,
        query,
        message_id,
    )
    return marked(found[0]) if found else ("", ())


def _anywhere(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

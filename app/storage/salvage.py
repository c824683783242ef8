"""Brings back what can be read of a damaged database, and of its copies what is missing then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from app.core.chat import MessageState
from app.core.lab import CellState, Rater
from app.core.library import DownloadState
from app.core.prompts import hash_of, is_hash
from app.core.role import Role
from app.storage.pages import Pages, Record

_KINDS: Mapping[str, tuple[type, ...]] = {
    "i": (int,),
    "t": (str,),
    "b": (bytes,),
    "n": (type(None),),
    "?": (int, type(None)),
}
# per table its columns in order, then what kind each is in a record; "n" is the id, which a record leaves empty
COLUMNS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "chat": (
        (
            "id",
            "title",
            "model_id",
            "system_prompt",
            "overrides",
            "pinned",
            "titled_by_person",
            "leaf_id",
            "activity",
            "created_ms",
            "updated_ms",
            "deleted_ms",
        ),
        "nttttii?iii?",
    ),
    "message": (("id", "chat_id", "parent_id", "role", "state", "created_ms", "text"), "ni?ttit"),
    "chunk": (("id", "message_id", "text"), "nit"),
    "wording": (("id", "sha256", "text"), "nbt"),
    "answer": (("message_id", "prompt_id", "setup_id", "token_ids", "details"), "n??bt"),
    "draft": (("chat_id", "text"), "nt"),
    "setting": (("scope", "key", "value"), "ttt"),
    "state": (("key", "value"), "tt"),
    "model": (("id", "path", "name", "added_ms", "last_used_ms", "used"), "nttiii"),
    "model_file": (("id", "path", "size_bytes", "mtime_ns", "verified_ms", "noted_ms", "details"), "ntiiiit"),
    "download": (("id", "position", "state", "folder", "wanted", "trouble"), "nitttt"),
    "prompt": (
        ("id", "name", "tags", "note", "current", "created_ms", "updated_ms", "deleted_ms"),
        "nttttii?",
    ),
    "prompt_version": (("id", "prompt_id", "hash", "parent", "created_ms", "note", "text"), "nittitt"),
    "chat_prompt": (("chat_id", "version", "since_ms"), "nti"),
    "chat_variables": (("chat_id", "given", "known"), "ntt"),
    "mark": (("message_id", "good", "at_ms"), "nii"),
    "model_sum": (("id", "path", "size_bytes", "mtime_ns", "sha256", "at_ms"), "ntiiti"),
    "reproduction": (("id", "message_id", "cell_id", "at_ms", "details"), "n??it"),
    "run": (("id", "name", "state", "plan", "cells", "created_ms", "updated_ms", "deleted_ms"), "ntttiii?"),
    "made_by": (("id", "run_id", "sha256", "text"), "nibt"),
    "cell": (
        ("id", "run_id", "contestant", "question", "seed", "state", "made_by_id", "text", "error", "details"),
        "niiiit?ttt",
    ),
    "question_set": (("id", "updated_ms", "name", "questions", "count"), "nitti"),
    "vote": (
        ("id", "run_id", "rater", "question", "seed", "first", "second", "outcome", "at_ms", "words"),
        "nitiiii?it",
    ),
    "judge_error": (("vote_id", "error"), "nb"),
    "column_answer": (
        ("id", "column_at", "number", "question", "state", "text", "token_ids", "made"),
        "niitttbt",
    ),
    "judge_made": (("vote_id", "made_by_id", "details"), "nib"),
}
_ROLES, _STATES, _DOWNLOAD_STATES = frozenset(Role), frozenset(MessageState), frozenset(DownloadState)
_CHOICES: Mapping[str, tuple[int, frozenset[object]]] = {
    "mark": (1, frozenset({0, 1})),
    "run": (2, frozenset({"draft", "running", "paused", "done"})),
    "cell": (5, frozenset({CellState.DONE, CellState.FAILED})),
    "vote": (2, frozenset(Rater)),
    "column_answer": (4, frozenset(MessageState)),
}
"""Tables with a column that holds one of a few values: its place, and the values."""
_MOST_ROWID = 1 << 40
"""No chat will ever have a higher id; a damaged cell may."""
_LOST_TITLE = "Chat without a title"
_LOST_NAME = "Prompt without a name"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How much was brought back."""

    chats: int
    messages: int
    from_copy: bool
    prompts: int = 0


def salvage(damaged: Path, into: apsw.Connection, copies: Iterable[Path] = ()) -> Salvaged:
    """Fill a new, empty database.

    Args:
        damaged: the damaged file, its log beside it. It is only read.
        into: an open database with the newest schema and nothing in it.
        copies: earlier copies, the newest first; the first one that reads fills the gaps.
    """
    with into:
        into.pragma("defer_foreign_keys", 1)
        _insert(into, _rows_of(Pages(damaged)))
        before = into.execute("SELECT (SELECT count(*) FROM chat) + (SELECT count(*) FROM message)").get
        for copy in copies:
            if rows := list(_rows_of(Pages(copy))):
                _insert(into, rows)
                break
        after = into.execute("SELECT (SELECT count(*) FROM chat) + (SELECT count(*) FROM message)").get
        _join_up(into)
        _join_up_prompts(into)
        for table in ("made_by", "cell", "vote"):  # without its plan nobody knows what an answer answers
            into.execute(f"DELETE FROM {table} WHERE run_id NOT IN (SELECT id FROM run)")
        for table in ("judge_error", "judge_made"):
            into.execute(f"DELETE FROM {table} WHERE vote_id NOT IN (SELECT id FROM vote)")
    chats, messages, prompts = (
        int(into.execute(f"SELECT count(*) FROM {table}").get) for table in ("chat", "message", "prompt")
    )
    return Salvaged(chats, messages, after > before, prompts)


def _rows_of(pages: Pages) -> Iterator[tuple[str, Record]]:
    for rowid, record in pages.rows():
        for table, (_, kinds) in COLUMNS.items():
            if fits(kinds, record) and _sensible(table, rowid, record):
                yield table, (rowid, *record[1:]) if kinds[0] == "n" else record
                break


def fits(kinds: str, record: Record) -> bool:
    """Whether a record has columns of these kinds."""
    return len(record) == len(kinds) and all(
        isinstance(value, _KINDS[kind]) for value, kind in zip(record, kinds, strict=True)
    )


def _sensible(table: str, rowid: int, record: Record) -> bool:
    """Whether a row says what such a row can say; rows of other tables may look like it."""
    if not 0 <= rowid < _MOST_ROWID:
        return False
    if table == "message":
        return record[3] in _ROLES and record[4] in _STATES and _is_id(record[1])
    if table == "chat":
        return record[5] in (0, 1) and record[6] in (0, 1)
    if table == "chunk":
        return _is_id(record[1])
    if table == "wording":
        return isinstance(record[1], bytes) and len(record[1]) == 32
    if table == "download":
        return record[2] in _DOWNLOAD_STATES
    if table == "prompt_version":
        return _is_id(record[1]) and is_hash(str(record[2]))
    if table == "chat_prompt":
        return is_hash(str(record[1]))
    if table == "chat_variables":
        return all(str(text).startswith("{") for text in record[1:])
    if table in _CHOICES:
        place, allowed = _CHOICES[table]
        return record[place] in allowed
    return True


def _is_id(value: object) -> bool:
    return isinstance(value, int) and 0 < value < _MOST_ROWID


def _insert(into: apsw.Connection, rows: Iterable[tuple[str, Record]]) -> None:
    for table, row in rows:
        columns = COLUMNS[table][0]
        places = ", ".join("?" * len(columns))
        into.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({places})", row)


def _join_up(into: apsw.Connection) -> None:
    """Close the gaps: chats whose own row is lost, turns whose parent is lost, what belongs to nothing any more."""
    for statement in (
        "INSERT INTO chat (id, title, model_id, system_prompt, overrides, activity, created_ms, updated_ms)"
        f" SELECT chat_id, '{_LOST_TITLE}', '', '', '{{}}', max(id), min(created_ms), max(created_ms) FROM message"
        " WHERE chat_id NOT IN (SELECT id FROM chat) GROUP BY chat_id",
        "DELETE FROM chunk WHERE message_id NOT IN (SELECT id FROM message WHERE state = 'streaming')",
        "DELETE FROM answer WHERE message_id NOT IN (SELECT id FROM message)",
        "DELETE FROM mark WHERE message_id NOT IN (SELECT id FROM message)",
        "DELETE FROM reproduction WHERE message_id NOT IN (SELECT id FROM message)",
        "DELETE FROM reproduction WHERE cell_id NOT IN (SELECT id FROM cell)",
        "DELETE FROM draft WHERE chat_id <> 0 AND chat_id NOT IN (SELECT id FROM chat)",
        # the turn before in time stands in for a lost one
        "UPDATE message SET parent_id = (SELECT max(other.id) FROM message AS other"
        " WHERE other.chat_id = message.chat_id AND other.id < message.id)"
        " WHERE parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM message AS parent"
        " WHERE parent.id = message.parent_id AND parent.chat_id = message.chat_id AND parent.id < message.id)",
        "UPDATE chat SET leaf_id = (SELECT max(id) FROM message WHERE chat_id = chat.id)"
        " WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.id = leaf_id AND chat_id = chat.id)",
    ):
        into.execute(statement)


def _join_up_prompts(into: apsw.Connection) -> None:
    """Close the gaps in prompts: those whose own row is lost, wordings that are cut, a current version that is lost."""
    rows: list[tuple[Any, ...]] = into.execute(
        "SELECT id, hash, text, parent, note, created_ms FROM prompt_version"
    ).fetchall()
    for row_id, stated, text, parent, note, created_ms in rows:
        real = hash_of(text, parent, note, created_ms)
        if real != stated:  # a part of it is lost; what is left is a version of its own
            into.execute("UPDATE OR IGNORE prompt_version SET hash = ? WHERE id = ?", (real, row_id))
    for statement in (
        "INSERT INTO prompt (id, name, tags, note, current, created_ms, updated_ms)"
        f" SELECT prompt_id, '{_LOST_NAME}', '[]', '', '', min(created_ms), max(created_ms) FROM prompt_version"
        " WHERE prompt_id NOT IN (SELECT id FROM prompt) GROUP BY prompt_id",
        "UPDATE prompt SET current = coalesce((SELECT hash FROM prompt_version WHERE prompt_id = prompt.id"
        " ORDER BY id DESC LIMIT 1), '') WHERE NOT EXISTS"
        " (SELECT 1 FROM prompt_version WHERE prompt_id = prompt.id AND hash = current)",
        "DELETE FROM chat_prompt WHERE chat_id NOT IN (SELECT id FROM chat)",
        "DELETE FROM chat_variables WHERE chat_id NOT IN (SELECT id FROM chat)",
    ):
        into.execute(statement)

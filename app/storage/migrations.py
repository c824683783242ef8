"""The schema, one step at a time: steps are only ever added, and a released one is never edited.

Every table that holds what a person would miss is an ordinary rowid table, and no two have columns of the same kinds:
salvage.py reads such rows straight from the pages of a damaged file.
"""

from __future__ import annotations

from collections.abc import Callable

import apsw

APPLICATION_ID = 0x4F52434E
"""Marks the file as ours: "ORCN"."""


def m001_first(connection: apsw.Connection) -> None:
    """Chats, messages, replies' provenance, search, settings."""
    connection.execute(_M001)


def m002_downloads(connection: apsw.Connection) -> None:
    """The queue of downloads, and what is known of model files."""
    connection.execute(_M002)


def m003_prompts(connection: apsw.Connection) -> None:
    """The person's own system prompts and every version of them."""
    connection.execute(_M003)


def m004_runs(connection: apsw.Connection) -> None:
    """Experiments: their plans, answers and votes."""
    connection.execute(_M004)


def m005_chat_prompts(connection: apsw.Connection) -> None:
    """Which version of a prompt a chat's system prompt comes from."""
    connection.execute(_M005)


def m006_question_sets(connection: apsw.Connection) -> None:
    """Questions that are kept to be asked in one experiment after another."""
    connection.execute(_M006)


def m007_chat_variables(connection: apsw.Connection) -> None:
    """What a chat puts in the places of its system prompt's variables."""
    connection.execute(_M007)


def m008_marks(connection: apsw.Connection) -> None:
    """What the person thinks of answers in chats."""
    connection.execute(_M008)


def m009_provenance(connection: apsw.Connection) -> None:
    """The SHA-256 of model files, and what came of making answers once more."""
    connection.execute(_M009)


def m010_judge_errors(connection: apsw.Connection) -> None:
    """Why a judge said nothing, so that it can be asked once more."""
    connection.execute(_M010)


def m011_judge_made(connection: apsw.Connection) -> None:
    """What made a judge's verdicts."""
    connection.execute(_M011)


def m012_comparison(connection: apsw.Connection) -> None:
    """What was said in the columns of the comparison."""
    connection.execute(_M012)


STEPS: tuple[Callable[[apsw.Connection], None], ...] = (
    m001_first,
    m002_downloads,
    m003_prompts,
    m004_runs,
    m005_chat_prompts,
    m006_question_sets,
    m007_chat_variables,
    m008_marks,
    m009_provenance,
    m010_judge_errors,
    m011_judge_made,
    m012_comparison,
)
NEWEST = len(STEPS)
"""The version of the schema that this program writes."""


def migrate(connection: apsw.Connection, version: int) -> None:
    """Bring the schema from `version` to NEWEST, one transaction a step; stopped anywhere, it goes on from there."""
    for number, step in enumerate(STEPS[version:], start=version + 1):
        with connection:
            step(connection)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", number)


_M001 = """
CREATE TABLE chat (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    model_id TEXT NOT NULL,
    system_prompt TEXT NOT NULL,
    overrides TEXT NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    titled_by_person INTEGER NOT NULL DEFAULT 0 CHECK (titled_by_person IN (0, 1)),
    leaf_id INTEGER,
    activity INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER
) STRICT;
CREATE INDEX chat_activity ON chat (activity);

CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL REFERENCES chat (id) ON DELETE CASCADE,
    parent_id INTEGER,
    role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
    state TEXT NOT NULL CHECK (state IN ('done', 'streaming', 'stopped', 'interrupted', 'failed')),
    created_ms INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX message_chat ON message (chat_id);
CREATE INDEX message_streaming ON message (state) WHERE state = 'streaming';

CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX chunk_message ON chunk (message_id);

CREATE TABLE wording (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE answer (
    message_id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    prompt_id INTEGER,
    setup_id INTEGER,
    token_ids BLOB NOT NULL,
    details TEXT NOT NULL
) STRICT;

CREATE TABLE draft (chat_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE setting (
    scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (scope, key)
) STRICT;
CREATE TABLE state (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
CREATE TABLE model (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    last_used_ms INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;

CREATE VIEW finished_message AS SELECT id, text FROM message WHERE state <> 'streaming';
CREATE VIRTUAL TABLE message_words USING fts5 (
    text, content = 'finished_message', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE title_words USING fts5 (
    title, content = 'chat', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER message_added AFTER INSERT ON message WHEN new.state <> 'streaming' BEGIN
    INSERT INTO message_words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER message_finished AFTER UPDATE OF state, text ON message
WHEN old.state = 'streaming' AND new.state <> 'streaming' BEGIN
    INSERT INTO message_words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER message_reopened AFTER UPDATE OF state ON message
WHEN old.state <> 'streaming' AND new.state = 'streaming' BEGIN
    INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER message_reworded AFTER UPDATE OF state, text ON message
WHEN old.state <> 'streaming' AND new.state <> 'streaming' AND old.text <> new.text BEGIN
    INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO message_words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER message_gone AFTER DELETE ON message WHEN old.state <> 'streaming' BEGIN
    INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER chat_added AFTER INSERT ON chat BEGIN
    INSERT INTO title_words (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER chat_renamed AFTER UPDATE OF title ON chat WHEN old.title <> new.title BEGIN
    INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.id, old.title);
    INSERT INTO title_words (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER chat_gone AFTER DELETE ON chat BEGIN
    INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.id, old.title);
    DELETE FROM draft WHERE chat_id = old.id;
END;
"""

# model_file stands beside model, not in it: rows that a version before wrote can still be read from a damaged file
_M002 = """
CREATE TABLE model_file (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    verified_ms INTEGER NOT NULL,
    noted_ms INTEGER NOT NULL,
    details TEXT NOT NULL
) STRICT;

CREATE TABLE download (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    position INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('queued', 'running', 'verifying', 'waiting', 'paused', 'failed', 'done')
    ),
    folder TEXT NOT NULL,
    wanted TEXT NOT NULL,
    trouble TEXT NOT NULL
) STRICT;
"""

# a version is named by its SHA-256; the same one can be in several prompts, as copies share their beginnings
_M003 = """
CREATE TABLE prompt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    tags TEXT NOT NULL,
    note TEXT NOT NULL,
    current TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER
) STRICT;

CREATE TABLE prompt_version (
    id INTEGER PRIMARY KEY,
    prompt_id INTEGER NOT NULL REFERENCES prompt (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    parent TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    note TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (prompt_id, hash)
) STRICT;
CREATE INDEX prompt_version_hash ON prompt_version (hash);
"""

# a cell that has not ended has no row; what many answers of a run share of how they were made is kept once
_M004 = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'running', 'paused', 'done')),
    plan TEXT NOT NULL,
    cells INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER
) STRICT;

CREATE TABLE made_by (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    sha256 BLOB NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (run_id, sha256)
) STRICT;

CREATE TABLE cell (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    contestant INTEGER NOT NULL,
    question INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'failed')),
    made_by_id INTEGER,
    text TEXT NOT NULL,
    error TEXT NOT NULL,
    details TEXT NOT NULL,
    UNIQUE (run_id, contestant, question, seed)
) STRICT;

CREATE TABLE vote (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    rater TEXT NOT NULL CHECK (rater IN ('person', 'judge')),
    question INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    first INTEGER NOT NULL,
    second INTEGER NOT NULL,
    outcome INTEGER,
    at_ms INTEGER NOT NULL,
    words TEXT NOT NULL
) STRICT;
CREATE INDEX vote_pair ON vote (run_id, question, seed, first, second);
"""

# beside chat, not in it: rows that a version before wrote can still be read from a damaged file
_M005 = """
CREATE TABLE chat_prompt (
    chat_id INTEGER PRIMARY KEY REFERENCES chat (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    since_ms INTEGER NOT NULL
) STRICT;
"""

_M006 = """
CREATE TABLE question_set (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    updated_ms INTEGER NOT NULL,
    name TEXT NOT NULL,
    questions TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;
"""

# `given`: JSON, by name, what the person gave; `known`: JSON, what the app filled in once, as the date
_M007 = """
CREATE TABLE chat_variables (
    chat_id INTEGER PRIMARY KEY REFERENCES chat (id) ON DELETE CASCADE,
    given TEXT NOT NULL,
    known TEXT NOT NULL
) STRICT;
"""

_M008 = """
CREATE TABLE mark (
    message_id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    good INTEGER NOT NULL CHECK (good IN (0, 1)),
    at_ms INTEGER NOT NULL
) STRICT;
"""

# sums stay when a file changes: answers of before name the file as it was
_M009 = """
CREATE TABLE model_sum (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (path, size_bytes, mtime_ns)
) STRICT;

CREATE TABLE reproduction (
    id INTEGER PRIMARY KEY,
    message_id INTEGER UNIQUE REFERENCES message (id) ON DELETE CASCADE,
    cell_id INTEGER UNIQUE REFERENCES cell (id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    details TEXT NOT NULL
) STRICT;
"""

# beside vote, not in it: rows that a version before wrote can still be read from a damaged file; as bytes of UTF-8, as
# no other table has rows of such a shape
_M010 = """
CREATE TABLE judge_error (
    vote_id INTEGER PRIMARY KEY REFERENCES vote (id) ON DELETE CASCADE,
    error BLOB NOT NULL
) STRICT;
"""

# the setup is one of the run's in made_by; details are JSON, as bytes of UTF-8 as above
_M011 = """
CREATE TABLE judge_made (
    vote_id INTEGER PRIMARY KEY REFERENCES vote (id) ON DELETE CASCADE,
    made_by_id INTEGER NOT NULL,
    details BLOB NOT NULL
) STRICT;
"""

# `made`: JSON, what made the answer, "" where nothing is known of that
_M012 = """
CREATE TABLE column_answer (
    id INTEGER PRIMARY KEY,
    column_at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    question TEXT NOT NULL,
    state TEXT NOT NULL,
    text TEXT NOT NULL,
    token_ids BLOB NOT NULL,
    made TEXT NOT NULL,
    UNIQUE (column_at, number)
) STRICT;
"""

"""Proves the search index and makes it anew where it does not fit the texts; nothing in it is worth keeping."""

from __future__ import annotations

import apsw

TABLES = ("message_words", "title_words")
QUICK_BYTES = 4 * 1024 * 1024
"""Up to this size of the file the proof takes some 30 ms, so it belongs to opening; else it comes later."""


def mend_index(connection: apsw.Connection) -> bool:
    """Check the whole index against the texts; whether it had to be made anew.

    Raises:
        apsw.CorruptError: it cannot be made anew, so the file is damaged elsewhere too.
    """
    mended = False
    for table in TABLES:
        try:
            connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
        except (apsw.CorruptError, apsw.SQLError):
            mended = True
            try:
                connection.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
            except apsw.SQLError as error:
                raise apsw.CorruptError(str(error)) from error
    return mended

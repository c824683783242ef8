"""The person's own system prompts in the database: versions are only ever added, and a deleted prompt is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from app.core.chat import TRASH_DAYS
from app.core.errors import StorageError
from app.core.prompt_files import too_long
from app.core.prompts import (
    LONGEST_PROMPT,
    Prompt,
    PromptHistory,
    PromptOrigin,
    PromptVersion,
    ancestry,
    found_in,
    free_name,
    same,
    tidy_name,
    tidy_tags,
    version_of,
)
from app.core.text import clean
from app.storage.backups import Backups, forget_prompt_rows
from app.storage.chats import now_ms
from app.storage.database import Database, Row
from app.storage.trouble import told

_ROW = (
    "SELECT p.id, p.name, coalesce(v.text, ''), p.tags, p.note, coalesce(v.hash, ''),"
    " (SELECT count(*) FROM prompt_version WHERE prompt_id = p.id), p.created_ms, p.updated_ms, p.deleted_ms,"
    " (SELECT count(*) FROM prompt_version WHERE prompt_id = p.id AND id <= v.id)"
    " FROM prompt AS p LEFT JOIN prompt_version AS v ON v.prompt_id = p.id AND v.hash = p.current"
)
_LONGEST_SEARCH = 400


class PromptStore:
    """All prompts. Each call is one transaction and is on the disk when it returns.

    Every method may raise StorageError; texts may hold anything and are cleaned first.

    Args:
        database: the open database.
        backups: where copies lie from which deleted prompts have to go too, if there are any.
        clock: milliseconds since 1970. Nothing is ordered by it.
    """

    def __init__(
        self, database: Database, backups: Backups | None = None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        self._database = database
        self._backups = backups
        self._clock = clock

    def together(self) -> AbstractContextManager[None]:
        """All calls inside come to stay together or not at all."""
        return self._database.transaction()

    # Looking

    def rows(self, *, trashed: bool = False) -> list[Prompt]:
        """The prompts by name; or the trash, last deleted first."""
        wanted = "NOT NULL" if trashed else "NULL"
        found = [_prompt(row) for row in self._database.rows(f"{_ROW} WHERE p.deleted_ms IS {wanted} ORDER BY p.id")]
        if trashed:
            return sorted(found, key=lambda prompt: -(prompt.deleted_ms or 0))
        return sorted(found, key=lambda prompt: same(prompt.name))

    def prompt(self, prompt_id: int) -> Prompt:
        """One prompt, in the trash or not."""
        found = self._database.row(f"{_ROW} WHERE p.id = ?", prompt_id)
        if found is None:
            raise _gone()
        return _prompt(found)

    def versions(self, prompt_id: int) -> list[PromptVersion]:
        """Every version of a prompt in the order they came."""
        return [
            PromptVersion(*row)
            for row in self._database.rows(
                "SELECT hash, parent, text, note, created_ms FROM prompt_version WHERE prompt_id = ? ORDER BY id",
                prompt_id,
            )
        ]

    def version(self, version_hash: str) -> PromptVersion | None:
        """The version with this hash, in whichever prompt it is; None where it is in none."""
        found = self._database.row(
            "SELECT hash, parent, text, note, created_ms FROM prompt_version WHERE hash = ?", clean(version_hash)
        )
        return PromptVersion(*found) if found else None

    def holder(self, version_hash: str) -> int | None:
        """Id of the prompt outside the trash in which this version was made, or came to first: not of a copy."""
        found = self._database.row(
            "SELECT p.id FROM prompt AS p JOIN prompt_version AS v ON v.prompt_id = p.id"
            " WHERE v.hash = ? AND p.deleted_ms IS NULL ORDER BY v.id",
            clean(version_hash),
        )
        return int(found[0]) if found else None

    def origin(self, version_hash: str) -> PromptOrigin | None:
        """The version with this hash, and how people name it; None where it is in no prompt, not even in the trash."""
        version = self.version(version_hash)
        held = self.holder(version_hash)
        if version is None or held is None:
            return PromptOrigin(version) if version is not None else None
        hashes = [one.hash for one in self.versions(held)]
        return PromptOrigin(version, self.prompt(held).name, hashes.index(version.hash) + 1, held)

    def history(self, prompt_id: int) -> PromptHistory:
        """All that is told of a prompt to another computer."""
        prompt = self.prompt(prompt_id)
        return PromptHistory(
            prompt.name, tuple(self.versions(prompt_id)), prompt.current, tags=prompt.tags, note=prompt.note
        )

    def search(self, typed: str) -> list[Prompt]:
        """Prompts with each of these words in their name, tags, note or current text, whatever their case.

        Those whose name has one come first. Anything may be typed; nothing finds all.
        """
        typed = clean(typed)[:_LONGEST_SEARCH]
        hits = [one for one in self.rows() if found_in(typed, one.name, *one.tags, one.note, one.text)]
        return sorted(hits, key=lambda prompt: not any(found_in(part, prompt.name) for part in typed.split()))

    # Writing

    def create(
        self, name: str, text: str, *, tags: Iterable[str] = (), note: str = "", version_note: str = ""
    ) -> Prompt:
        """A new prompt with its first version. Where the name is taken, a number comes behind it."""
        version = self._version(text, "", version_note)
        return self.add(PromptHistory(name, (version,), version.hash, tuple(tags), note))

    def add(self, history: PromptHistory) -> Prompt:
        """A new prompt with versions that were made elsewhere, as they are."""
        with self._database.transaction():
            now = self._clock()
            prompt_id = self._database.insert(
                "INSERT INTO prompt (name, tags, note, current, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?)",
                free_name(clean(history.name), self._taken()),
                _tags_text(history.tags),
                clean(history.note),
                history.current,
                now,
                now,
            )
            self.add_versions(prompt_id, history.versions)
        return self.prompt(prompt_id)

    def add_versions(self, prompt_id: int, versions: Iterable[PromptVersion]) -> int:
        """Put versions that were made elsewhere behind those there are; how many were not there yet."""
        with self._database.transaction():
            self.prompt(prompt_id)
            return sum(
                self._database.run(
                    "INSERT INTO prompt_version (prompt_id, hash, parent, created_ms, note, text)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (prompt_id, hash) DO NOTHING",
                    prompt_id,
                    version.hash,
                    version.parent,
                    version.created_ms,
                    version.note,
                    version.text,
                )
                for version in versions
            )

    def save(self, prompt_id: int, text: str, *, note: str = "", parent: str | None = None) -> PromptVersion:
        """Keep a wording as the newest version and make it the current one.

        Args:
            prompt_id: the prompt.
            text: the wording. Without a note, one that says what its parent says is no new version: that one becomes
                the current.
            note: what is new about it.
            parent: hash of the version it was made from; None for the current one.
        """
        with self._database.transaction():
            made_from = self.prompt(prompt_id).current if parent is None else parent
            old = self._known(prompt_id, made_from) if made_from else None
            version = self._version(text, old.hash if old else "", note)
            if old is not None and version.text == old.text and not version.note:
                version = old
            self.add_versions(prompt_id, [version])
            self._set(prompt_id, "current", version.hash)
        return version

    def restore_version(self, prompt_id: int, version_hash: str) -> PromptVersion:
        """Say again what an earlier version said, as a new version after the current one; nothing is undone."""
        with self._database.transaction():
            old = self._known(prompt_id, version_hash)
            if old.hash == self.prompt(prompt_id).current:
                return old
            return self.save(prompt_id, old.text, note=f"Restored from {old.hash[:8]}")

    def set_current(self, prompt_id: int, version_hash: str) -> None:
        """Let new chats begin with this version of the prompt."""
        with self._database.transaction():
            self._set(prompt_id, "current", self._known(prompt_id, version_hash).hash)

    def branch(self, prompt_id: int, version_hash: str, name: str = "") -> Prompt:
        """A prompt of its own that goes on from this version: it has that and what led to it, under equal hashes.

        Its current version is one of its own that says the same, so that what is made with it bears its name.
        """
        with self._database.transaction():
            old = self.history(prompt_id)
            line = ancestry(old.versions, version_hash)
            if not line:
                raise _no_version()
            made = self.add(PromptHistory(tidy_name(name) or old.name, line, version_hash, old.tags, old.note))
            number = [one.hash for one in old.versions].index(version_hash) + 1
            return self._made_own(made, f"branched from {old.name}, version {number}")

    def duplicate(self, prompt_id: int, name: str = "") -> Prompt:
        """A second prompt with all that this one has; its current version is one of its own that says the same."""
        with self._database.transaction():
            old = self.history(prompt_id)
            made = self.add(PromptHistory(tidy_name(name) or old.name, old.versions, old.current, old.tags, old.note))
            return self._made_own(made, f"copied from {old.name}")

    def _made_own(self, made: Prompt, how: str) -> Prompt:
        """Let a copy begin with a version that is in no other prompt: its name and the time make the hash another."""
        if made.current:
            self.save(made.id, made.text, note=f"{made.name}, {how}")
        return self.prompt(made.id)

    def rename(self, prompt_id: int, name: str) -> Prompt:
        """Give another name; an empty one changes nothing, and a number comes behind one that is taken."""
        with self._database.transaction():
            prompt = self.prompt(prompt_id)
            if tidy_name(clean(name)):
                taken = self._taken() if prompt.deleted_ms is not None else self._taken() - {same(prompt.name)}
                self._set(prompt_id, "name", free_name(clean(name), taken))
            return self.prompt(prompt_id)

    def set_tags(self, prompt_id: int, tags: Iterable[str]) -> None:
        """Replace all tags."""
        self._set(prompt_id, "tags", _tags_text(tags))

    def set_note(self, prompt_id: int, note: str) -> None:
        """Replace what is noted about the prompt."""
        self._set(prompt_id, "note", clean(note)[:LONGEST_PROMPT])

    # The trash

    def trash(self, prompt_id: int) -> None:
        """Put a prompt into the trash; it can be restored for 30 days."""
        self._set(prompt_id, "deleted_ms", self._clock())

    def restore(self, prompt_id: int) -> Prompt:
        """Take a prompt out of the trash, under another name where its own was given away in the meantime."""
        with self._database.transaction():
            prompt = self.prompt(prompt_id)
            if prompt.deleted_ms is not None:
                self._set(prompt_id, "name", free_name(prompt.name, self._taken()))
                self._set(prompt_id, "deleted_ms", None)
            return self.prompt(prompt_id)

    def purge(self, prompt_id: int) -> None:
        """Delete a prompt for good: from the file, its log and the copies."""
        self._purge([prompt_id])

    def purge_old(self) -> int:
        """Delete for good what has been in the trash for 30 days; how many prompts that were."""
        limit = self._clock() - TRASH_DAYS * 24 * 3600 * 1000
        old = [prompt_id for (prompt_id,) in self._database.rows("SELECT id FROM prompt WHERE deleted_ms < ?", limit)]
        if old:
            self._purge(old)
        return len(old)

    def _purge(self, prompt_ids: Sequence[int]) -> None:
        # copies first: cut off in between, the prompt is still there to be deleted again
        dropped = self._backups is not None and self._backups.forget_prompts(prompt_ids)
        with told():
            forget_prompt_rows(self._database.connection, prompt_ids)
        self._database.empty_journal()
        if dropped and self._backups is not None:
            self._backups.make(self._database.connection)

    def _version(self, text: str, parent: str, note: str) -> PromptVersion:
        text, note = clean(text), clean(note)
        if max(len(text), len(note)) > LONGEST_PROMPT:
            raise too_long("it")
        return version_of(text, parent, note, max(0, self._clock()))

    def _known(self, prompt_id: int, version_hash: str) -> PromptVersion:
        found = self._database.row(
            "SELECT hash, parent, text, note, created_ms FROM prompt_version WHERE prompt_id = ? AND hash = ?",
            prompt_id,
            clean(version_hash),
        )
        if found is None:
            raise _no_version()
        return PromptVersion(*found)

    def _taken(self) -> set[str]:
        return {same(name) for (name,) in self._database.rows("SELECT name FROM prompt WHERE deleted_ms IS NULL")}

    def _set(self, prompt_id: int, column: str, value: str | int | None) -> None:
        sql = f"UPDATE prompt SET {column} = ?, updated_ms = ? WHERE id = ?"
        if not self._database.run(sql, value, self._clock(), prompt_id):
            raise _gone()


def _prompt(row: Row) -> Prompt:
    prompt_id, name, text, tags, *rest = row
    return Prompt(prompt_id, name, text, _tags(tags), *rest)


def _tags_text(tags: Iterable[str]) -> str:
    return json.dumps(tidy_tags(map(clean, tags)), ensure_ascii=False)


def _tags(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tidy_tags(tag for tag in found if isinstance(tag, str)) if isinstance(found, list) else ()


def _gone() -> StorageError:
    return StorageError("This prompt is gone", "It was deleted.", "Choose another one or write a new one.")


def _no_version() -> StorageError:
    return StorageError("This version is gone", "It is not among the prompt's versions.", "Choose another version.")

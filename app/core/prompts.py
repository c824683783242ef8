"""System prompts with a history: every save is a version that never changes again."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

LONGEST_PROMPT = 1_000_000
"""Characters of one version; far above any context."""
LONGEST_NAME = 120
LONGEST_TAG = 40
MOST_TAGS = 50
LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: later ones have no date."""
UNNAMED = "Untitled prompt"


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """One saved wording. `parent` is the hash of the version it was made from, "" for the first.

    `hash` covers what the version says and where it came from, so that equal histories have equal hashes on every
    computer: see `hash_of`.
    """

    hash: str
    parent: str
    text: str
    note: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """A named prompt of the person's own. `text` is that of `current`, the version that new chats begin with.

    `versions` counts them; `number` is that of `current` among them, from 1, which need not be the last: an import can
    merge what two computers saved. `current` is "" and `number` 0 only where a damaged file kept the name and lost
    every wording. `deleted_ms` is set while it is in the trash.
    """

    id: int
    name: str
    text: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    current: str = ""
    versions: int = 0
    created_ms: int = 0
    updated_ms: int = 0
    deleted_ms: int | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class PromptOrigin:
    """Which wording a text was taken from, as people name it.

    `number` counts the prompt's versions from 1. A wording that is left alone, because its prompt is in the trash, has
    no name and the number 0; one that comes with the app has a name, and the `prompt_id` 0.
    """

    version: PromptVersion
    name: str = ""
    number: int = 0
    prompt_id: int = 0

    @property
    def words(self) -> str:
        """Name and number; a prompt that comes with the app has one version, which is not counted."""
        if not self.name:
            return "A deleted prompt"
        return f"{self.name}, version {self.number}" if self.prompt_id else self.name


@dataclass(frozen=True, slots=True)
class PromptHistory:
    """All that is told of a prompt to another computer: its versions in the order they came, parents first.

    A parent may be missing where a part of the history was lost; the hashes still say that there was one.
    """

    name: str
    versions: tuple[PromptVersion, ...]
    current: str
    tags: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class BundledPrompt:
    """One that comes with the app: it can be read, used and copied, never changed.

    `model_id` is the catalogue's id of the model whose authors documented it, "" for one of ours.
    """

    key: str
    name: str
    version: PromptVersion
    tags: tuple[str, ...] = ()
    note: str = ""
    model_id: str = ""


def hash_of(text: str, parent: str, note: str, created_ms: int) -> str:
    """The name of a version: SHA-256, 64 hexadecimal digits."""
    parts = (parent, str(created_ms), note, text)
    data = b"".join(len(part := one.encode("utf-8", "surrogatepass")).to_bytes(8, "big") + part for one in parts)
    return hashlib.sha256(b"orcinus-prompt-1\0" + data).hexdigest()


def version_of(text: str, parent: str = "", note: str = "", created_ms: int = 0) -> PromptVersion:
    """A version with its hash."""
    return PromptVersion(hash_of(text, parent, note, created_ms), parent, text, note, created_ms)


def is_hash(text: str) -> bool:
    """Whether this can be the name of a version."""
    return len(text) == 64 and all(sign in "0123456789abcdef" for sign in text)


def ancestry(versions: Iterable[PromptVersion], last: str) -> tuple[PromptVersion, ...]:
    """The versions that `last` was made from, the oldest first, itself at the end; empty where it is not among them."""
    by_hash = {version.hash: version for version in versions}
    found: list[PromptVersion] = []
    while (version := by_hash.pop(last, None)) is not None:
        found.append(version)
        last = version.parent
    return tuple(reversed(found))


def parents_first(versions: Sequence[PromptVersion]) -> tuple[PromptVersion, ...]:
    """The versions, each once and behind the one it was made from, else in the order given."""
    waiting = {version.hash: version for version in versions}
    placed: dict[str, PromptVersion] = {}
    for version in versions:
        line: list[PromptVersion] = []
        name = version.hash
        while (one := waiting.pop(name, None)) is not None:
            line.append(one)
            name = one.parent
        placed.update((one.hash, one) for one in reversed(line))
    return tuple(placed.values())


def sound(history: PromptHistory) -> PromptHistory:
    """The history with every hash being that of what is there: bytes on a disk go bad, and what is left is kept."""
    versions = tuple(version_of(one.text, one.parent, one.note, one.created_ms) for one in history.versions)
    renamed = {old.hash: new.hash for old, new in zip(history.versions, versions, strict=True)}
    return replace(history, versions=versions, current=renamed.get(history.current, history.current))


def tidy_name(name: str) -> str:
    """A name on one line and not too long; "" where nothing is left."""
    return " ".join(name.split())[:LONGEST_NAME].rstrip()


def tidy_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags on one line, without commas and a leading #, each once whatever its case, in the order given."""
    found: dict[str, str] = {}
    for tag in tags:
        tidy = " ".join(tag.replace(",", " ").split()).lstrip("#").strip()[:LONGEST_TAG].rstrip()
        if tidy and len(found) < MOST_TAGS:
            found.setdefault(same(tidy), tidy)
    return tuple(found.values())


def found_in(typed: str, *texts: str) -> bool:
    """Whether each word of a search stands in one of the texts, whatever its case; an empty search finds all."""
    words = _folded("\n".join(texts))
    return all(_folded(part) in words for part in typed.split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def same(name: str) -> str:
    """What two names have in common that a person would take for one another."""
    return _folded(tidy_name(name))


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name wanted, or with a number behind it where one of `taken` (as `same` gives them) is alike."""
    wanted = tidy_name(wanted) or UNNAMED
    name, number = wanted, 1
    while same(name) in taken:
        number += 1
        ending = f" {number}"
        name = wanted[: LONGEST_NAME - len(ending)].rstrip() + ending
    return name

"""System prompts with a history: every save is a version that never changes again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


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


def hash_of(text: str, parent: str, note: str, created_ms: int) -> str:
    """The name of a version: SHA-256, 64 hexadecimal digits."""
    parts = (parent, str(created_ms), note, text)
    data = b"".join(len(part := one.encode("utf-8", "surrogatepass")).to_bytes(8, "big") + part for one in parts)
    return hashlib.sha256(b"orcinus-prompt-1\0" + data).hexdigest()

"""A database of some evenings, ways to damage it, and which texts lie outside the damage."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from app.core.chat import MessageState, Provenance
from app.storage.stores import open_stores

PAGE_BYTES = 4096


@dataclass(frozen=True)
class Evening:
    """A whole file, and every message's text in it with the pages on which it lies."""

    path: Path
    pages: dict[str, frozenset[int]]

    @property
    def texts(self) -> set[str]:
        return set(self.pages)

    def outside(self, hit: set[int]) -> set[str]:
        """The texts that no damaged page holds a part of."""
        return {text for text, pages in self.pages.items() if not pages & hit}


def fill(path: Path, *, chats: int, turns: int) -> Evening:
    """Write chats of short and long messages and settings, all of it in the main file at the end."""
    rng = random.Random(1)
    stores = open_stores(path)
    texts = []
    for number in range(chats):
        chat = stores.chats.create("starter", title=f"Chat {number}")
        leaf = None
        for turn in range(turns):
            question = f"<question {number}.{turn} " + "word " * rng.choice([3, 30, 300, 2000]) + f"{number}.{turn}>"
            answer = f"<answer {number}.{turn} " + "whale " * rng.choice([3, 30, 300]) + f"{number}.{turn}>"
            _, reply = stores.chats.add_turn(chat.id, leaf, question)
            stores.chats.finish(
                reply.id,
                MessageState.DONE,
                answer,
                tuple(range(len(answer) // 4)),
                Provenance(model_name="m", system_prompt="Be brief.", seed=turn),
            )
            leaf = reply.id
            texts += [question, answer]
    stores.settings.set("app", "theme", "dark")
    stores.models.add("/models/a.gguf", "A model")
    stores.close()
    return Evening(path, {text: _pages_of(text, path.read_bytes()) for text in texts})


def damage(path: Path, rng: random.Random, *, sectors: int = 0) -> set[int]:
    """Overwrite some 512-byte pieces at random places; which pages (from 0) were hit."""
    raw = bytearray(path.read_bytes())
    hit = set()
    for _ in range(sectors or rng.choice([1, 1, 1, 2, 5])):
        at = rng.randrange(len(raw) // 512) * 512
        raw[at : at + 512] = rng.choice([rng.randbytes(512), bytes(512), b"\xff" * 512])
        hit.add(at // PAGE_BYTES)
    path.write_bytes(raw)
    return hit


def _pages_of(text: str, raw: bytes) -> frozenset[int]:
    """The pages with the beginning, the end or the middle of a text; a long one runs over a chain of pages."""
    pages = set()
    for part in (text[:20].encode(), text[-12:].encode()):
        at = raw.find(part)
        while at >= 0:
            pages.add(at // PAGE_BYTES)
            at = raw.find(part, at + 1)
    if pages:
        pages |= set(range(min(pages), max(pages) + 1))
    return frozenset(pages)

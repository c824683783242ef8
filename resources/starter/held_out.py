"""Wordings that training never sees, so that the evaluation can tell understanding from learning by heart.

Slots stand for any one to three words. A generated text that contains one of these wordings is thrown away.
"""

from __future__ import annotations

import re

from .wording import load, normalise

_WORDINGS = load("held_out")
TELLS: dict[str, list[str]] = _WORDINGS["tells"]
ASKS: dict[str, list[str]] = _WORDINGS["asks"]
SYSTEM: dict[str, list[str]] = _WORDINGS["system"]
SMALL_TALK: dict[str, str] = _WORDINGS["small_talk"]
"""The answer to each wording."""
OWN_NAME, WHO_ARE_YOU, CAPITAL, SUM, LIST, TABLE, CODE = (
    tuple(_WORDINGS[key]) for key in ("own_name", "who_are_you", "capital", "sum", "list", "table", "code")
)

_SLOT_WORDS = r"\w+(?: \w+){0,2}"


def all_wordings() -> tuple[str, ...]:
    """Every held-out wording, slots included."""
    tables = (*TELLS.values(), *ASKS.values(), *SYSTEM.values())
    plain = (OWN_NAME, WHO_ARE_YOU, CAPITAL, SUM, LIST, TABLE, CODE)
    return (*(text for table in (*tables, *plain) for text in table), *SMALL_TALK)


def _pattern(wording: str) -> str:
    return re.sub(r"\{\w\}", lambda _: _SLOT_WORDS, normalise(wording))


_ANY = re.compile(r"(?<!\w)(?:" + "|".join(sorted({_pattern(text) for text in all_wordings()})) + r")(?!\w)")


def is_held_out(text: str) -> bool:
    """Whether the text contains a wording that training must not see."""
    return _ANY.search(normalise(text)) is not None

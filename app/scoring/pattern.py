"""Regular expressions of other people: found under a time limit, since some never come to an end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import regex

from app.core.checks import Answer
from app.core.errors import SettingError
from app.core.lab import Finding, Question

LIMIT_S = 1.0
"""So long a regular expression may search one answer."""

_LONGEST_PATTERN = 10_000


@lru_cache(maxsize=256)
def compiled(pattern: str, case: bool = True) -> regex.Pattern[str]:
    """A regular expression, ready to be used; ^ and $ are the ends of lines.

    Raises:
        SettingError: it is none, or is too long.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise SettingError(
            "The regular expression is too long",
            f"It has {len(pattern):,} characters; {_LONGEST_PATTERN:,} are possible.",
            "Make several checks of it.",
        )
    flags = regex.VERSION0 | regex.MULTILINE | (0 if case else regex.IGNORECASE)
    try:
        return regex.compile(pattern, flags, cache_pattern=False)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        why = str(error) or type(error).__name__
        raise SettingError(
            "The regular expression cannot be understood", f"{pattern!r:.100}: {why}.", "Mend the pattern."
        ) from error


def matches(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether a regular expression is found in an answer, describes the whole of it, or is absent."""
    pattern = compiled(values["pattern"], values["case"])
    search = pattern.fullmatch if values["whole"] else pattern.search
    text = answer.text.strip() if values["whole"] else answer.text
    try:
        found = search(text, timeout=LIMIT_S)
    except TimeoutError:
        return Finding(False, f"The pattern was not done after {LIMIT_S:g} s; it goes back and forth too much.")
    except MemoryError:
        return Finding(False, "The pattern needs more memory than there is.")
    if found is None:
        return Finding(bool(values["absent"]), "The pattern is not there.")
    shown = " ".join(found[0].split())
    shown = shown if len(shown) <= 80 else shown[:79] + "…"
    return Finding(not values["absent"], f"The pattern is there: “{shown}”." if shown else "The pattern is there.")

"""Makes one wording out of many: a small template language, polite wrappers and light typing noise.

The wordings themselves stand in ``wordings/*.toml``.

A template is plain text with choices in square brackets, ``"[Tell|Give] me [please |]{np}."``; choices nest, an empty
choice is allowed, and ``{slots}`` are left for the caller to fill.
"""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

# A template is a sequence of plain strings and choices; a choice is a tuple of sequences.
Sequence = tuple[Any, ...]


def load(name: str) -> dict[str, Any]:
    """One of the TOML files with wordings."""
    return tomllib.loads(text_of(name))


def text_of(name: str) -> str:
    """The same file as it is written."""
    return (Path(__file__).with_name("wordings") / f"{name}.toml").read_text(encoding="utf-8")


_SMALL_WORDS = load("small_words")
PREFIXES: tuple[str, ...] = tuple(_SMALL_WORDS["prefixes"])
SUFFIXES: tuple[str, ...] = tuple(_SMALL_WORDS["suffixes"])
REQUESTS: tuple[str, ...] = tuple(_SMALL_WORDS["requests"])
CORRECTIONS: tuple[str, ...] = tuple(_SMALL_WORDS["corrections"])


def _parse(text: str, at: int, depth: int) -> tuple[Sequence, int]:
    parts: list[Any] = []
    choices: list[Sequence] = []
    plain = ""
    while at < len(text):
        mark = text[at]
        if mark == "[":
            inner, at = _parse(text, at + 1, depth + 1)
            parts += [plain, inner]
            plain = ""
        elif mark == "|" and depth:
            choices.append((*parts, plain))
            parts, plain = [], ""
        elif mark == "]" and depth:
            return (*choices, (*parts, plain)), at
        else:
            plain += mark
        at += 1
    return (*parts, plain), at


@cache
def _tree(template: str) -> Sequence:
    return _parse(template, 0, 0)[0]


def _walk(rng: random.Random, sequence: Sequence) -> str:
    return "".join(part if isinstance(part, str) else _walk(rng, rng.choice(part)) for part in sequence)


def expand(rng: random.Random, template: str) -> str:
    """One random expansion of a template; slots in braces stay."""
    return _walk(rng, _tree(template))


def pick(rng: random.Random, templates: tuple[str, ...], **slots: str) -> str:
    """One random expansion of one random template with its slots filled."""
    text = expand(rng, rng.choice(templates))
    for name, value in slots.items():
        text = text.replace("{" + name + "}", value)
    return text


def lower_first(text: str, *kept: str) -> str:
    """The text with a small first letter, unless it starts with the word I or one of the words to be kept."""
    return text if text.startswith(("I ", "I'", *kept)) else text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def request(rng: random.Random, text: str) -> str:
    """A command, now and then as a polite question ("Could you list three fruits?")."""
    if rng.random() < 0.65:
        return text
    opening = rng.choice(REQUESTS)
    body = lower_first(text)
    if opening.startswith(("Can", "Could", "Would", "Will")) and body.endswith("."):
        body = body[:-1] + "?"
    return opening + body


def rough(rng: random.Random, text: str, *, may_lower: bool = True, kept: tuple[str, ...] = ()) -> str:
    """The text as people type it: a few words before or after, sometimes without capitals or punctuation.

    may_lower: whether the whole text may be put in small letters (not where it holds something to be repeated exactly).
    kept: words whose first letter stays as it is.
    """
    if rng.random() < 0.16:
        text = rng.choice(PREFIXES) + lower_first(text, *kept)
    elif rng.random() < 0.04:
        text = text + rng.choice(SUFFIXES)
    chance = rng.random()
    if chance < 0.10 and text[-1] in ".?":
        text = text[:-1]
    elif chance < 0.13 and text[-1] == ".":
        text = text[:-1] + "!"
    elif chance < 0.16:
        text = lower_first(text, *kept)
    elif chance < 0.24 and may_lower:
        text = text.lower()
        if rng.random() < 0.6 and text[-1] in ".?":
            text = text[:-1]
        if rng.random() < 0.5:
            text = text.replace("'", "")
    elif chance < 0.25 and may_lower:
        text = text.upper()
    return text


def normalise(text: str) -> str:
    """Letters, digits and slots only, in small letters with single spaces: what two equal wordings have in common."""
    return " ".join(re.sub(r"[^\w{}]+", " ", text.lower().replace("'", "")).split())


def join_words(words: list[str]) -> str:
    """Joins words as in "a, b and c"."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]

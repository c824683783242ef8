"""Names and words to talk about: real ones and made-up ones, with a fixed part held out for the evaluation."""

from __future__ import annotations

import random
import re
import zlib
from functools import cache

from .wording import load, text_of

_WORDS = {key: tuple(text.split()) for key, text in load("entities").items()}
NAMES, NAMES_HELD_OUT = _WORDS["names"], _WORDS["names_held_out"]
THINGS, THINGS_HELD_OUT = _WORDS["things"], _WORDS["things_held_out"]
COLOURS, CITIES, JOBS = _WORDS["colours"], _WORDS["cities"], _WORDS["jobs"]

_ONSETS = _WORDS["onsets"]
_VOWELS = _WORDS["vowels"]
_CODAS = ("", "", "", "", *_WORDS["codas"])
_ACCENTS = {"a": "äáà", "e": "éèë", "i": "í", "o": "öóø", "u": "üú"}
_HELD_OUT = frozenset(word.lower() for word in (*THINGS_HELD_OUT, *NAMES_HELD_OUT))
_SOURCES = ("entities", "knowledge", "memory", "small_talk", "styles", "tasks")
FRAGMENT_SHARE = 0.4
"""The share of made-up words of training that are joined from fragments of ordinary words."""


@cache
def _ordinary_words() -> tuple[str, ...]:
    """Every word of training's own wordings of four letters or more, but for those held out."""
    found = {word for name in _SOURCES for word in re.findall(r"[a-z]{4,}", text_of(name).lower())}
    return tuple(sorted(found - _HELD_OUT))


def is_held_out(word: str) -> bool:
    """Whether a made-up word belongs to the tenth that training never sees."""
    return zlib.crc32(word.lower().encode()) % 10 == 0


class Entities:
    """Draws names, words and numbers.

    made_up: share of made-up ones, 0 to 1. held_out: draw only from what training never sees.
    one_word: never draw values of two words (for dialogues with one-word answers).
    """

    def __init__(self, rng: random.Random, made_up: float = 0.6, *, held_out: bool = False) -> None:
        self.rng = rng
        self.made_up = made_up
        self.held_out = held_out
        self.one_word = False

    def _joined(self) -> str:
        """One to three fragments of ordinary words in a row.

        Syllables alone leave many of the tokenizer's pieces out; what was never copied in training is not copied later.
        """
        rng = self.rng
        word = ""
        for _ in range(rng.choice((1, 2, 2, 2, 3))):
            whole = rng.choice(_ordinary_words())
            length = rng.randrange(2, min(6, len(whole)) + 1)
            start = rng.choice((0, len(whole) - length, rng.randrange(len(whole) - length + 1)))
            word += whole[start : start + length]
        return word

    def invented(self) -> str:
        """A made-up word of 3 to 10 letters: of one to three syllables, in training also of fragments of words."""
        rng = self.rng
        joined = not self.held_out and rng.random() < FRAGMENT_SHARE
        while True:
            if joined:
                word = self._joined()
                if 3 <= len(word) <= 10 and not is_held_out(word) and word not in _HELD_OUT:
                    break
                continue
            syllables = rng.choice((1, 2, 2, 2, 3))
            word = ""
            for index in range(syllables):
                word += rng.choice(_ONSETS) + rng.choice(_VOWELS)
                if index == syllables - 1 or rng.random() < 0.3:
                    word += rng.choice(_CODAS)
            if 3 <= len(word) <= 10 and is_held_out(word) == self.held_out:
                break
        if rng.random() < 0.04:
            vowel = rng.choice("aeiou")
            word = word.replace(vowel, rng.choice(_ACCENTS[vowel]))
        return word

    def name(self) -> str:
        """A person's name."""
        if self.rng.random() < self.made_up:
            return self.invented().capitalize()
        return self.rng.choice(NAMES_HELD_OUT if self.held_out else NAMES)

    def full_name(self) -> str:
        """A name of two words, unless one word is asked for."""
        return self.name() if self.one_word else f"{self.name()} {self.name()}"

    def word(self, pool: tuple[str, ...] = THINGS) -> str:
        """One word; held-out draws take the held-out words whatever the pool."""
        if self.rng.random() < self.made_up:
            return self.invented()
        return self.rng.choice(THINGS_HELD_OUT if self.held_out else pool)

    def value(self, pool: tuple[str, ...] = THINGS) -> str:
        """One word, or now and then two."""
        two_words = self.rng.random() < 0.12 and not self.one_word
        return f"{self.word(pool)} {self.word(pool)}" if two_words else self.word(pool)

    def city(self) -> str:
        """A city's name."""
        if self.held_out or self.rng.random() < self.made_up:
            return self.invented().capitalize()
        return self.rng.choice(CITIES)

    def number(self) -> str:
        """A number of two to four digits."""
        digits = self.rng.choice((2, 2, 3, 4))
        return str(self.rng.randrange(10 ** (digits - 1), 10**digits))

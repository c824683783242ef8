"""Names and words to talk about: real ones and made-up ones, with a fixed part held out for the evaluation."""

from __future__ import annotations

import random
import zlib

from .wording import load

_WORDS = {key: tuple(text.split()) for key, text in load("entities").items()}
NAMES, NAMES_HELD_OUT = _WORDS["names"], _WORDS["names_held_out"]
THINGS, THINGS_HELD_OUT = _WORDS["things"], _WORDS["things_held_out"]
COLOURS, CITIES, JOBS = _WORDS["colours"], _WORDS["cities"], _WORDS["jobs"]

_ONSETS = _WORDS["onsets"]
_VOWELS = _WORDS["vowels"]
_CODAS = ("", "", "", "", *_WORDS["codas"])
_ACCENTS = {"a": "äáà", "e": "éèë", "i": "í", "o": "öóø", "u": "üú"}


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

    def invented(self) -> str:
        """A made-up word of one to three syllables, 3 to 10 letters."""
        rng = self.rng
        while True:
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

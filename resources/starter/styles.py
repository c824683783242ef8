"""What a system prompt can ask for, in many wordings, and how an answer looks that obeys it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from .entities import Entities
from .turns import Turn
from .wording import expand, load, pick, upper_first

_WORDINGS = load("styles")
NEUTRAL: tuple[str, ...] = tuple(_WORDINGS["neutral"])
OWN_NAME: tuple[str, ...] = tuple(_WORDINGS["own_name"])
MANNER_FRAMES: tuple[str, ...] = tuple(_WORDINGS["manner_frames"])
MANNERS: dict[str, tuple[str, ...]] = {kind: tuple(texts) for kind, texts in _WORDINGS["manners"].items()}
STATED: dict[str, tuple[str, ...]] = {kind: tuple(texts) for kind, texts in _WORDINGS["stated"].items()}
STYLE_WEIGHTS: dict[str, float] = _WORDINGS["weights"]
COMBINABLE = ("caps", "lower", "end", "start", "pirate", "robot", "emoji", "address")
_PIRATE_WORDS = (
    ("your", "yer"), ("Your", "Yer"), ("you", "ye"), ("You", "Ye"), ("am", "be"), ("are", "be"), ("is", "be"),
    ("my", "me"), ("My", "Me"),
)  # fmt: skip
_PIRATE = tuple((re.compile(rf"\b{word}\b"), said) for word, said in _PIRATE_WORDS)


@dataclass(frozen=True, slots=True)
class Style:
    """What a system prompt asks of every answer.

    words: the words of "start", "end" and "address", as they must appear.
    """

    kinds: frozenset[str] = frozenset()
    words: tuple[tuple[str, str], ...] = ()

    def word(self, kind: str) -> str:
        """The word that belongs to a kind."""
        return dict(self.words)[kind]

    def apply(self, turn: Turn) -> str:
        """The answer to a turn in this style."""
        kinds = self.kinds
        text = turn.short if "one word" in kinds else turn.answer
        prose = turn.kind == "prose" or "one word" in kinds
        if prose and "pirate" in kinds:
            for pattern, said in _PIRATE:
                text = pattern.sub(said, text)
        if "bold" in kinds and prose:
            text = f"**{text}**"
        if "bullets" in kinds:
            text = _bulleted(turn, text)
        text = self._framed(text, " " if prose else "\n\n")
        if "caps" in kinds:
            return _outside_code(text, str.upper)
        return _outside_code(text, str.lower) if "lower" in kinds else text

    def _framed(self, text: str, gap: str) -> str:
        before = {"pirate": "Arr!", "robot": "Beep boop."}
        opening = [said for kind, said in before.items() if kind in self.kinds]
        if "address" in self.kinds:
            opening.append(f"Yes, {self.word('address')}!")
        if "start" in self.kinds:
            opening.append(self.word("start"))
        closing = ["🙂"] if "emoji" in self.kinds else []
        if "end" in self.kinds:
            closing.append(self.word("end"))
        return gap.join(part for part in (" ".join(opening), text, " ".join(closing)) if part)


PLAIN = Style()


def _bulleted(turn: Turn, text: str) -> str:
    if turn.kind == "list":
        return re.sub(r"^\d+\. ", "- ", text.split("\n\n", 1)[-1], flags=re.MULTILINE)
    return f"- {text}"


def _outside_code(text: str, change: type[str] | object) -> str:
    parts = text.split("```")
    return "```".join(part if index % 2 else change(part) for index, part in enumerate(parts))  # type: ignore[operator]


def style_sentence(rng: random.Random, kind: str, word: str = "") -> str:
    """A sentence of a system prompt that asks for a style; word fills {x}."""
    manners, stated = MANNERS.get(kind, ()), STATED.get(kind, ())
    if manners and (not stated or rng.random() < 0.6):
        manner, verb, every = (
            expand(rng, rng.choice(manners)),
            expand(rng, _WORDINGS["answer"]),
            expand(rng, _WORDINGS["answers"]),
        )
        text = pick(rng, MANNER_FRAMES, m=manner, M=upper_first(manner), a=verb, A=upper_first(verb), s=every)
    else:
        text = pick(rng, stated, x=word)
        # "the first word is Blue moon" asks for one and means two
        while " " in word and re.search(r"\bword\b", text.replace(word, "")):
            text = pick(rng, stated, x=word)
    if word and text.startswith(word):
        return text
    chance = rng.random() if not word else 1.0
    return text.lower() if chance < 0.06 else text.upper() if chance < 0.09 else upper_first(text)


def draw_style(rng: random.Random, entities: Entities, kinds: frozenset[str]) -> tuple[Style, list[str]]:
    """A style of the given kinds with random words, and the sentences that ask for it."""
    words: list[tuple[str, str]] = []
    sentences = []
    for kind in sorted(kinds):
        word = ""
        if kind in ("start", "end"):
            word = entities.word() if rng.random() < 0.8 else f"{entities.word()} {entities.word()}"
            word = word.capitalize() if rng.random() < 0.75 else word
            word += rng.choice(("",) * 7 + ("!",) * 2 + (".",))
        elif kind == "address":
            word = (
                entities.word().capitalize() if rng.random() < 0.6 else rng.choice(("Captain", "Boss", "Sir", "Chief"))
            )
        sentence = style_sentence(rng, kind, word)
        if kind in ("start", "end"):
            sentence = _quoted(rng, sentence, word)
            words.append((kind, word if word[-1] in ".!" else f"{word}."))
        elif kind == "address":
            words.append((kind, word))
        sentences.append(sentence)
    return Style(kinds, tuple(words)), sentences


def _quoted(rng: random.Random, sentence: str, word: str) -> str:
    """The sentence with its word in quotes now and then, always so where the word brings its own full stop."""
    chance = rng.random()
    if chance < 0.2 or word[-1] == "." or (word[-1] == "!" and not sentence.endswith(f"{word}.")):
        quote = rng.choice(('"', '"', "'"))
        sentence = sentence.replace(word, f"{quote}{word}{quote}", 1)
    elif chance < 0.26:
        sentence = sentence.replace(f"with {word}", f"with: {word}", 1)
    return sentence.replace(f"{word}.", word) if word[-1] == "!" else sentence


def rough_system(rng: random.Random, text: str) -> str:
    """The system prompt as people type it: now and then in capitals or small letters, without its last full stop."""
    chance = rng.random()
    if chance < 0.08 and text.endswith("."):
        return text[:-1]
    return text[:-1] + "!" if chance < 0.12 and text.endswith(".") else text

"""The little that the starter model knows: greetings, itself, and a handful of facts, lists, tables and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .wording import load

_KNOWN = load("knowledge")
ABOUT_ITSELF: str = _KNOWN["about_itself"]
CANNOT_ANSWER: str = _KNOWN["cannot_answer"]
NO_NAME: str = _KNOWN["no_name"]
STORY: str = _KNOWN["story"]
WHO_ARE_YOU: tuple[str, ...] = tuple(_KNOWN["who_are_you"])
YOUR_NAME: tuple[str, ...] = tuple(_KNOWN["your_name"])
CAPITALS: dict[str, str] = _KNOWN["capitals"]
NUMBER_WORDS: list[str] = _KNOWN["number_words"].split()
TOPICS: dict[str, list[str]] = {topic: words.split() for topic, words in _KNOWN["topics"].items()}
# What each function does, in several wordings, and its body.
FUNCTIONS: tuple[tuple[tuple[str, ...], str], ...] = tuple(
    (tuple(entry["does"]), entry["body"]) for entry in _KNOWN["functions"]
)


@dataclass(frozen=True, slots=True)
class Known:
    """Wordings of one question, its answer, and the answer in one word."""

    wordings: tuple[str, ...]
    answer: str
    short: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of two columns."""

    head: tuple[str, str]
    rows: tuple[tuple[str, str], ...]


def _known(entries: list[dict[str, Any]]) -> tuple[Known, ...]:
    return tuple(Known(tuple(entry["wordings"]), entry["answer"], entry["short"]) for entry in entries)


def _about(wordings: str, key: str, answer: str, short: str) -> Known:
    return Known(tuple(text.replace("{k}", key) for text in _KNOWN[wordings]), answer, short)


def _facts() -> tuple[Known, ...]:
    facts = [_about("capital", k, f"The capital of {k} is {v}.", f"{v.split()[-1]}.") for k, v in CAPITALS.items()]
    for word, other in _KNOWN["opposites"].items():
        facts.append(_about("opposite", word, f"The opposite of {word} is {other}.", f"{other.capitalize()}."))
    for animal, sound in _KNOWN["sounds"].items():
        facts.append(_about("sound", animal, f"A {animal} says {sound}.", f"{sound.capitalize()}."))
    for thing, colour in _KNOWN["colours"].items():
        facts.append(_about("colour", thing, f"The colour is {colour}.", f"{colour.capitalize()}."))
    for wordings, key in (("day_after", "days"), ("month_after", "months")):
        names = _KNOWN[key].split()
        for name, after in zip(names, (*names[1:], names[0]), strict=True):
            facts.append(_about(wordings, name, f"{after} comes after {name}.", f"{after}."))
    return (*facts, *_known(_KNOWN["facts"]))


SMALL_TALK = _known(load("small_talk")["small_talk"])
FACTS = _facts()
TABLES = {
    topic: Grid((entry["head"][0], entry["head"][1]), tuple((a, b) for a, b in entry["rows"]))
    for topic, entry in _KNOWN["tables"].items()
}

"""Things a user tells about himself and asks for later: how they are told, asked, answered, and missed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from .entities import CITIES, COLOURS, JOBS, Entities
from .wording import expand, load, lower_first, pick, request, rough, upper_first

_WORDINGS = load("memory")
PETS, KIN, FAVOURITES = (tuple(_WORDINGS[key].split()) for key in ("pets", "kin", "favourites"))
SECRETS: tuple[str, ...] = tuple(_WORDINGS["secrets"])
NOUN_FRAMES: tuple[str, ...] = tuple(_WORDINGS["noun_frames"])
TELL_FRAMES: tuple[str, ...] = tuple(_WORDINGS["tell_frames"])
CLAUSE_FRAMES: tuple[str, ...] = tuple(_WORDINGS["clause_frames"])
_STATEMENTS = ("My ", "I ", "I'm ", "The ", "Our ", "We ", "People ", "They ", "For me ", "{x} ", "{k} ")
KIND_WEIGHTS: dict[str, float] = _WORDINGS["weights"]


@dataclass(frozen=True, slots=True)
class FactKind:
    """Wordings for one sort of fact; slots: {x} the value, {k} what it belongs to ("dog"), {v} a verb."""

    tells: tuple[str, ...]
    acknowledge: str
    nouns: tuple[str, ...]
    clauses: tuple[str, ...]
    questions: tuple[str, ...]
    answer: str
    unknown: str
    stated: tuple[str, ...]
    """How a system prompt says it."""


def _kind(table: dict[str, Any]) -> FactKind:
    return FactKind(**{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()})


KINDS = {name: _kind(table) for name, table in _WORDINGS["kinds"].items()}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: its sort, what it belongs to, its value. Two facts with the same key are about the same thing."""

    kind: str
    owner: str
    value: str
    verb: str = ""

    @property
    def key(self) -> str:
        """What the fact is about, without its value."""
        return f"{self.kind} {self.owner} {self.verb}"

    def _fill(self, text: str) -> str:
        return text.replace("{k}", self.owner).replace("{v}", self.verb).replace("{x}", self.value)

    def tell(self, rng: random.Random) -> str:
        """A sentence of the user that gives the fact; the value keeps its spelling, wherever it stands."""
        text = expand(rng, rng.choice(KINDS[self.kind].tells))
        plain = text.startswith(_STATEMENTS) and text.endswith(".") and not any(mark in text[:-1] for mark in ".:?!")
        text = self._fill(text)
        if plain and rng.random() < 0.15:
            statement = text[:-1]
            text = pick(rng, TELL_FRAMES, s=lower_first(statement, *self.spelt), S=statement)
        return text if text.startswith(self.spelt) else upper_first(text)

    @property
    def spelt(self) -> tuple[str, ...]:
        """The words whose spelling has to be kept: the value, and whom it belongs to where that is a name."""
        return (self.value, self.owner) if self.kind == "other" else (self.value,)

    def ask(self, rng: random.Random) -> str:
        """A question of the user for the fact."""
        kind = KINDS[self.kind]
        chance = rng.random()
        if chance < 0.35:
            text = expand(rng, rng.choice(kind.questions))
        elif chance < 0.72:
            noun = expand(rng, rng.choice(kind.nouns))
            text = pick(rng, NOUN_FRAMES, n=noun, N=upper_first(noun))
        else:
            text = pick(rng, CLAUSE_FRAMES, c=expand(rng, rng.choice(kind.clauses)))
        text = self._fill(text)
        if rng.random() < 0.15:
            text = text.replace("colour", "color")
        return text

    def acknowledge(self) -> str:
        """The answer to being told."""
        return self._fill(KINDS[self.kind].acknowledge)

    def answer(self) -> str:
        """The answer to being asked."""
        return upper_first(self._fill(KINDS[self.kind].answer))

    def short(self) -> str:
        """The answer in one word (or the value as it is)."""
        return f"{upper_first(self.value)}." if self.kind == "job" else f"{self.value}."

    def unknown(self) -> str:
        """The answer when it was never told."""
        return self._fill(KINDS[self.kind].unknown)

    def stated(self, rng: random.Random) -> str:
        """A sentence of a system prompt that gives the fact."""
        return upper_first(self._fill(pick(rng, KINDS[self.kind].stated)))


def draw_fact(rng: random.Random, entities: Entities, kind: str | None = None) -> Fact:
    """A random fact, of the given sort if there is one; now and then a value that is no name has a capital too."""
    kind = kind or rng.choices(tuple(KIND_WEIGHTS), tuple(KIND_WEIGHTS.values()))[0]
    fact = _draw_fact(rng, entities, kind)
    chance = rng.random()
    if kind in ("favourite", "like", "code", "mine", "other") and chance < 0.25:
        return replace(fact, value=fact.value.upper() if chance < 0.04 else upper_first(fact.value))
    return fact


def _draw_fact(rng: random.Random, entities: Entities, kind: str) -> Fact:
    if kind == "name":
        name = entities.full_name() if rng.random() < 0.06 else entities.name()
        return Fact(kind, "", name.lower() if rng.random() < 0.05 else name)
    if kind == "live":
        return Fact(kind, "", entities.city())
    if kind == "favourite":
        owner = rng.choice(FAVOURITES)
        special = {"colour": COLOURS, "city": CITIES}
        value = (
            entities.number()
            if owner == "number"
            else entities.value(special.get(owner) or ())
            if owner in special
            else entities.value()
        )
        return Fact(kind, owner, value)
    if kind in ("pet", "kin"):
        return Fact(kind, rng.choice(PETS if kind == "pet" else KIN), entities.name())
    if kind == "age":
        return Fact(kind, "", str(rng.randrange(5, 99)))
    if kind == "job":
        return Fact(kind, "", entities.word(JOBS))
    if kind == "like":
        return Fact(kind, "", entities.value(), rng.choice(("like", "love", "hate")))
    if kind == "code":
        return Fact(kind, rng.choice(SECRETS), entities.word() if rng.random() < 0.7 else entities.number())
    if kind == "number":
        return Fact(kind, "", entities.number())
    if kind == "mine":
        while (owner := entities.word()) in (*PETS, *FAVOURITES):
            pass
        return Fact(kind, owner, entities.value())
    return Fact("other", entities.name(), entities.value(), rng.choice(("like", "want", "need")))


def rough_question(rng: random.Random, fact: Fact) -> str:
    """A question for the fact as people type it; a name inside it keeps its spelling."""
    text = fact.ask(rng)
    if rng.random() < 0.06:
        text = request(rng, text) if text.startswith(("Tell", "Say", "Give", "Repeat", "Name", "Remind")) else text
    return rough(rng, text, may_lower=fact.kind not in ("mine", "other"))

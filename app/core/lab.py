"""An experiment with system prompts as plain values: who is asked what, what is looked for, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from app.core.chat import Provenance


@dataclass(frozen=True, slots=True)
class Contestant:
    """One column of an experiment: a system prompt, and where wanted a model and sampler values of its own.

    `version` is the hash of the version in the library of prompts, "" for a text that is not kept there. An empty
    `model_id` means the experiment's model; `overrides` holds only what differs from the experiment, by setting key.
    """

    name: str
    system_prompt: str
    version: str = ""
    model_id: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """What is looked for in an answer: a kind that scoring knows, and its values by name."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    """How a person named it; "" lets the kind and values speak."""


@dataclass(frozen=True, slots=True)
class Question:
    """One message that every contestant answers.

    `key` names it across repeated runs: the id from the file it was read from, or its place. `system_prompt` is one
    that came with the question (as in OpenOrca); a contestant's own prompt stands before it, with an empty line
    between. `reference` is an answer to compare with, "" for none.
    """

    key: str
    text: str
    reference: str = ""
    system_prompt: str = ""
    checks: tuple[Check, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """A model that compares two answers at a time, each pair in both orders. `prompt` has its instructions."""

    model_id: str
    prompt: str
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Threshold:
    """What must be reached: a measure of one contestant ("" for each), at least `low`; see scoring."""

    measure: str
    low: float
    contestant: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: contestants x questions x seeds, and what is done with the answers.

    `overrides` are sampler values by setting key on top of the model's own; `checks` are for every question, besides
    its own.
    """

    name: str
    model_id: str
    contestants: tuple[Contestant, ...]
    questions: tuple[Question, ...]
    seeds: tuple[int, ...] = (1,)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    judge: Judge | None = None
    thresholds: tuple[Threshold, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values for the variables in the prompts, by name; empty once they are filled in. See core/prompt_variables.py."""
    model_values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Sampler values of models by their ids, under all others: those in force when the run began, which it keeps, so
    that what is answered later is answered alike. A model that is not named has those of today."""


class Place(NamedTuple):
    """Where a cell is in the grid: indices into the plan's contestants, questions and seeds, each from 0."""

    contestant: int
    question: int
    seed: int


class CellState(StrEnum):
    """How far a cell got. One that was being written when the app ended is QUEUED again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer of a run; `provenance` tells what made it, `error` why there is none."""

    place: Place
    state: CellState = CellState.QUEUED
    text: str = ""
    provenance: Provenance | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found in one answer. `words` say why, in a sentence; `value` is a measure from 0 to 1, or None."""

    passed: bool
    words: str
    value: float | None = None


class Rater(StrEnum):
    """Who compared two answers."""

    PERSON = "person"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class Vote:
    """Two contestants' answers to one question with one seed, compared.

    `first` was shown first (left, or A). `outcome` is 1 where the first was better, 0 where the second was, 0.5 where
    both were equally good. `words` are the judge's, or the person's note.
    """

    rater: Rater
    question: int
    seed: int
    first: int
    second: int
    outcome: float
    words: str = ""
    at_ms: int = 0


def system_prompt_of(contestant: Contestant, question: Question) -> str:
    """What stands before a question: the contestant's own prompt, then the one that came with the question."""
    return "\n\n".join(part for part in (contestant.system_prompt, question.system_prompt) if part.strip())


def places(plan: Plan) -> Iterator[Place]:
    """Every cell of the grid, those of one contestant together and then those of one question: they begin alike."""
    for contestant in range(len(plan.contestants)):
        for question in range(len(plan.questions)):
            for seed in range(len(plan.seeds)):
                yield Place(contestant, question, seed)

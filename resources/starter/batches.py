"""Turns random dialogues into batches of fixed shapes for training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from .dialogues import Message, dialogue
from .entities import Entities
from .tokenizer import END, START

# oneDNN compiles its kernels for each shape, so there are only these lengths.
LENGTHS = (64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 1024)


@dataclass(frozen=True, slots=True)
class Sample:
    """A dialogue as token ids, with the spans (start, end) of the answers to learn, each up to its end token."""

    ids: list[int]
    spans: list[tuple[int, int]]
    messages: list[Message]


class Encoder:
    """Dialogues to token ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.start: int = tokenizer.token_to_id(START)
        self.end: int = tokenizer.token_to_id(END)
        self.newline: int = tokenizer.encode("\n").ids[0]

    def encode(self, messages: list[Message]) -> Sample:
        """The dialogue as it stands before a model, without the newline after the last end token."""
        ids: list[int] = []
        spans = []
        for message in messages:
            head = [self.start, *self.tokenizer.encode(f"{message.role}\n").ids]
            body = [*self.tokenizer.encode(message.text).ids, self.end]
            if message.learn:
                spans.append((len(ids) + len(head), len(ids) + len(head) + len(body)))
            ids += [*head, *body, self.newline]
        return Sample(ids[:-1], spans, messages)

    def batch(self, samples: list[Sample], length: int) -> tuple[Tensor, Tensor]:
        """Ids and the mask of what to learn, both (samples, length)."""
        ids = torch.full((len(samples), length), self.newline)
        mask = torch.zeros(len(samples), length, dtype=torch.bool)
        for row, sample in enumerate(samples):
            ids[row, : len(sample.ids)] = torch.tensor(sample.ids)
            for start, end in sample.spans:
                mask[row, start:end] = True
        return ids, mask


@dataclass
class Curriculum:
    """Short dialogues first, then longer ones. progress: the share of the training done, 0 to 1."""

    progress: float = 0.0

    @property
    def longest(self) -> int:
        """The most tokens a dialogue may have now."""
        for until, tokens in ((0.03, 96), (0.08, 192), (0.25, 448)):
            if self.progress < until:
                return tokens
        return 1024

    def draw(self, rng: random.Random) -> list[Message]:
        """A random dialogue for this stage."""
        entities = Entities(rng, rng.choice((0.3, 0.6, 0.9)))
        turns = None
        if self.progress < 0.08:
            turns = rng.choice((1, 1, 2, 2, 3))
        elif self.progress > 0.25:
            chance = rng.random()
            turns = rng.randrange(5, 11) if chance < 0.40 else rng.randrange(9, 16) if chance < 0.46 else None
        return dialogue(rng, entities, turns=turns, memory_share=rng.choice((0.3, 0.5, 0.65)))


def stream(encoder: Encoder, curriculum: Curriculum, tokens: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless fresh batches of about the given number of tokens, with one more column than the model reads."""
    rng = random.Random(seed)
    waiting: dict[int, list[Sample]] = {length: [] for length in LENGTHS}
    while True:
        sample = encoder.encode(curriculum.draw(rng))
        if len(sample.ids) > curriculum.longest or not sample.spans:
            continue
        length = next(size for size in LENGTHS if size >= len(sample.ids))
        waiting[length].append(sample)
        if len(waiting[length]) == tokens // length:
            yield encoder.batch(waiting[length], length + 1)
            waiting[length] = []

"""Prompt lookup: what followed the same words before is guessed to follow again, and checked in one decode.

Each token is still chosen by the sampler from its own logits, in its order, so a guess changes the speed and nothing
else: a wrong one is thrown away. It pays where a reply repeats its prompt, as in mending a text or a program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.core.stopping import StopFlag
from app.engine.decoder import Decoder
from app.engine.sampling import Sampler

_KEY = 3
"""So many ids must be the same for what followed them to be worth a guess."""
_FIRST, _MOST = 3, 15
"""Ids guessed at once, at first and while guesses hold: with the one before them 4 and 16, which kernels take best."""
_LONGEST_REST = 32


class Lookup:
    """The ids of a prompt and its reply so far, by the three before each."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._ids: list[int] = []
        self._places: dict[tuple[int, ...], int] = {}
        self._count = _FIRST
        self._rest, self._next_rest = 0, 1
        for token in tokens:
            self.see(token)

    def see(self, token: int) -> None:
        """Another id."""
        if len(self._ids) >= _KEY:
            self._places[tuple(self._ids[-_KEY:])] = len(self._ids)
        self._ids.append(token)
        self._rest -= 1

    def guess(self, most: int) -> list[int]:
        """What may come next; empty where nothing like it was seen, or guesses have failed lately."""
        place = self._places.get(tuple(self._ids[-_KEY:]))
        if place is None or self._rest > 0:
            return []
        return self._ids[place : place + min(self._count, most)]

    def learn(self, right: int, guessed: int) -> None:
        """How many of a guess were right: longer guesses after a good one, a rest after one that was all wrong."""
        if right == guessed:
            self._count, self._next_rest = min(_MOST, 2 * self._count + 1), 1
        elif right:
            self._count = _FIRST
        else:
            self._count, self._rest = _FIRST, self._next_rest
            self._next_rest = min(_LONGEST_REST, 2 * self._next_rest)


def choices(decoder: Decoder, sampler: Sampler, stop: StopFlag, lookup: Lookup) -> Iterator[int]:
    """Ids as they are chosen, several for one decode where guesses hold; until stopped or the context is full."""
    guess: list[int] = []
    right, at = 0, -1
    while not stop.is_set():
        token = sampler.choose(decoder.context, at)
        lookup.see(token)
        held = right < len(guess) and guess[right] == token
        if guess and not held:
            # what was guessed in vain is in the sequence
            decoder.sequence.cut(len(decoder.sequence.tokens) - (len(guess) - right))
            lookup.learn(right, len(guess))
            guess = []
        yield token
        if held:
            right, at = right + 1, at + 1
            continue
        room = decoder.n_ctx - len(decoder.sequence.tokens)
        if room <= 0:
            return
        guess = lookup.guess(min(room - 1, decoder.batch_tokens - 1))
        if not decoder.add_guess(token, guess):
            return
        right, at = 0, 0

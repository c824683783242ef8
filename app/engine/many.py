"""Several replies at once: sequences of one context, a token of each per decode, what they begin with read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.core.stopping import StopFlag
from app.engine.base import Failed, Reading, StopReason, Tagged, Wish
from app.engine.batch import Batch
from app.engine.cache import KvSequence
from app.engine.decoder import Decoder, Outcome
from app.engine.moving import common_length
from app.engine.reply import Reply
from app.engine.sampling import Sampler
from app.engine.writing import Writing

_ROWS = 4
_STEADY_TOKENS = 48
"""The longest batch of a steady run, rows that fill it up left out: attention takes another way from 64 on."""
_FILLER = 0
"""Any id of any vocabulary."""
_HEADROOM = 32
"""Tokens of room for each reply that a further one must leave free to begin."""


class _Running:
    """One request in the works: the ids that its sequence shall hold, prompt and reply, and what it waits for."""

    def __init__(self, index: int, wish: Wish, sequence: KvSequence, reply: Reply, sampler: Sampler) -> None:
        self.index = index
        self.request, self.stop = wish
        self.sequence = sequence
        self.reply = reply
        self.sampler = sampler
        self.wanted = list(self.request.tokens)
        self.shared = 0
        """So many first ids lie, or will lie, in cells that others have too."""
        self.leader: tuple[_Running, int] | None = None
        """Who is reading the same beginning, and how many ids of it are worth waiting for."""
        self.begun = False
        """Whether its sequence holds the first of its ids, and nothing else."""
        self.put_off = False
        """Whether it waits until there is room in the context."""
        self.told = False
        """Whether it was said how much of the prompt was there already."""
        self.over = False

    @property
    def missing(self) -> int:
        """Ids that are to be decoded before the next one can be chosen."""
        return len(self.wanted) - (len(self.sequence.tokens) if self.begun else 0)

    @property
    def cells(self) -> int:
        """Cells of the context that it takes for itself once all that is known of it is read."""
        return len(self.wanted) - self.shared

    @property
    def must_wait(self) -> bool:
        """Whether there is no room for it, or somebody else is about to have read what it begins with."""
        if self.put_off or self.leader is None:
            return self.put_off
        leader, length = self.leader
        gone = leader.over or leader.put_off
        return not gone and not (leader.begun and len(leader.sequence.tokens) >= length)

    def give_way(self) -> None:
        """Empty the sequence; it is read again when there is room. The reply so far and its sampler stay."""
        self.sequence.clear()
        self.put_off, self.begun, self.leader, self.shared = True, False, None, 0

    def reading(self) -> Reading:
        """How much of the prompt is in place."""
        total = len(self.request.tokens)
        return Reading(min(len(self.sequence.tokens), total), total)


class _Part(NamedTuple):
    """What of one request is in a batch: its ids, and where the logits behind them will be, if they are the last."""

    one: _Running
    ids: list[int]
    at: int | None


class Many:
    """Answers requests side by side; one run of `stream`, in one thread.

    In a steady run a reply does not depend on what else is in the works. llama.cpp's CPU kernels take rows four at a
    time and what is left over one by one, which rounds in another way: so every batch is filled up to a multiple of
    four rows, and so are those whose logits are wanted. Attention adds up in the order of cells, so a request begins
    with a sequence that was not used yet, and cells come free in one go: in a steady run that began from scratch only
    while nothing is in the works, for what goes on would go on in cells in front of its own. What chats have read is
    not borrowed, as it was read otherwise.
    """

    def __init__(
        self, decoder: Decoder, writing: Writing, stop: StopFlag, *, steady: bool, from_scratch: bool = False
    ) -> None:
        self._steady = steady
        self._in_order = steady and from_scratch
        self._laid = 0
        """In a run whose cells stay in order, so many hold what is ended."""
        self._most = (
            max(_ROWS, min(_STEADY_TOKENS, decoder.batch_tokens - 2 * _ROWS)) if steady else decoder.batch_tokens
        )
        self._decoder = decoder
        self._writing = writing
        self._stop = stop
        self._running: list[_Running] = []
        self._batch = Batch(decoder.llama, decoder.batch_tokens)
        self._limit = self._most
        self._taken = 0
        self._over = self._nothing_now = False

    def stream(self, wishes: Iterator[Wish | None], width: int) -> Iterator[Tagged]:
        """See `Engine.stream_many`."""
        self._decoder.obey(self._stop)
        cache = self._decoder.cache
        try:
            while True:
                yield from self._take(wishes, width)
                if not self._running:
                    return
                yield from _together(self._prepared())
                yield from _together(self._step())
        finally:
            for one in self._running:
                one.sampler.close()
                if self._decoder.cache is cache:  # else these are of a context that is gone
                    cache.spare.append(one.sequence)

    def _take(self, wishes: Iterator[Wish | None], width: int) -> Iterator[Tagged]:
        """Begin with further requests while there is a place for them."""
        while len(self._running) < width and self._decoder.cache.spare and not self._stop.is_set():
            if self._over or self._nothing_now or any(one.put_off for one in self._running):
                return
            if self._in_order and all(idle.tokens for idle in self._decoder.cache.spare):
                if self._running:
                    return
                self._forget_ended()
            wish = next(wishes, self)
            self._over, self._nothing_now = wish is self, wish is None
            if wish is None or isinstance(wish, Many):
                return
            index, self._taken = self._taken, self._taken + 1
            refusal = self._writing.refusal(wish[0])
            if refusal is None:
                self._begin(index, wish)
            else:
                yield Tagged(index, Failed(refusal))

    def _begin(self, index: int, wish: Wish) -> None:
        request = wish[0]
        spare = self._decoder.cache.spare
        sequence = next((idle for idle in spare if not idle.tokens), spare[0])
        one = _Running(index, wish, sequence, self._writing.begin(request), self._writing.sampler(request.sampling))
        one.sampler.see(request.tokens)
        spare.remove(sequence)
        self._running.append(one)
        self._look_around(one)
        one.put_off = not self._fits(one)

    def _look_around(self, one: _Running) -> None:
        """Find out who has read the beginning of its ids, or is about to."""
        one.shared, _lender = self._lender(one)
        for other in self._running:
            if other is not one and not other.put_off and _begins_longer(other.wanted, one.wanted, one.shared):
                coming = min(common_length(other.wanted, one.wanted), len(one.wanted) - 1)
                if coming > one.shared:
                    one.leader, one.shared = (other, coming), coming

    def _lender(self, one: _Running) -> tuple[int, KvSequence]:
        """How many of its first ids are in place somewhere, and where; the last is always left to be read."""
        cache = self._decoder.cache
        places = [one.sequence, *(cache.spare if self._steady else cache.lenders)]
        places += [other.sequence for other in self._running if other.begun]
        length, lender = 0, one.sequence
        for place in places:
            if _begins_longer(place.tokens, one.wanted, length):
                here = min(common_length(place.tokens, one.wanted), place.exact)
                if here > length:
                    length, lender = here, place
        return min(length, len(one.wanted) - 1), lender

    def _fits(self, one: _Running) -> bool:
        """Whether there is room for it beside the others; what is idle makes room, chats last."""
        cache, n_ctx = self._decoder.cache, self._decoder.n_ctx
        going = [other for other in self._running if other is one or not other.put_off]
        needed = sum(other.cells + _HEADROOM for other in going)
        if self._in_order:
            if self._laid + needed > n_ctx and len(going) == 1:
                self._forget_ended()
            return self._laid + needed <= n_ctx or len(going) == 1
        while cache.used + needed > n_ctx and cache.give_room(one.sequence):
            pass
        return cache.used + needed <= n_ctx or len(going) == 1

    def _forget_ended(self) -> None:
        """Let go of what was read for replies that are ended."""
        for idle in self._decoder.cache.spare:
            idle.clear()
        self._laid = 0

    def _prepared(self) -> Iterator[Tagged]:
        """End what was stopped, and let the others begin that can."""
        for one in list(self._running):
            if self._stop.is_set() or one.stop.is_set():
                yield from self._end(one, StopReason.STOPPED)
        for one in self._running:
            if not one.begun and not one.must_wait:
                again = one.told
                self._take_over(one)
                if not again:
                    yield Tagged(one.index, one.reading())

    def _step(self) -> Iterator[Tagged]:
        """One decode, and what comes of it."""
        parts = self._filled()
        if parts and self._decoded([part.one for part in parts]):
            for part in parts:
                part.one.sequence.tokens.extend(part.ids)
            yield from self._written(parts)

    def _take_over(self, one: _Running) -> None:
        """Let its sequence hold what is in place of the beginning of its ids."""
        length, lender = self._lender(one)
        if lender is one.sequence:
            one.sequence.cut(length)
        else:
            one.sequence.borrow(lender, length)
        one.begun, one.leader, one.shared = True, None, length
        if not one.told:
            one.told, one.reply.cached_tokens = True, len(one.sequence.tokens)

    def _filled(self) -> list[_Part]:
        """The next batch: a token of each reply first, then prompts, those that came first to their end."""
        self._batch.clear()
        parts = []
        for one in sorted(self._running, key=lambda one: one.missing > 1):
            room = min(self._batch.room, self._limit - len(self._batch))
            if room > 0 and one.begun:
                start = len(one.sequence.tokens)
                ids = one.wanted[start : start + room]
                whole = start + len(ids) == len(one.wanted)
                at = self._batch.add(ids, start, one.sequence.sequence, int(whole))
                parts.append(_Part(one, ids, at if whole else None))
        if parts and self._steady:
            outputs = -sum(part.at is not None for part in parts) % _ROWS
            rows = -len(self._batch) % _ROWS
            rows += _ROWS if rows < outputs else 0
            if rows:
                self._batch.add([_FILLER] * rows, 0, self._decoder.filler_sequence, outputs)
        return parts

    def _decoded(self, ones: list[_Running]) -> bool:
        """Decode the batch; False when nothing came of it, with all sequences as before.

        Raises:
            EngineError: llama.cpp failed.
        """
        outcome = self._decoder.decode(self._batch)
        if self._steady:
            self._decoder.forget_fillers()
        if outcome == Outcome.DONE:
            self._limit = self._most
            return True
        if outcome not in (Outcome.NO_ROOM, Outcome.ABORTED):
            raise self._decoder.broken(outcome)
        for one in ones:
            one.sequence.cut(len(one.sequence.tokens))
        if outcome == Outcome.NO_ROOM:
            self._make_room(ones)
        return False

    def _make_room(self, ones: list[_Running]) -> None:
        """What is idle goes first, then the reply that came last waits, then the batch gets smaller."""
        if self._decoder.cache.give_room(ones[0].sequence):
            return
        going = [one for one in self._running if not one.put_off]
        if len(going) > 1:
            going[-1].give_way()
        elif len(self._batch) > 1:
            self._limit = len(self._batch) // 2
        else:
            raise self._decoder.broken(Outcome.NO_ROOM)

    def _written(self, parts: list[_Part]) -> Iterator[Tagged]:
        """Choose the next id where there are logits, and tell what came."""
        told: list[Tagged] = []
        ended: list[tuple[_Running, StopReason]] = []
        for one, _ids, at in parts:
            if len(one.wanted) == len(one.request.tokens):
                told.append(Tagged(one.index, one.reading()))
            if at is None:
                continue
            token = one.sampler.choose(self._decoder.context, at)
            delta, reason = self._writing.grow(one.reply, token)
            if delta is not None:
                told.append(Tagged(one.index, delta))
                one.wanted.append(token)
            if reason is None and len(one.sequence.tokens) >= self._decoder.n_ctx:
                reason = StopReason.CONTEXT
            if reason is not None:
                ended.append((one, reason))
        yield from told
        for one, reason in ended:
            yield from self._end(one, reason)

    def _end(self, one: _Running, reason: StopReason) -> Iterator[Tagged]:
        """The last events of a reply. Its place, and what was read for it, are free for the next."""
        events = list(self._writing.end(one.reply, reason, one.sampler.seed))
        one.over = True
        one.sampler.close()
        self._running.remove(one)
        self._decoder.cache.spare.append(one.sequence)
        self._laid += max(0, len(one.sequence.tokens) - one.shared)
        self._nothing_now = False
        waiting = next((other for other in self._running if other.put_off), None)
        if waiting is not None:
            self._look_around(waiting)
            waiting.put_off = not self._fits(waiting)
        for event in events:
            yield Tagged(one.index, event)


def _begins_longer(one: list[int], other: list[int], than: int) -> bool:
    """Whether more than so many first ids are the same: quick where they are not, which is nearly always."""
    return one[than : than + 1] == other[than : than + 1] != [] and one[:than] == other[:than]


def _together(events: Iterable[Tagged]) -> Iterator[Tagged]:
    """The same events, each of which knows whether others follow at once."""
    last: Tagged | None = None
    for told in [*events]:
        if last is not None:
            yield Tagged(last.index, last.event, more=True)
        last = told
    if last is not None:
        yield last

"""Many requests to one model, shared by its process and, where a core would be idle, by a second one beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

from app.core.errors import AppError
from app.core.fit import AUTO_SHARE
from app.core.stopping import StopFlag
from app.engine import memory
from app.engine.base import MOST_AT_ONCE, Tagged, Wish
from app.engine.child import give_way, has_data
from app.engine.engine_process import HostProcess

log = logging.getLogger(__name__)

Messages = Generator[tuple[Tagged, ...], None, None]
_TICK_S = 0.25
"""How often it is seen whether it shall stop, while nobody says anything."""


@dataclass(eq=False, slots=True)
class _Hand:
    """A process at work: which of all requests it was given, and what it says, step by step."""

    process: HostProcess
    given: list[int] = field(default_factory=list)
    messages: Messages | None = None


class Sharing:
    """Runs of `Engine.stream_many`. To who asks, the two processes are one engine: they fail as one.

    A model that is too small for two threads to help each other leaves all cores idle but one; a process of its own is
    what another core can have. The second one is started once there is more to do than the first takes at once, loads
    while that one works, and is gone at the end of the run. Where it cannot be had, or would not be just the same as
    the first, the first does all.
    """

    def __init__(self, first: HostProcess, start: Callable[[], HostProcess] | None) -> None:
        """`start` starts another process like the first; None for runs that are never shared."""
        self._first = first
        self._start = start
        self._wishes: Iterator[Wish | None] = iter(())
        self._count = 0
        self.asking = first
        """The process that waits for its next request, and can answer what is asked to make it; else the first."""

    def run(
        self, wishes: Iterator[Wish | None], stop: StopFlag, width: int, *, from_scratch: bool
    ) -> Generator[Tagged, None, None]:
        """The events of one run.

        Raises:
            EngineDiedError: one of the processes ended; both are gone then.
        """
        self._wishes, self._count = wishes, 0
        first, second = _Hand(self._first), None
        first.messages = self._asked(first, stop, width, from_scratch=from_scratch)
        hands, may_share = [first], from_scratch
        try:
            while first in hands or (second in hands and second.given):
                for hand in _ready(hands, stop):
                    said = self._said(hand)
                    if said is None:
                        hands.remove(hand)
                        self._let_go(hand)
                    for told in said or ():
                        yield Tagged(hand.given[told.index], told.event, told.more)
                if may_share and self._count > min(width, MOST_AT_ONCE):
                    may_share, second = False, self._helper(stop, width)
                    hands += [second] if second is not None else []
        finally:
            for hand in reversed(hands):
                self._let_go(hand)

    def _asked(self, hand: _Hand, stop: StopFlag, width: int, *, from_scratch: bool) -> Messages:
        """What it says of what it does, once it was asked to."""
        messages = hand.process.messages_of_many(self._wishes_of(hand), stop, width, from_scratch)
        next(messages)
        return messages

    def _wishes_of(self, hand: _Hand) -> Iterator[Wish | None]:
        """What all are asked, as one of them gets it."""
        while True:
            self.asking = hand.process
            try:
                wish = next(self._wishes)
            except StopIteration:
                return
            finally:
                self.asking = self._first
            if wish is not None:
                hand.given.append(self._count)
                self._count += 1
            yield wish

    def _said(self, hand: _Hand) -> tuple[Tagged, ...] | None:
        """What it says next; None at its end."""
        try:
            return None if hand.messages is None else next(hand.messages, None)
        except BaseException:
            if hand.process is not self._first:
                self._first.end()
            raise

    def _helper(self, stop: StopFlag, width: int) -> _Hand | None:
        """A second process on its way, where that is worth it."""
        if self._start is None or not self._leaves_a_core(width):
            return None
        try:
            hand = _Hand(self._start())
        except OSError as error:
            log.warning("No second process could be started for the engine, so one does it all: %s", error)
            return None
        give_way(hand.process.pid)
        hand.messages = self._helps(hand, stop, width)
        next(hand.messages)
        return hand

    def _helps(self, hand: _Hand, stop: StopFlag, width: int) -> Messages:
        """Load, then do what the first has not taken."""
        work = self._first.work
        try:
            for _ in hand.process.loading(work.path, work.loading, stop):
                yield ()
        except AppError as error:
            log.warning("A second process could not load the model, so one does it all: %s", error)
            return
        # else an answer could depend on who gives it, as with less context where memory is short
        if hand.process.work.facts == work.facts:
            yield from self._asked(hand, stop, width, from_scratch=True)

    def _let_go(self, hand: _Hand) -> None:
        """Whoever is in the middle is stopped; the second process has nothing to write down, and may be loading."""
        if hand.process is not self._first:
            hand.process.kill()
            hand.process.end()
        if hand.messages is not None:
            hand.messages.close()

    def _leaves_a_core(self, width: int) -> bool:
        """Whether the model computes on one thread of its own accord, and there is room for it once more."""
        loading, facts = self._first.work.loading, self._first.work.facts
        if facts is None or width < facts.n_at_once:
            return False
        if facts.gpu_layers or facts.placement.threads != 1 or loading.threads is not None:
            return False
        free = memory.free_bytes()
        taken = sum(part.total for part in facts.placement.placed)
        return memory.physical_cores() > 1 and (free is None or taken <= free * AUTO_SHARE)


def _ready(hands: list[_Hand], stop: StopFlag) -> list[_Hand]:
    """Those that have something to say; who is waited for alone is watched by its own process's object."""
    if len(hands) == 1 or stop.is_set():
        return hands[:1]
    ready = [hand for hand in hands if hand.process.has_said]
    if not ready:
        has_data([hand.process.ear for hand in hands], _TICK_S)
    return ready

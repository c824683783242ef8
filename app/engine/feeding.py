"""How the engine's process gets requests that are answered side by side: one at a time, whenever it has a place."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from app.core.errors import AppError
from app.core.stopping import StopFlag
from app.engine.base import Done, Failed, Tagged, Wish
from app.engine.wire import Channel, Closed

PLACES = 64
"""Requests that can be in the works at once; more than any engine takes."""
_FIRST_FLAG = 64
WANT, WISH, NOTHING, OVER = "want", "wish", "nothing", "over"
"""The process asks with "want" and a place; the answer is a request, nothing for now, or that there are no more."""


def flag_at(place: int) -> int:
    """Where in the file of flags the one of a place begins; it is two bytes long."""
    return _FIRST_FLAG + 2 * place


class Feed(Iterator[Wish | None]):
    """The program's requests, as the engine's process sees them. Asking waits for the program's answer."""

    def __init__(
        self, channel: Channel, flag_of: Callable[[int], StopFlag], answer: Callable[[str, tuple[Any, ...]], None]
    ) -> None:
        """`flag_of` gives the flag of a place, which the program sets to stop the request there.

        `answer` answers what the program asks first in order to make its next request, such as a prompt.
        """
        self._channel = channel
        self._answer = answer
        self._flag_of = flag_of
        self._free = list(range(PLACES))
        self._places: dict[int, int] = {}
        self._count = 0

    def __next__(self) -> Wish | None:
        """The next request; None for nothing now.

        Raises:
            Closed: the program is gone.
        """
        place = self._free[0]
        self._channel.send(WANT, place)
        while True:
            kind, values = self._channel.receive()
            if kind == NOTHING:
                return None
            if kind == OVER:
                raise StopIteration
            if kind == WISH:
                break
            try:
                self._answer(kind, values)
            except AppError as error:
                self._channel.send("error", error)
        self._free.remove(place)
        self._places[self._count] = place
        self._count += 1
        return values[0], self._flag_of(place)

    def note(self, told: Tagged) -> None:
        """Hear what the program is told: a request that is over leaves its place to another."""
        if isinstance(told.event, Done | Failed):
            self._free.append(self._places.pop(told.index))


class Places:
    """The requests that the process has, by their place, and their flags: the program's side of a `Feed`."""

    def __init__(self, channel: Channel, flags: mmap.mmap) -> None:
        """`flags` is the file that both have mapped."""
        self._channel = channel
        self._file = flags
        self._flags: dict[int, StopFlag] = {}
        self._passing = threading.RLock()
        """Held while a place goes from one request to the next; whoever stops one is in another thread."""
        self.handing_over = False
        """Whether the process waits for its next request, and answers what is asked meanwhile."""

    def hand_over(self, place: int, wishes: Iterator[Wish | None]) -> None:
        """Answer the process, which waits for a request for this place."""
        with self._passing:
            self._flags.pop(place, None)
        wish: Wish | tuple[()] | None = ()
        self.handing_over = True
        try:
            wish = next(wishes, ())
        finally:
            self.handing_over = False
            with suppress(Closed, ValueError):  # closed or gone: reading will tell
                if wish:
                    request, flag = wish
                    with self._passing:
                        self._file[flag_at(place) : flag_at(place) + 1] = b"\0"
                        self._flags[place] = flag
                    flag.tell(partial(self._stop, place, flag))
                    self._channel.send(WISH, request)
                else:
                    self._channel.send(NOTHING if wish is None else OVER)

    def clear(self) -> None:
        """The process has none of them any more."""
        self._flags.clear()

    def _stop(self, place: int, flag: StopFlag) -> None:
        """Tell the process to stop this one, if it still has the place; from any thread."""
        with self._passing, suppress(ValueError):
            if self._flags.get(place) is flag:
                self._file[flag_at(place) : flag_at(place) + 1] = b"x"

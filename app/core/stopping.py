"""One flag that stops long work, readable from Python and, without the GIL, from C."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class StopFlag:
    """Set once by whoever wants the work to end; read by the worker between steps.

    The flag is a C string: empty while the work may go on, one character long once it shall stop. llama.cpp is given
    libc's `strlen` as its abort callback and `address` as the callback's data, so it reads the flag in the middle of a
    decode without ever taking the GIL.
    """

    def __init__(self) -> None:
        self._text = ctypes.create_string_buffer(2)
        self._heard: list[Callable[[], None]] = []

    @property
    def address(self) -> int:
        """Where the C string lies; valid as long as this object lives."""
        return ctypes.addressof(self._text)

    def set(self) -> None:
        """Ask the work to end; from any thread, any number of times."""
        self._text[0] = b"x"
        for tell in tuple(self._heard):
            tell()

    def tell(self, tell: Callable[[], None]) -> None:
        """Call this at the moment when the flag is set, in the thread that sets it; at once if it is set already.

        It may be called twice.
        """
        self._heard.append(tell)
        if self.is_set():
            tell()

    def untell(self, tell: Callable[[], None]) -> None:
        """Do not call this any more; harmless when it was not to be called."""
        with suppress(ValueError):
            self._heard.remove(tell)

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """As `tell`, as long as the block runs."""
        self.tell(tell)
        try:
            yield
        finally:
            self.untell(tell)

    def is_set(self) -> bool:
        """Whether the work shall end."""
        return self._text[0] != b"\0"

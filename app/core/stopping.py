"""One flag that stops long work, readable from Python and, without the GIL, from C."""

from __future__ import annotations

import ctypes


class StopFlag:
    """Set once by whoever wants the work to end; read by the worker between steps.

    The flag is a C string: empty while the work may go on, one character long once it shall stop. llama.cpp is given
    libc's `strlen` as its abort callback and `address` as the callback's data, so it reads the flag in the middle of a
    decode without ever taking the GIL.
    """

    def __init__(self) -> None:
        self._text = ctypes.create_string_buffer(2)

    @property
    def address(self) -> int:
        """Where the C string lies; valid as long as this object lives."""
        return ctypes.addressof(self._text)

    def set(self) -> None:
        """Ask the work to end; from any thread, any number of times."""
        self._text[0] = b"x"

    def is_set(self) -> bool:
        """Whether the work shall end."""
        return self._text[0] != b"\0"

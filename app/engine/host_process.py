"""The engine's own process: loads one model and answers requests on its standard streams until they close.

Started by `host.py` as `orcinus --engine-host FLAG_FILE`. Whatever llama.cpp does in here, even
ending the process, the program with the window goes on. When that program ends, however it ends, the stream of requests
closes, and so this process ends too.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.core.errors import AppError, EngineError
from app.core.stopping import StopFlag
from app.engine.base import Engine
from app.engine.wire import Channel, Closed

_PROGRESS_S = 0.03

Load = Callable[..., Engine | None]


class SharedStopFlag(StopFlag):
    """A StopFlag whose bytes lie in a file that both processes have mapped."""

    def __init__(self, path: str) -> None:
        super().__init__()
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._text = (ctypes.c_char * 2).from_buffer(self._map)


def main(flag_file: str) -> int:
    """Serve the process that started this one; returns its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the program, which then says what to do
    channel = _take_streams()
    faulthandler.enable(2)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # late: nothing of the above needs it, and a parent that is gone already saves its 0.2 s
    from app.engine.devices import report_aborts_to
    from app.engine.llama import load

    report_aborts_to(2)
    serve(channel, SharedStopFlag(flag_file), load)
    return 0


def serve(channel: Channel, stop: SharedStopFlag, load: Load) -> None:
    """Answer requests until the other side is gone."""
    engine: Engine | None = None
    with suppress(Closed):
        try:
            while True:
                kind, values = channel.receive()
                try:
                    if kind == "load":
                        engine = _load(channel, stop, load, *values)
                    elif engine is None:
                        raise EngineError("The model is not loaded", "It was closed.", "Load it again.")
                    else:
                        _answer(channel, stop, engine, kind, values)
                except AppError as error:
                    channel.send("error", error)
        finally:
            if engine is not None:
                engine.close()


def _load(channel: Channel, stop: SharedStopFlag, load: Load, path: str, loading: Any) -> Engine | None:
    last = 0.0

    def progressed(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _PROGRESS_S or fraction >= 1:
            last = now
            channel.send("progress", fraction)

    engine = load(path, loading, stop, progressed)
    channel.send("loaded", engine.facts if engine is not None else None)
    return engine


def _answer(channel: Channel, stop: SharedStopFlag, engine: Engine, kind: str, values: tuple[Any, ...]) -> None:
    if kind == "stream":
        for event in engine.stream(values[0], stop):
            channel.send("event", event)
        channel.send("ended")
    elif kind == "render":
        turns, reply = values
        channel.send("value", engine.render(turns, reply=reply))
    elif kind == "count":
        channel.send("value", engine.count(values[0]))
    elif kind == "keep_in":
        engine.keep_in(*values)
        channel.send("value", None)
    elif kind == "drop":
        engine.drop(*values)
        channel.send("value", None)
    elif kind == "rest":
        engine.rest()
        channel.send("value", None)
    else:
        raise EngineError("The engine was asked for something it does not know", kind)


def _take_streams() -> Channel:
    """The pipes to the parent, in a safe place: what anything here prints goes to standard error instead."""
    requests, answers = os.dup(0), os.dup(1)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)
    os.dup2(2, 1)
    return pipe_channel(requests, answers)


def pipe_channel(read_fd: int, write_fd: int) -> Channel:
    """A channel over two pipes that blocks."""
    if sys.platform == "win32":
        import msvcrt

        for fd in (read_fd, write_fd):
            msvcrt.setmode(fd, os.O_BINARY)

    def read(count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            piece = os.read(read_fd, min(count - len(parts), 1 << 20))
            if not piece:
                raise Closed
            parts += piece
        return bytes(parts)

    def write(data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(write_fd, view) :]
        except OSError as error:
            raise Closed from error

    return Channel(read, write)

"""The engine's own process: loads one model and answers requests on its standard streams until they close.

Started by `engine_process.py` as `orcinus --engine-host FLAG_FILE [LIFELINE]`. Whatever llama.cpp does in here, even
ending the process, the program with the window goes on. When that program ends, however it ends, the stream of requests
closes, and so this process ends too; the lifeline sees to it where llama.cpp hangs.
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
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from app.core.errors import AppError, EngineError
from app.core.stopping import StopFlag
from app.engine import trial
from app.engine.base import Engine, Tagged
from app.engine.feeding import Feed, flag_at
from app.engine.wire import Channel, Closed

_PROGRESS_S = 0.03
_LOAD_SHARE = 0.8
"""Of a trial's progress; the rest is for what is done with the loaded model."""

Load = Callable[..., Engine | None]


class SharedStopFlag(StopFlag):
    """A StopFlag whose bytes lie in a file that both processes have mapped."""

    def __init__(self, path: str) -> None:
        super().__init__()
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        if os.name != "nt":  # there a file that is open cannot go; here its name would outlive a kill of both
            with suppress(OSError):
                os.unlink(path)
        self._text = (ctypes.c_char * 2).from_buffer(self._map)

    def of_place(self, place: int) -> StopFlag:
        """The flag of one of several requests that are answered side by side, in the same file."""
        flag = StopFlag()
        flag._text = (ctypes.c_char * 2).from_buffer(self._map, flag_at(place))  # noqa: SLF001 - a flag of this kind
        return flag


def main(flag_file: str, lifeline: str = "") -> int:
    """Serve the process that started this one; returns its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the program, which then says what to do
    if lifeline:
        end_with(int(lifeline))
    _offer_to_the_system()
    channel = _take_streams()
    faulthandler.enable(2)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # late: nothing of the above needs it, and a parent that is gone already saves its 0.2 s
    from app.engine.devices import report_aborts_to
    from app.engine.llama import load

    report_aborts_to(2)
    serve(channel, SharedStopFlag(flag_file), load, partial(load, check_weights=True), _machine)
    return 0


def serve(
    channel: Channel,
    stop: SharedStopFlag,
    load: Load,
    load_for_trial: Load | None = None,
    machine: Callable[[], tuple[str, bool]] = lambda: ("", False),
) -> None:
    """Answer requests until the other side is gone.

    `machine` describes what the engine runs on, and whether there is a GPU in it.
    """
    engine: Engine | None = None
    with suppress(Closed):
        try:
            while True:
                kind, values = channel.receive()
                try:
                    if kind == "load":
                        channel.send("machine", *machine())
                        engine = _load(channel, stop, load, *values)
                        channel.send("loaded", engine.facts if engine is not None else None)
                    elif kind == "try":
                        channel.send("machine", *machine())
                        _try(channel, stop, load_for_trial or load, *values)
                        channel.send("tried")
                    elif engine is None:
                        raise EngineError("The model is not loaded", "It was closed.", "Load it again.")
                    else:
                        _answer(channel, stop, engine, kind, values)
                except AppError as error:
                    channel.send("error", error)
        finally:
            if engine is not None:
                engine.close()


def _load(
    channel: Channel, stop: SharedStopFlag, load: Load, path: str, loading: Any, share: float = 1.0
) -> Engine | None:
    last = 0.0

    def progressed(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _PROGRESS_S or fraction >= 1:
            last = now
            channel.send("progress", fraction * share)

    return load(path, loading, stop, progressed)


def _try(channel: Channel, stop: SharedStopFlag, load: Load, path: str, loading: Any) -> None:
    """Do all that a reply would need of a file, and let go of it again."""
    engine = _load(channel, stop, load, path, trial.loading_for_trial(loading), _LOAD_SHARE)
    if engine is None:
        return
    try:
        for done, _ in enumerate(trial.steps(engine, stop), 1):
            channel.send("progress", 1 - (1 - _LOAD_SHARE) * 0.9**done)
    finally:
        engine.close()


def _answer(channel: Channel, stop: SharedStopFlag, engine: Engine, kind: str, values: tuple[Any, ...]) -> None:
    if kind == "stream":
        for event in engine.stream(values[0], stop):
            channel.send("event", event)
        channel.send("ended")
    elif kind == "stream_many":
        feed = Feed(channel, stop.of_place, partial(_answer, channel, stop, engine))
        width, from_scratch = values
        _tell_many(channel, feed, engine.stream_many(feed, stop, width, from_scratch=from_scratch))
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
        engine.rest(stop)
        channel.send("value", None)
    else:
        raise EngineError("The engine was asked for something it does not know", kind)


def _tell_many(channel: Channel, feed: Feed, events: Iterator[Tagged]) -> None:
    """Tell what happens, all that comes of one decode in one message: each wakes the program up, which takes time."""
    held: list[Tagged] = []
    try:
        for told in events:
            feed.note(told)
            held.append(told)
            if not told.more:
                channel.send("events", tuple(held))
                held.clear()
    finally:
        if held:  # what came before a failure
            channel.send("events", tuple(held))


def end_with(lifeline: int, signal_number: int = 10) -> None:
    """End this process some seconds after the other end of this pipe was closed, whatever it is at then.

    Most often it has seen by itself that nobody asks any more, and is done with what had to be written. But code that
    hangs in a driver never looks, nor would it let a handler of Python's run. So the handler is libc's own `alarm`,
    which is called with the signal's number, and that many seconds later the alarm ends the process.
    """
    if sys.platform == "win32":
        return
    import fcntl

    libc = ctypes.CDLL(None)
    libc.signal.argtypes, libc.signal.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    if not hasattr(fcntl, "F_SETSIG"):  # macOS knows but one signal for it
        signal_number = signal.SIGIO
    libc.signal(signal_number, ctypes.cast(libc.alarm, ctypes.c_void_p))
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal_number)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        if not os.read(lifeline, 1):  # it was closed before we listened
            signal.alarm(int(signal_number))


def _offer_to_the_system() -> None:
    """Where memory runs out, this process shall go and not the one with the window."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("600")


def _machine() -> tuple[str, bool]:
    """What llama.cpp is and finds here, for a report, and whether a GPU is in it."""
    from app.engine.devices import library

    native = library()
    gpus = [f"{gpu.name} ({gpu.description}), {gpu.total_bytes >> 20:,} MiB" for gpu in native.gpus()]
    system = " ".join(native.llama.llama_print_system_info().decode("utf-8", "replace").split())
    return f"GPUs: {'; '.join(gpus) or 'none'}\nllama.cpp: {system}", bool(gpus)


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

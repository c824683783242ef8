"""A process of our own that runs an engine: its pipes, its flag, its end and its last words.

The process is this same program with another first argument. Requests and answers go over its standard streams; the
flag that stops work is one byte of a file that both have mapped, so llama.cpp can read it in the middle of a decode.
"""

from __future__ import annotations

import logging
import math
import mmap
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any

from app.core.errors import AppError, EngineDiedError, EngineError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.base import Event, ModelFacts, Request, Tagged, Wish
from app.engine.child import command, has_data, import_path, state_of, tie_to_this_process
from app.engine.death import Work, died
from app.engine.feeding import WANT, Places
from app.engine.wire import Channel, Closed

log = logging.getLogger(__name__)

_TICK_S = 0.25
"""How often a silent process is looked after. Seldom: whoever waits takes time from the threads that compute."""
_CLOSE_S = 2.5
"""So that all memory is free again within three seconds, whatever the process is at."""
_STOP_S = 20.0
"""A process that goes on for so long after it was asked to stop is ended: a driver hangs."""
_ANSWER_S = 60.0
"""A question that is answered at once is given up after so long: a driver hangs, or llama.cpp does."""
_WRITE_S = 600.0
"""As `_ANSWER_S`, where gigabytes may have to be written for it first."""
_WORKED_S = 5.0
"""CPU seconds within which a process shows progress if it ever does."""
_REPORT_BYTES = 8000


class HostProcess:
    """One process, its pipes and its last words. Used by one thread at a time."""

    def __init__(self, start: Sequence[str] = ()) -> None:
        """`start` is the program with its first arguments; this one's engine process when left out."""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
        flag, self._flag_path = tempfile.mkstemp(prefix="orcinus-flag-")
        os.write(flag, bytes(mmap.PAGESIZE))
        self._flag = mmap.mmap(flag, mmap.PAGESIZE)
        os.close(flag)
        self._ended = False
        self.work = Work()
        try:
            self._process, self._lifeline = self._started(start)
        except OSError:
            self._clear()
            raise
        self._job = tie_to_this_process(self._process)
        self._stop = StopFlag()
        self._asked_at: float | None = None
        self._stop_s = _STOP_S
        self._patience_s = math.inf
        self._killed = False
        self._held = bytearray()
        self._channel = Channel(self._read, self._write)
        self._places = Places(self._channel, self._flag)

    @property
    def pid(self) -> int:
        """For tests and the log."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can still be asked something."""
        return not self._ended and self._process.poll() is None

    @property
    def ear(self) -> int:
        """The file descriptor of the pipe that it speaks into."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    @property
    def has_said(self) -> bool:
        """Whether there is something to hear, or nothing any more."""
        return bool(self._held) or self._ended or has_data([self.ear], 0)

    def load(
        self, path: str, loading: Loading, stop: StopFlag, on_progress: Callable[[float], None]
    ) -> ModelFacts | None:
        """Load the model; None when stopped."""
        for _ in self.loading(path, loading, stop, on_progress):
            pass
        return self.work.facts

    def loading(
        self, path: str, loading: Loading, stop: StopFlag, on_progress: Callable[[float], None] = lambda _fraction: None
    ) -> Iterator[None]:
        """Load the model step by step: the first asks for it, each further one hears what the process says.

        Then `work.facts` are there, None when stopped.
        """
        self.work = Work("load", path, loading)
        answers = self._ask(stop, "load", path, loading)
        yield
        for kind, values in answers:
            if kind == "loaded":
                self.work.facts = values[0]
                return
            self._hear(kind, values, on_progress)
            yield
        raise AssertionError("a load ends in an answer or an error")

    def try_file(
        self,
        path: str,
        loading: Loading,
        stop: StopFlag,
        on_progress: Callable[[float], None],
        patience_s: float,
    ) -> bool:
        """Do with a file all that a reply would need of it. False when stopped; then the process is gone.

        It is ended when it shows no progress for `patience_s`.

        Raises:
            EngineDiedError: the file cost the process.
            AppError: the file was refused.
        """
        self.work = Work("try", path, loading)
        self._patience_s, self._stop_s = patience_s, 0.0
        try:
            for kind, values in self._ask(stop, "try", path, loading):
                if kind == "tried":
                    return not stop.is_set()
                self._hear(kind, values, on_progress)
        except EngineDiedError:
            if stop.is_set():
                return False
            raise
        raise AssertionError("a trial ends in an answer or an error")

    def value(self, kind: str, *values: Any, stop: StopFlag | None = None) -> Any:
        """The answer to a question that is answered at once; the process is ended when it is not."""
        if self._places.handing_over:
            answers = self._answers(StopFlag(), kind, *values)
        else:
            self.work.doing = kind
            answers = self._ask(stop or StopFlag(), kind, *values)
        before, self._patience_s = self._patience_s, _WRITE_S if kind == "rest" else _ANSWER_S
        try:
            for _kind, answer in answers:
                return answer[0]
        finally:
            self._patience_s = before
        raise AssertionError("a question ends in an answer or an error")

    def events(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """The events of a reply. One that is left in the middle is stopped."""
        answers = self._ask(stop, "stream", request)
        self.work.doing = "stream"
        over = False
        try:
            for kind, values in answers:
                if kind == "ended":
                    over = True
                    return
                yield values[0]
        except AppError:
            over = True
            raise
        finally:
            if not over:
                stop.set()
                with suppress(AppError):
                    for kind, _values in answers:
                        if kind == "ended":
                            break

    def messages_of_many(
        self, wishes: Iterator[Wish | None], stop: StopFlag, width: int, from_scratch: bool
    ) -> Generator[tuple[Tagged, ...], None, None]:
        """The events of several replies, step by step: the first asks, each further one hears one message.

        Some tell nothing. What is left in the middle is stopped.
        """
        answers = self._ask(stop, "stream_many", width, from_scratch)
        self.work.doing = "stream"
        over = False
        try:
            yield ()
            while True:
                try:
                    kind, values = next(answers)
                except AppError:
                    over = True
                    raise
                if kind == WANT:
                    self._places.hand_over(values[0], wishes)
                    yield ()
                elif kind == "ended":
                    over = True
                    return
                else:
                    yield values[0]
        finally:
            if not over and not self._ended:
                stop.set()
                with suppress(AppError):
                    for kind, values in answers:
                        if kind == "ended":
                            break
                        if kind == WANT:
                            self._places.hand_over(values[0], iter(()))
            self._places.clear()

    def kill(self) -> None:
        """End it at once, as the program is closed; from any thread. Whoever waits for it is told that it died."""
        self._killed = True
        with suppress(OSError):
            self._process.kill()

    def end_or_tell(self) -> None:
        """As `end`.

        Raises:
            EngineDiedError: the process had ended by itself before, unnoticed.
        """
        if not self._ended and self._process.poll() is not None:
            self.work.doing = ""
            raise self._died()
        self.end()

    def end(self) -> None:
        """Close the pipes, wait, and end the process if it does not end by itself; harmless when repeated."""
        if self._ended:
            return
        self._ended = True
        self._flag[0:1] = b"x"
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._clear()
        if self._lifeline is not None:
            os.close(self._lifeline)
        del self._job

    def _started(self, start: Sequence[str]) -> tuple[subprocess.Popen[bytes], int | None]:
        """The process, and a pipe's end that is closed when this process is gone, however that comes."""
        ours, theirs = (None, None) if sys.platform == "win32" else os.pipe()[::-1]
        try:
            process = subprocess.Popen(
                [*(start or command()), self._flag_path, *([] if theirs is None else [str(theirs)])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                env={**os.environ, "PYTHONPATH": import_path(), "PYTHONUNBUFFERED": "1"},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                pass_fds=() if theirs is None else (theirs,),
            )
        except OSError:
            if ours is not None:
                os.close(ours)
            raise
        finally:
            if theirs is not None:
                os.close(theirs)
        return process, ours

    def _hear(self, kind: str, values: tuple[Any, ...], on_progress: Callable[[float], None]) -> None:
        """What it says while it loads: first of the machine, then how far it is."""
        if kind == "machine":
            self.work.machine, self.work.has_gpu = values
        else:
            on_progress(values[0])

    def _clear(self) -> None:
        self._stderr.close()
        self._flag.close()
        with suppress(OSError):
            os.unlink(self._flag_path)

    def _ask(self, stop: StopFlag, kind: str, *values: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Send a request; the answers come as long as somebody asks for more.

        Raises:
            AppError: the process reports one; EngineDiedError when it is gone.
        """
        if self._ended:
            raise _closed()
        self._stop, self._asked_at = stop, None
        self._flag[0:1] = b"\0"
        return self._answers(stop, kind, *values)

    def _pass_on(self) -> None:
        """Tell the process to stop; from any thread."""
        with suppress(ValueError):  # it has ended, and the file is closed
            self._flag[0:1] = b"x"

    def _answers(self, stop: StopFlag, kind: str, *values: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
        with suppress(Closed):  # it is gone: hearing will tell
            self._channel.send(kind, *values)
        return self._heard(stop)

    def _heard(self, stop: StopFlag) -> Iterator[tuple[str, tuple[Any, ...]]]:
        try:
            with stop.telling(self._pass_on):
                while True:
                    answer, found = self._channel.receive()
                    if answer == "error":
                        raise found[0]
                    yield answer, found
        except Closed:
            raise _closed() if self._ended else self._died() from None

    def _read(self, count: int) -> bytes:
        stream, held = self._process.stdout, self._held
        assert stream is not None
        while len(held) < count:
            if self._ended:  # by whoever left a reply in the middle
                raise Closed
            self._wait_for_data(stream.fileno())
            piece = os.read(stream.fileno(), 1 << 16)
            if not piece:
                raise Closed
            held += piece
        found = bytes(held[:count])
        del held[:count]
        return found

    def _wait_for_data(self, fd: int) -> None:
        """Wait until there is something to read, or the process hangs."""
        began = time.monotonic()
        used_s = state_of(self._process.pid)[1] if self._patience_s < math.inf else 0.0
        while True:
            if self._stop.is_set() and self._asked_at is None:
                self._asked_at = time.monotonic()
            if has_data([fd], _TICK_S):
                return
            since, limit_s = (began, self._patience_s) if self._asked_at is None else (self._asked_at, self._stop_s)
            if time.monotonic() - since > limit_s:
                if self._asked_at is None and self._waits_for_its_turn(used_s):
                    began = time.monotonic()
                    continue
                self.work.silent_s = limit_s
                self._process.kill()

    def _waits_for_its_turn(self, used_s: float) -> bool:
        """Whether other programs, or a slow disk, kept the process from doing anything, rather than what it is at."""
        state, now_s = state_of(self._process.pid)
        return state in ("R", "D") and now_s - used_s < _WORKED_S

    def _write(self, data: bytes) -> None:
        stream = self._process.stdin
        assert stream is not None
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(stream.fileno(), view) :]
        except OSError as error:
            raise Closed from error

    def _died(self) -> EngineDiedError:
        """What is known of the end of the process; it is cleared away."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        code = self._process.poll()
        size = os.fstat(self._stderr.fileno()).st_size
        self._stderr.seek(max(0, size - _REPORT_BYTES))
        said = self._stderr.read().decode("utf-8", "replace").strip()
        self.end()
        self.work.ended_by_us = self._killed
        error = died(self.work, code, said)
        if not (self._killed or (self._stop.is_set() and self.work.doing == "try")):
            log.error("%s", error.report)
        return error


def _closed() -> EngineError:
    return EngineError("The model is not loaded", "It was closed.", "Load it again.")

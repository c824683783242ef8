"""An engine in a process of its own, behind the same contract: what kills it costs one reply, not the window.

The process is this same program with another first argument. Requests and answers go over its standard streams; the
flag that stops work is one byte of a file that both have mapped, so llama.cpp can read it in the middle of a decode.
"""

from __future__ import annotations

import logging
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.errors import AppError, EngineDiedError, EngineError
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine.base import Event, ModelFacts, Prompt, Request, Turn
from app.engine.wire import Channel, Closed

log = logging.getLogger(__name__)

FLAG = "--engine-host"
_TICK_S = 0.01
"""How often the flag of whoever waits is looked at while the process is silent."""
_CLOSE_S = 3.0
_STOP_S = 20.0
"""A process that goes on for so long after it was asked to stop is ended: a driver hangs."""
_REPORT_BYTES = 8000


def load(
    path: str,
    loading: Loading,
    stop: StopFlag,
    on_progress: Callable[[float], None] = lambda _fraction: None,
    start: Sequence[str] = (),
) -> HostedEngine | None:
    """Start a process and load a model in it; None when stopped meanwhile. As `llama.load`, and with its errors.

    Raises:
        EngineDiedError: the process ended while it loaded.
        OSError: no process could be started.
    """
    process = HostProcess(start)
    try:
        facts = process.load(path, loading, stop, on_progress)
    except BaseException:
        process.end()
        raise
    if facts is None:
        process.end()
        return None
    return HostedEngine(process, facts)


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
        try:
            self._process = self._started(start)
        except OSError:
            self._clear()
            raise
        self._job = _tie_to_this_process(self._process)
        self._stop = StopFlag()
        self._asked_at: float | None = None
        self._held = bytearray()
        self._channel = Channel(self._read, self._write)

    @property
    def pid(self) -> int:
        """For tests and the log."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can still be asked something."""
        return not self._ended and self._process.poll() is None

    def load(
        self, path: str, loading: Loading, stop: StopFlag, on_progress: Callable[[float], None]
    ) -> ModelFacts | None:
        """Load the model; None when stopped."""
        for kind, values in self._ask(stop, "load", path, loading):
            if kind == "loaded":
                return values[0]  # type: ignore[no-any-return]
            on_progress(values[0])
        raise AssertionError("a load ends in an answer or an error")

    def value(self, kind: str, *values: Any) -> Any:
        """The answer to a question that is answered at once."""
        for _kind, answer in self._ask(StopFlag(), kind, *values):
            return answer[0]
        raise AssertionError("a question ends in an answer or an error")

    def events(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """The events of a reply. One that is left in the middle is stopped."""
        answers = self._ask(stop, "stream", request)
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
        del self._job

    def _started(self, start: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*(start or command()), self._flag_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": _import_path(), "PYTHONUNBUFFERED": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def _clear(self) -> None:
        self._stderr.close()
        self._flag.close()
        with suppress(OSError):
            os.unlink(self._flag_path)

    def _ask(self, stop: StopFlag, kind: str, *values: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Send a request and yield the answers, as long as somebody asks for more.

        Raises:
            AppError: the process reports one; EngineDiedError when it is gone.
        """
        if self._ended:
            raise EngineError("The model is not loaded", "It was closed.", "Load it again.")
        self._stop, self._asked_at = stop, None
        self._flag[0:1] = b"\0"
        try:
            self._channel.send(kind, *values)
            while True:
                answer, found = self._channel.receive()
                if answer == "error":
                    raise found[0]
                yield answer, found
        except Closed:
            raise self._died() from None

    def _read(self, count: int) -> bytes:
        stream, held = self._process.stdout, self._held
        assert stream is not None
        while len(held) < count:
            self._wait_for_data(stream.fileno())
            piece = os.read(stream.fileno(), 1 << 16)
            if not piece:
                raise Closed
            held += piece
        found = bytes(held[:count])
        del held[:count]
        return found

    def _wait_for_data(self, fd: int) -> None:
        """Wait until there is something to read, passing on the wish to stop meanwhile."""
        while True:
            if self._stop.is_set() and self._asked_at is None:
                self._asked_at = time.monotonic()
                self._flag[0:1] = b"x"
            if _has_data(fd, _TICK_S):
                return
            if self._asked_at is not None and time.monotonic() - self._asked_at > _STOP_S:
                log.error("The engine's process did not stop within %s s and is ended", _STOP_S)
                self._process.kill()

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
        report = self._stderr.read().decode("utf-8", "replace").strip()
        self.end()
        log.error("The engine's process ended with %s:\n%s", code, report)
        return EngineDiedError(
            "The engine stopped unexpectedly",
            f"{_reason(code)} What had come of the reply is kept.",
            "Send the message again: the model is loaded anew. If it happens again, lower the context or the number "
            "of layers on the GPU, or choose another file of this model.",
            report,
        )


class HostedEngine:
    """The contract of an engine, kept by a process. Used by one thread at a time."""

    def __init__(self, process: HostProcess, facts: ModelFacts) -> None:
        self._process = process
        self._facts = facts
        self.on_end: Callable[[bool], None] = lambda _died: None
        """Told once when the process is over, and whether it ended by itself."""

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        return self._facts

    @property
    def process(self) -> HostProcess:
        """Where it runs."""
        return self._process

    def tell(self, notice: str) -> None:
        """Add a sentence for the person to what is known of the model."""
        self._facts = replace(self._facts, notices=(*self._facts.notices, notice))

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """The exact prompt for these turns."""
        with self._watched():
            prompt: Prompt = self._process.value("render", tuple(turns), reply)
            return prompt

    def count(self, text: str) -> int:
        """How many tokens a text is on its own."""
        with self._watched():
            return int(self._process.value("count", text))

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply; see the contract."""
        if not self._process.is_alive:
            self.count("")  # raises what there is to tell
        return self._stream(request, stop)

    def keep_in(self, folder: str, limit_bytes: int) -> None:
        """Keep snapshots of conversations there."""
        with self._watched():
            self._process.value("keep_in", folder, limit_bytes)

    def drop(self, conversation: int) -> None:
        """Forget a conversation, and its snapshot."""
        with self._watched():
            self._process.value("drop", conversation)

    def rest(self) -> None:
        """Write the snapshots that are out of date."""
        with self._watched():
            self._process.value("rest")

    def close(self) -> None:
        """End the process, which writes its snapshots first and gives all its memory back."""
        self._process.end()
        self._over(died=False)

    def _stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        with self._watched():
            yield from self._process.events(request, stop)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except EngineDiedError:
            self._over(died=True)
            raise

    def _over(self, *, died: bool) -> None:
        tell, self.on_end = self.on_end, lambda _died: None
        tell(died)


def command() -> list[str]:
    """How the process is started: the bundle's own executable, or Python with this package."""
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    return [*start, FLAG]


def _import_path() -> str:
    """Where the process finds this very package, whatever its working directory."""
    return str(Path(__file__).resolve().parent.parent.parent)


def _reason(code: int | None) -> str:
    if code is None:
        return "Its process no longer answers."
    if code < 0:
        name = signal.Signals(-code).name if -code in {one.value for one in signal.Signals} else str(-code)
        words = {
            "SIGABRT": "llama.cpp gave up on an error of its own.",
            "SIGSEGV": "llama.cpp crashed.",
            "SIGBUS": "The model's file changed or its disk failed while it was in use.",
            "SIGKILL": "The system ended its process; most often memory had run out.",
            "SIGILL": "This processor lacks an instruction that llama.cpp used.",
        }
        return words.get(name, f"Its process was ended by {name}.")
    return f"Its process ended with code {code}."


if sys.platform == "win32":
    from app.engine.windows_pipes import has_data as _has_data
    from app.engine.windows_pipes import tie_to_this_process as _tie_to_this_process
else:
    import select

    def _has_data(fd: int, timeout_s: float) -> bool:
        """Whether reading would not wait; looks for so long."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def _tie_to_this_process(process: subprocess.Popen[bytes]) -> object:
        """The process looks after itself: see `host_process`."""
        return process

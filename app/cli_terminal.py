"""What words of the command line share: an end in good order, progress on one line, tables and JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

from app.core.errors import AppError, UsageError
from app.core.library import DownloadState, LocalModel
from app.core.stopping import StopFlag
from app.services.speed import Speed
from app.storage.importing import Stopped

if TYPE_CHECKING:
    from app.hub.download import Step

INTERRUPTED = 130
MISSED = 3
"""The exit code where a threshold was missed."""

_PLAIN_S = 5.0
_JSON_S = 1.0
_BAR = 24


class ProgressLine:
    """Shows progress on stderr, or as JSON objects on stdout, one a line."""

    def __init__(
        self,
        size_bytes: int,
        *,
        as_json: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size_bytes
        self._as_json = as_json
        self._stream = stream or (sys.stdout if as_json else sys.stderr)
        self._clock = clock
        self._speed = Speed(clock)
        self._on_terminal = not as_json and self._stream.isatty()
        self._drawn = 0
        # a file of short work shall hold nothing but its outcome
        self._told = (float("-inf"), "") if as_json or self._on_terminal else (clock(), str(DownloadState.RUNNING))
        self._have = 0

    @property
    def words(self) -> str:
        """How far it is: "1.2 of 4.4 GB"."""
        return f"{gigabytes(self._have)} of {gigabytes(self._size)}"

    def show(self, step: Step) -> None:
        """Show a step of a download."""
        if self._told[1] != step.state:
            self._speed = Speed(self._clock)
        self._show(str(step.state), step.have_bytes, step.retry_in_s, step.trouble.title if step.trouble else "")

    def show_bytes(self, have_bytes: int) -> None:
        """Show how much was read or copied."""
        self._show(str(DownloadState.RUNNING), have_bytes, 0.0, "")

    def finish(self) -> None:
        """Everything is there."""
        if not self._as_json:
            self.show_bytes(self._size)

    def close(self) -> None:
        """Leave the terminal's line."""
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()
            self._drawn = 0

    def _show(self, state: str, have: int, retry_in_s: float, trouble: str) -> None:
        self._have = have
        self._speed.at(have)
        now = self._clock()
        told_at, told_state = self._told
        every_s = 0.0 if self._on_terminal else _JSON_S if self._as_json else _PLAIN_S
        if now - told_at < every_s and state == told_state and have < self._size:
            return
        self._told = (now, state)
        speed = self._speed.now()
        if self._as_json:
            known = {"state": state, "have_bytes": have, "size_bytes": self._size}
            self._write(json.dumps(known | {"bytes_per_s": round(speed), "retry_in_s": retry_in_s}) + "\n")
            return
        text = self._text(state, have, speed, retry_in_s, trouble)
        if not self._on_terminal:
            self._write(text + "\n")
            return
        text = text[: max(10, shutil.get_terminal_size().columns - 1)]
        self._write("\r" + text.ljust(self._drawn))
        self._drawn = len(text)

    def _text(self, state: str, have: int, speed: float, retry_in_s: float, trouble: str) -> str:
        share = min(1.0, have / self._size) if self._size else 1.0
        bar = f"[{'#' * round(share * _BAR):<{_BAR}}] {int(share * 100):3}%  {self.words}"
        if state == DownloadState.WAITING:
            # the reason matters more than the bar where the line is short
            return f"{int(share * 100):3}%  {self.words}  waiting, next try in {retry_in_s:.0f} s: {trouble}"
        if state == DownloadState.VERIFYING:
            return f"{bar}  checking"
        left = f", {_duration((self._size - have) / speed)} left" if speed > 0 and have < self._size else ""
        return f"{bar}  {speed / 1e6:.1f} MB/s{left}"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def gigabytes(size_bytes: int) -> str:
    """A size for people: "4.37 GB", or in MB below a tenth of one."""
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"


def _duration(seconds: float) -> str:
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {left:02} s" if minutes else f"{left} s"


def in_one_line(do: Callable[[argparse.Namespace], int], asked: argparse.Namespace) -> int:
    """Do it; trouble that was foreseen is one line, whatever it takes in the window."""
    try:
        return do(asked)
    except AppError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def watched(asked: argparse.Namespace, work: Any) -> Any:
    """Run a generator of (bytes done, to do) with a progress line; its result, None when it was stopped."""
    line: ProgressLine | None = None
    try:
        while True:
            done, whole = next(work)
            line = line or ProgressLine(whole, as_json=asked.json)
            line.show_bytes(done)
    except StopIteration as end:
        return end.value
    except Stopped:
        return None
    finally:
        if line is not None:
            line.close()


@contextmanager
def stop_on_interrupt() -> Iterator[StopFlag]:
    """Ctrl+C, or the end of the session, pauses in good order."""
    stop = StopFlag()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except AppError:
        if stop.is_set():  # a question that was withdrawn comes back as an error nobody needs to read
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell(asked: argparse.Namespace, model: LocalModel, text: str, **more: Any) -> None:
    """Say what became of a model: `text`, or for programs its facts and `more`."""
    if asked.json:
        print_json(asdict(model) | more)
    else:
        print(text)


def print_json(value: Any) -> None:
    """One line, in ASCII, whatever stdout can write."""
    print(json.dumps(value), flush=True)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns under each other; what came from the Hub cannot steer the terminal."""
    clean = [["".join(c for c in cell if c.isprintable()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)] if clean else []
    for row in clean:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

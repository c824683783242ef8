"""How far long work is, on a terminal as one line that is drawn again, elsewhere as a line now and then."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from app.core.library import DownloadState
from app.hub.download import Step
from app.services.speed import Speed

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
        self._told: tuple[float, str] = (float("-inf"), "")
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
        self._show("", have_bytes, 0.0, "")

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
            known = {"state": state or "running", "have_bytes": have, "size_bytes": self._size}
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
            return f"{bar}  waiting, next try in {retry_in_s:.0f} s: {trouble}"
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

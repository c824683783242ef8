"""Progress on one line, and an end in good order."""

from __future__ import annotations

import io
import json
import os
import signal

import pytest

from app.cli_terminal import ProgressLine, gigabytes, print_table, stop_on_interrupt
from app.core.errors import HubUnreachableError
from app.core.library import DownloadState, Trouble
from app.hub.download import Step

GB = 1_000_000_000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_terminal_has_one_line_that_is_drawn_again():
    clock, screen = Clock(), Terminal()
    line = ProgressLine(4 * GB, stream=screen, clock=clock)
    for have in (0, GB, 2 * GB):
        line.show(Step(DownloadState.RUNNING, have))
        clock.now += 2
    line.finish()
    line.close()
    drawn = screen.getvalue()
    assert drawn.count("\n") == 1
    assert drawn.endswith("\n")
    half = drawn.split("\r")[3]
    assert "50%" in half
    assert "2.00 GB of 4.00 GB" in half
    assert "500.0 MB/s, 4 s left" in half
    assert "100%" in drawn.split("\r")[4]


def test_waiting_says_how_long_and_why_and_checking_says_so():
    screen = Terminal()
    line = ProgressLine(GB, stream=screen)
    line.show(Step(DownloadState.WAITING, 0, 12.4, Trouble("There is no connection")))
    line.show(Step(DownloadState.VERIFYING, GB // 2))
    line.close()
    assert "waiting, next try in 12 s: There is no connection" in screen.getvalue()
    assert "checking" in screen.getvalue()


def test_elsewhere_a_plain_line_comes_now_and_then():
    clock, stream = Clock(), io.StringIO()
    line = ProgressLine(GB, stream=stream, clock=clock)
    for tenth in range(100):
        line.show(Step(DownloadState.RUNNING, tenth * GB // 100))
        clock.now += 0.1
    line.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1, "every five seconds"
    assert "\r" not in stream.getvalue()


def test_trouble_is_told_elsewhere_at_once():
    stream = io.StringIO()
    line = ProgressLine(GB, stream=stream)
    line.show(Step(DownloadState.RUNNING, 5))
    line.show(Step(DownloadState.WAITING, 5, 3.0, Trouble("There is no connection")))
    assert "There is no connection" in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


def test_programs_get_one_object_a_line():
    stream = io.StringIO()
    line = ProgressLine(GB, as_json=True, stream=stream)
    line.show(Step(DownloadState.RUNNING, 5))
    line.show(Step(DownloadState.WAITING, 5, 3.0))
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["state"], first["have_bytes"], first["size_bytes"]) == ("running", 5, GB)
    assert (second["state"], second["retry_in_s"]) == ("waiting", 3.0)


def test_a_table_cannot_steer_the_terminal(capsys):
    print_table([("a\x1b[2J", "b"), ("long name", "c")])
    assert capsys.readouterr().out == "a[2J       b\nlong name  c\n"


@pytest.mark.parametrize(("size", "words"), [(4_368_439_584, "4.37 GB"), (2_700_000, "2.7 MB"), (0, "0.0 MB")])
def test_sizes_are_for_people(size, words):
    assert gigabytes(size) == words


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_sets_the_flag_and_a_question_withdrawn_by_it_is_no_error():
    before = signal.getsignal(signal.SIGINT)

    def interrupted() -> None:
        with stop_on_interrupt() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.is_set()
            raise HubUnreachableError("The question to the Hub was withdrawn")

    def unreachable() -> None:
        with stop_on_interrupt():
            raise HubUnreachableError("Really")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(HubUnreachableError):
        unreachable()

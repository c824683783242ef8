"""The flag that stops long work: read from anywhere, and told to whoever asked."""

from __future__ import annotations

import ctypes

from app.core.stopping import StopFlag


def test_c_code_reads_an_empty_string_until_it_is_set():
    flag = StopFlag()
    assert ctypes.string_at(flag.address) == b""
    flag.set()
    assert ctypes.string_at(flag.address) == b"x"
    assert flag.is_set()


def test_whoever_asked_is_told_at_the_moment_it_is_set():
    flag, told = StopFlag(), []
    with flag.telling(lambda: told.append("inside")):
        assert told == []
        flag.set()
        assert told == ["inside"]
    flag.set()
    assert told == ["inside"], "after the block nobody is told"


def test_whoever_asks_too_late_is_told_at_once():
    flag, told = StopFlag(), []
    flag.set()
    flag.tell(lambda: told.append("late"))
    assert told == ["late"]


def test_taking_back_what_was_not_asked_is_harmless():
    StopFlag().untell(lambda: None)

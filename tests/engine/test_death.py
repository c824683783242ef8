"""What is said of an engine's end, by the number that the system gives for it."""

from __future__ import annotations

import pytest

from app.engine.death import Work, died

WINDOWS = {
    3: "gave up on an error of its own",
    0xC0000409: "gave up on an error of its own",
    0xC0000005: "llama.cpp crashed",
    0xC00000FD: "llama.cpp crashed",
    0xC000001D: "lacks an instruction",
    0xC0000006: "file changed or its disk failed",
    0xC0000094: "crashed over a number",
    0xC0000017: "memory had run out",
    0xC000012D: "memory had run out",
    1: "ended with code 1",
}


@pytest.mark.parametrize(("code", "words"), WINDOWS.items(), ids=[hex(code) for code in WINDOWS])
def test_the_numbers_of_windows_are_told_in_the_same_sentences(code, words):
    error = died(Work("stream", "a.gguf"), code, "", windows=True)
    assert words in error.detail
    assert error.by_system == ("memory had run out" in words)
    assert (f"0x{code:08X}" if code > 3 else f"with {code}:") in error.report


def test_a_small_number_elsewhere_means_nothing_of_the_kind():
    assert "ended with code 3" in died(Work("stream", "a.gguf"), 3, "", windows=False).detail


def test_who_ended_a_silent_process_is_not_the_system():
    assert not died(Work("load", "a.gguf", silent_s=60), -9, "").by_system
    closed = died(Work("load", "a.gguf", ended_by_us=True), -9, "")
    assert (closed.by_us, closed.by_system) == (True, False)
    assert died(Work("load", "a.gguf"), -9, "").by_system

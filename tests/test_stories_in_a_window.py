"""The stories in a real window, on a real X server with a window manager; where there is one they are played there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STORIES = (
    "tests/test_stories.py",
    "tests/ui/test_compare_view.py::test_two_prompts_answer_one_message_and_differ",
    "tests/ui/test_rating_in_window.py::test_ten_pairs_are_rated_blind_by_keyboard_and_the_louder_one_wins",
)
MISSING = [name for name in ("Xvfb", "openbox") if not shutil.which(name)]


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A display of the test's own, with a window manager: without one no window ever becomes active."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as told:
        name = ":" + told.readline().strip()
    manager = subprocess.Popen(
        ["openbox"], env={**os.environ, "DISPLAY": name}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield name
    for process in (manager, server):
        process.terminate()
        process.wait(300)


@pytest.mark.long
@pytest.mark.window
@pytest.mark.plays(*([] if MISSING else STORIES))
@pytest.mark.skipif(bool(MISSING), reason=f"no real window can be had here: {', '.join(MISSING)} missing")
def test_the_stories_hold_in_a_real_window(display):
    environment = {**os.environ, "DISPLAY": display, "ORCINUS_TEST_WINDOW": "1", "QT_QPA_PLATFORM": "xcb"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *STORIES, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=550,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]

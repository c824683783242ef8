"""A network where looking up a name takes minutes: the program ends all the same, at once and in good order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.library import Download, DownloadState, RemoteFile, Wanted
from app.storage.stores import open_stores

ROOT = Path(__file__).parent.parent
HANGS = """
import os, runpy, socket, sys, time

def look_up(*_, **__):
    os.write(2, b"looking up a name\\n")
    time.sleep(300)

socket.getaddrinfo = look_up
sys.argv = ["orcinus", *sys.argv[1:]]
runpy.run_module("app", run_name="__main__")
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals end a program at once there")


@contextmanager
def looking_up(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program, while it waits for a name to be looked up."""
    environ = {**os.environ, "HF_ENDPOINT": "https://hub.example"}
    command = [sys.executable, "-c", HANGS, *arguments]
    running = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
    given_up = threading.Timer(300, running.kill)
    given_up.start()
    try:
        assert running.stderr is not None
        assert "looking up a name\n" in iter(running.stderr.readline, "")
        yield running
    finally:
        running.kill()
        given_up.cancel()
        running.communicate()


def test_a_question_on_the_command_line_can_be_withdrawn():
    with looking_up("models", "search", "whale") as running:
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=300)
        assert running.returncode == 130
        assert "Traceback" not in err


def test_the_window_closes_and_the_download_waits_for_the_next_time(home):
    wanted = Wanted("a/b", "0" * 40, "Q8_0", (RemoteFile("b.Q8_0.gguf", 10**6, "0" * 64),), "B", "https://hub.example")
    stores = open_stores(home / "orcinus.db")
    stores.downloads.save(Download(1, wanted, DownloadState.RUNNING), str(home / "models"))
    stores.close()
    with looking_up() as running:
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=300)
        assert running.returncode == 0
        assert "Traceback" not in err
    stores = open_stores(home / "orcinus.db")
    assert [row.download.state for row in stores.downloads.all()] == [DownloadState.RUNNING]
    assert stores.remembered().notices == ()
    stores.close()

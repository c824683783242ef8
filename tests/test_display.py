"""Whether a window can be shown is found out before Qt tries, which would end the program without a word."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.display import has_display

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems name them otherwise")

REFUSED = struct.pack("<BBHHH", 0, 4, 11, 0, 1) + b"no!\n"
LET_IN = struct.pack("<BBHHH", 1, 0, 11, 0, 8) + bytes(32)


@contextmanager
def x_server(answer: bytes) -> Iterator[str]:
    """Somebody who answers like an X server; its display's name."""
    number = free_number()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0/tmp/.X11-unix/X{number}")  # no file, as in a sandbox
        server.listen()
        server.settimeout(10)

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.settimeout(10)
                caller.recv(4096)
                caller.sendall(answer)
                caller.recv(1)  # until they hang up

        thread = threading.Thread(target=serve)
        thread.start()
        yield f":{number}"
        thread.join()


def free_number() -> int:
    """Of a display that nobody has; several tests may run at once."""
    numbers = random.sample(range(900, 9000), 100)
    return next(number for number in numbers if not os.path.exists(f"/tmp/.X11-unix/X{number}"))


@pytest.mark.parametrize("display", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_display_that_nobody_serves_any_more_is_as_none(home, tmp_path, display):
    name = f":{free_number()}" if display == "DISPLAY" else "wayland-9"
    left_out = {"QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"}
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    more = {display: name, "XDG_RUNTIME_DIR": str(tmp_path), "ORCINUS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT, env={**environment, **more}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"The display {name} cannot be reached" in done.stdout
    assert "python -m app ask" in done.stdout
    assert "Ada" in done.stdout.splitlines()[-2]
    assert not done.stderr


def test_an_x_server_that_lets_this_person_in_is_a_display():
    with x_server(LET_IN) as name:
        assert has_display({"DISPLAY": name})


def test_an_x_server_that_turns_this_person_away_is_none():
    with x_server(REFUSED) as name:
        assert not has_display({"DISPLAY": name})


def test_a_wayland_display_is_looked_for_where_its_name_says(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-1"))
        server.listen()
        assert has_display({"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": str(tmp_path)})
        assert has_display({"WAYLAND_DISPLAY": str(tmp_path / "wayland-1")})
        assert not has_display({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)})
    assert not has_display({"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": str(tmp_path)}), "only its file is left"


def test_where_one_of_two_displays_is_gone_the_other_counts(tmp_path):
    with x_server(LET_IN) as name:
        assert has_display({"DISPLAY": name, "WAYLAND_DISPLAY": "gone", "XDG_RUNTIME_DIR": str(tmp_path)})


@pytest.mark.parametrize("name", ["127.0.0.1:4999", "localhost:10999.0", "localhost:x", "nonsense", ":", "[::1]:4999"])
def test_a_display_of_another_machine_or_of_nobody_is_tried_too(name):
    assert not has_display({"DISPLAY": name})


def test_who_chose_the_platform_is_believed():
    assert has_display({"QT_QPA_PLATFORM": "offscreen"})
    assert has_display({}, "win32")
    assert has_display({}, "darwin")
    assert not has_display({}, "linux")

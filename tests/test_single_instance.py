"""One window per data folder: the second start asks the first, and a crash leaves nothing in the way."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

from app.single_instance import SingleInstance

ROOT = Path(__file__).parent.parent


def test_a_second_start_asks_the_first_and_hands_its_files_over(qtbot, tmp_path):
    first = SingleInstance(tmp_path / "orcinus.lock")
    first.listen()
    assert first.is_first
    second = SingleInstance(tmp_path / "orcinus.lock")
    assert not second.is_first
    with qtbot.waitSignal(first.asked) as heard:
        assert second.ask_the_first(["/models/ä.gguf"])
    assert heard.args == [("/models/ä.gguf",)]
    first.close()


def test_another_data_folder_has_a_window_of_its_own(qtbot, tmp_path):
    (tmp_path / "other").mkdir()
    first = SingleInstance(tmp_path / "orcinus.lock")
    other = SingleInstance(tmp_path / "other" / "orcinus.lock")
    assert first.is_first
    assert other.is_first
    first.close()
    other.close()


def test_a_lock_left_by_a_killed_program_is_taken_over(qtbot, tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication;"
        "from app.single_instance import SingleInstance; a = QCoreApplication([]);"
        "s = SingleInstance(Path(sys.argv[1])); assert s.is_first; os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "orcinus.lock")], cwd=ROOT, timeout=300)
    assert killed.returncode == -9
    assert (tmp_path / "orcinus.lock").exists()
    after = SingleInstance(tmp_path / "orcinus.lock")
    assert after.is_first
    after.close()


def test_nonsense_on_the_socket_is_no_trouble(qtbot, tmp_path):
    first = SingleInstance(tmp_path / "orcinus.lock")
    first.listen()
    second = SingleInstance(tmp_path / "orcinus.lock")
    from PySide6.QtNetwork import QLocalSocket

    socket = QLocalSocket()
    socket.connectToServer(second._name)
    assert socket.waitForConnected(2000)
    with qtbot.waitSignal(first.asked) as heard:
        socket.write(b"\xff{]\n")
        socket.flush()
    assert heard.args == [()]
    first.close()


def test_a_caller_that_is_slow_to_say_which_files_is_heard_all_the_same(qtbot, tmp_path):
    from PySide6.QtNetwork import QLocalSocket

    first = SingleInstance(tmp_path / "orcinus.lock")
    first.listen()
    told: list[tuple[str, ...]] = []
    first.asked.connect(told.append)
    slow, silent = QLocalSocket(), QLocalSocket()
    for socket in (silent, slow):
        socket.connectToServer(first._name)
        assert socket.waitForConnected(2000)
    qtbot.waitUntil(lambda: len(first._callers) == 2)
    qtbot.wait(400)
    assert told == []
    with qtbot.waitSignal(first.asked):
        slow.write(b'["a.gguf"]\n')
    assert told == [("a.gguf",)]
    with qtbot.waitSignal(first.asked):
        silent.abort()
    assert told == [("a.gguf",), ()], "who said nothing is heard of, too"
    first.close()


def test_a_second_start_waits_while_the_first_is_still_opening(qtbot, tmp_path):
    first = SingleInstance(tmp_path / "orcinus.lock")
    code = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication;"
        "from app import single_instance; single_instance._OPENING_MS = 300_000; a = QCoreApplication([]);"
        "s = single_instance.SingleInstance(Path(sys.argv[1])); assert not s.is_first; print('asking', flush=True);"
        "sys.exit(0 if s.ask_the_first(['a.gguf']) else 1)"
    )
    second = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "orcinus.lock")], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert second.stdout is not None
    assert second.stdout.readline() == b"asking\n"
    with qtbot.waitSignal(first.asked) as heard:
        first.listen()
    assert heard.args == [("a.gguf",)]
    second.stdout.close()
    assert second.wait(300) == 0
    first.close()


def test_of_many_that_start_at_once_one_is_the_first(qtbot, tmp_path):
    code = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication;"
        "from app.single_instance import SingleInstance; a = QCoreApplication([]);"
        "print('ready', flush=True); sys.stdin.readline();"
        "s = SingleInstance(Path(sys.argv[1])); print(s.is_first, flush=True); sys.stdin.readline()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with contextlib.ExitStack() as stack:
        starts = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "orcinus.lock")], cwd=ROOT, **pipes)
            )
            for _ in range(5)
        ]
        for child in starts:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in starts:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        told = [child.stdout.readline().strip() for child in starts if child.stdout is not None]
        assert sorted(told) == ["False"] * 4 + ["True"]
        for child in starts:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.close()

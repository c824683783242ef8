"""The program's own start and end: whatever state its files are in, a window opens and tells what is the matter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from app.core.errors import StorageError
from app.left_behind import LeftBehind, left_behind
from app.main import Program
from app.paths import find_paths
from app.storage.remembered import read_remembered
from app.storage.stores import open_stores

ROOT = Path(__file__).parent.parent


@pytest.fixture
def started(qtbot, qapp) -> Iterator[Callable[[], Program]]:
    """Start the program; it is closed when the test ends."""
    running: list[Program] = []

    def start() -> Program:
        program = Program(qapp, find_paths())
        running.append(program)
        program.open([])
        qtbot.waitUntil(lambda: program.window.page.session is not None and program.window.page.session.ready)
        return program

    yield start
    for program in running:
        program.window.close()
        assert program.close() == (True, True)
        program.window.deleteLater()
        program.deleteLater()
    qapp.processEvents()


def words(program: Program) -> str:
    labels = program.window.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def saved_chat(home: Path) -> Path:
    database = home / "orcinus.db"
    stores = open_stores(database)
    chat = stores.chats.create("starter", title="Whales")
    _, reply = stores.chats.add_turn(chat.id, None, "How do whales sleep?")
    stores.chats.append_chunk(reply.id, "With one half")
    stores.state.set("last_chat", chat.id)
    stores.close()
    return database


def test_a_reply_that_was_cut_off_is_kept_and_can_go_on(started, home, qtbot):
    saved_chat(home)
    program = started()
    session = program.window.page.session
    assert [message.text for message in session.path()] == ["How do whales sleep?", "With one half"]
    assert session.path()[-1].state == "interrupted"


def test_a_database_that_is_damaged_is_set_aside_and_the_window_says_so(started, home, qtbot):
    database = saved_chat(home)
    content = bytearray(database.read_bytes())
    content[0:4096] = os.urandom(4096)
    database.write_bytes(content)
    program = started()
    qtbot.waitUntil(lambda: "damaged" in words(program))
    assert [file for file in home.iterdir() if "damaged" in file.name], "the old file is kept"


def test_a_database_from_a_newer_version_is_left_alone_and_the_window_says_so(started, home, qtbot):
    database = saved_chat(home)
    connection = apsw.Connection(str(database))
    connection.pragma("user_version", 999)
    connection.pragma("journal_mode", "delete")
    connection.close()
    before = database.read_bytes()
    program = started()
    qtbot.waitUntil(lambda: "newer version" in words(program))
    session = program.window.page.session
    session.send("Hello")
    qtbot.waitUntil(lambda: not session.busy and len(session.path()) == 2)
    assert database.read_bytes() == before


def test_chats_in_memory_leave_alone_what_was_read_of_those_on_the_disk(started, home, qtbot):
    database = saved_chat(home)
    connection = apsw.Connection(str(database))
    connection.pragma("user_version", 999)
    connection.close()
    kept = home / "cache" / "kv" / "1.kv"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of the first chat")
    program = started()
    session = program.window.page.session
    session.send("Hello")
    qtbot.waitUntil(lambda: not session.busy and len(session.path()) == 2)
    assert session.chat.id == 1
    assert program._spare_lane.drain(30)  # tidying is done there
    assert kept.read_bytes() == b"of the first chat"
    assert not program._kept.folder


@pytest.fixture
def beside(tmp_path, monkeypatch) -> Path:
    """The folder beside the program that stands in for the usual one, with a chat in it."""
    monkeypatch.setattr("app.paths._program_dir", lambda: tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # nothing of the person who runs the suite
    saved_chat(tmp_path / "Orcinus data")
    return tmp_path / "Orcinus data"


def left_behind_now(home: Path) -> tuple[LeftBehind, ...]:
    stores = open_stores(home / "orcinus.db")
    try:
        return left_behind(stores, find_paths())
    finally:
        stores.close()


def asked_for(program: Program, qtbot) -> None:
    """Whatever the start asked of the disk was answered."""
    answered: list[object] = []
    program._archive.ask(lambda _: True, answered.append)
    qtbot.waitUntil(lambda: bool(answered))


def test_chats_in_a_folder_that_stood_in_are_told_of_until_that_is_enough(started, home, qtbot, beside):
    program = started()
    asked_for(program, qtbot)
    assert "1 chat is kept in another folder" in words(program)
    assert str(beside) in words(program)
    assert "ORCINUS_HOME" in words(program)
    (enough,) = (button for button in program.window.findChildren(QPushButton) if button.text() == "Do not tell again")
    enough.click()
    asked_for(program, qtbot)
    again = started()
    asked_for(again, qtbot)
    assert "another folder" not in words(again)
    saved_chat(beside)
    assert len(left_behind_now(home)) == 1, "there is another one now"


def test_who_works_in_the_folder_that_stood_in_is_told_nothing(started, home, qtbot, beside, monkeypatch):
    monkeypatch.setenv("ORCINUS_HOME", str(beside))
    program = started()
    asked_for(program, qtbot)
    assert [chat.title for chat in program.library.chats()] == ["Whales"]
    assert "another folder" not in words(program)


def test_a_damaged_setting_falls_back_and_the_rest_holds(started, home, qtbot):
    database = saved_chat(home)
    stores = open_stores(database)
    stores.settings.set("app", "theme", "purple")
    stores.settings.set("model:starter", "top_k", "lots")
    stores.settings.set("model:starter", "top_p", 0.5)
    stores.close()
    program = started()
    assert program.preferences.look().theme == "system"
    sampling = program.window.page.session.sampling()
    assert (sampling.top_k, sampling.top_p) == (40, 0.5)


def test_a_window_file_full_of_nonsense_is_no_trouble(started, home, qtbot):
    home.mkdir(parents=True, exist_ok=True)
    find_paths().window_file.write_bytes(os.urandom(2000))
    assert started().window.isVisible()


def test_a_second_start_ends_at_once_and_says_why(qapp, home):
    from app.single_instance import SingleInstance

    single = SingleInstance(find_paths().lock_file)
    single.listen()
    done = subprocess.run([sys.executable, "-m", "app"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0
    assert "open already" in done.stdout
    single.close()


def test_a_second_start_says_so_where_the_first_does_not_answer(home, tmp_path):
    from app.single_instance import SingleInstance

    single = SingleInstance(find_paths().lock_file)
    code = "import sys; from app import __main__, single_instance; single_instance._OPENING_MS = 500;"
    code += "sys.argv[0] = 'orcinus'; raise SystemExit(__main__.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.gguf")], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Orcinus is running already, but it does not answer. Nothing was opened.")
    single.close()


def is_open(home: Path) -> bool:
    try:
        return bool(read_remembered(home / "orcinus.db").last_model_id)
    except StorageError:  # it is just being made
        return False


@pytest.mark.skipif(os.name == "nt", reason="signals end a program at once there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_or_the_end_of_the_session_closes_the_window_in_good_order(home, number):
    running = subprocess.Popen([sys.executable, "-m", "app"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 300
    try:
        while not is_open(home) and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(number)
        _, err = running.communicate(timeout=300)
    finally:
        running.kill()
    assert running.returncode == 0
    assert "Traceback" not in err
    assert open_stores(home / "orcinus.db").remembered().notices == ()


def test_a_window_closed_while_the_chats_are_still_being_opened_ends_in_good_order(home):
    code = (
        "import app.opening as opening; from PySide6.QtCore import QTimer;"
        "build = opening.Opening._build;"
        "opening.Opening._build = lambda self: (QTimer.singleShot(0, self._window.close), build(self));"
        "raise SystemExit(opening.run([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_the_start_imports_nothing_heavy_before_the_window(home):
    code = (
        "import sys; import app.main, app.ui.main_window;"
        "heavy = {'llama_cpp.llama_cpp', 'numpy', 'ziamath', 'jinja2', 'huggingface_hub', 'pygments.lexers',"
        "'asyncio'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr

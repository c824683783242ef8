"""The window opens in steps: outlines first, then its parts, then the chats."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtWidgets import QFrame

from app.engine.scripted import Script
from app.ui.main_window import MainWindow
from app.ui.skeleton import Skeleton

ROOT = Path(__file__).parent.parent.parent


def test_the_frame_is_painted_before_there_is_anything_in_it(qtbot, build, hub_of, tmp_path):
    window = MainWindow(settings_file=str(tmp_path / "window.ini"))
    qtbot.addWidget(window)
    window.resize(1280, 820)
    with qtbot.waitSignal(window.painted):
        window.show()
    skeleton = window.centralWidget()
    assert isinstance(skeleton, Skeleton)
    frames = [frame for frame in skeleton.findChildren(QFrame) if frame.width() and frame.height()]
    assert len(frames) == 5
    services = build(Script())
    window.attach(services.library, services.models, services.preferences, hub_of(services))
    window.fill()
    assert window.centralWidget() is window.workspace
    assert window.page.session is not None
    window.close()


def test_a_frame_closed_before_it_was_filled_leaves_no_trouble(qtbot, tmp_path):
    window = MainWindow(settings_file=str(tmp_path / "window.ini"))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    assert window.close()


def test_a_file_opened_in_the_finder_is_heard_of():
    code = (
        "from PySide6.QtGui import QFileOpenEvent; from app.opening import Application; application = Application([]);"
        "heard = []; application.file_opened.connect(heard.append);"
        "application.sendEvent(application, QFileOpenEvent('/a b/c.gguf')); print(*heard)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.strip() == "/a b/c.gguf"


def test_nothing_heavy_is_imported_before_the_first_paint():
    code = (
        "import sys, app.opening; heavy = {'pygments', 'markdown_it', 'llama_cpp.llama_cpp', 'ziamath', 'jinja2',"
        "'apsw', 'numpy', 'ssl', 'asyncio', 'app.ui.workspace', 'app.engine.llama', 'PySide6.QtSvg',"
        "'PySide6.QtNetwork'};"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.split() == []


def test_markdown_and_highlighting_wait_until_there_is_something_to_show():
    code = (
        "import sys, app.ui.workspace; heavy = {'pygments', 'markdown_it', 'ziamath', 'llama_cpp.llama_cpp'};"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.split() == []

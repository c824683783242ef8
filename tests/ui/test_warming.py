"""Warming up: what the first reply needs is there before it, and a worker may load it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_everything_a_first_reply_needs_is_loaded_in_a_worker_without_a_window():
    code = (
        "import sys, threading; from app.ui.warming import warm_up;"
        "worker = threading.Thread(target=lambda: list(warm_up())); worker.start(); worker.join();"
        "wanted = {'app.ui.transcript', 'app.ui.chat_rows', 'ziamath', 'pygments.lexers.python', 'markdown_it'};"
        "print(sorted(wanted - set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr

"""The release of llama.cpp is told as the installer of packages knows it."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from app.engine import release


def test_it_is_the_installed_one():
    assert release.release() == f"llama-cpp-python {metadata.version(release.BINDINGS)}"


def test_where_no_folder_tells_it_the_installed_packages_are_asked(monkeypatch):
    monkeypatch.setattr(release, "find_spec", lambda _name: None)
    assert release.version.__wrapped__() == metadata.version(release.BINDINGS)
    monkeypatch.setattr(release, "BINDINGS", "no-such-bindings")
    assert release.version.__wrapped__() == ""


def test_it_is_told_without_what_takes_long_to_import():
    code = "import sys; from app.engine.release import release; release(); print('importlib.metadata' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr

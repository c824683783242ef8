"""What a bundle sets for itself is not for the programs that are started from it."""

from __future__ import annotations

import os
import runpy
import sys

import product
import pytest


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems' loaders set nothing")
@pytest.mark.parametrize("before", [None, "/home/ada/lib"])
def test_a_browser_started_from_a_bundle_finds_its_own_libraries(monkeypatch, before):
    import app.__main__

    seen = {}
    monkeypatch.setattr(app.__main__, "main", lambda: seen.update(os.environ) or 7)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/bundle/_internal")
    monkeypatch.setenv("QT_PLUGIN_PATH", "/bundle/_internal/PySide6/Qt/plugins")
    monkeypatch.setenv("PYINSTALLER_RESET_ENVIRONMENT", "")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    if before:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(product.HERE / "frozen" / "start.py"), run_name="__main__")
    assert ended.value.code == 7
    assert seen.get("LD_LIBRARY_PATH") == before
    assert "QT_PLUGIN_PATH" not in seen
    assert seen["PYINSTALLER_RESET_ENVIRONMENT"] == "1", "the engine's process sets its own again"

"""Where the window's pictures and fonts lie, in a source tree as in a bundle."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(getattr(sys, "_MEIPASS", Path(__file__).resolve().parents[2])) / "resources"


def resource_path(*parts: str) -> Path:
    """The path of a file that ships with the app."""
    return _ROOT.joinpath(*parts)

"""Where the window's pictures and fonts lie, in a source tree as in a bundle."""

from __future__ import annotations

from pathlib import Path

from app.paths import resources_dir


def resource_path(*parts: str) -> Path:
    """The path of a file that ships with the app."""
    return resources_dir().joinpath(*parts)

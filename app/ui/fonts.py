"""The bundled fonts: the same look, and the same pictures in tests, on every computer."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QFontDatabase

from app.ui.resources import resource_path

FONT_FILES = (
    "Inter-Regular.otf",
    "Inter-Italic.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "Inter-Bold.otf",
    "Inter-BoldItalic.otf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Italic.ttf",
    "JetBrainsMono-Bold.ttf",
)


@cache
def load_fonts() -> tuple[str, ...]:
    """Make the bundled fonts known to Qt, once an application object exists.

    Only the first call does anything: each font that is added makes Qt forget all that it had read of the others.
    Returns the files that could not be read; Qt then takes the desktop's own font in their place.
    """
    files = ((name, str(resource_path("fonts", name))) for name in FONT_FILES)
    return tuple(name for name, path in files if QFontDatabase.addApplicationFont(path) < 0)

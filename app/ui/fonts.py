"""The bundled fonts: the same look, and the same pictures in tests, on every computer."""

from __future__ import annotations

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


def load_fonts() -> list[str]:
    """Make the bundled fonts known to Qt, once an application object exists.

    Returns the files that could not be read; Qt then takes the desktop's own font in their place.
    """
    return [name for name in FONT_FILES if QFontDatabase.addApplicationFont(str(resource_path("fonts", name))) < 0]

"""Puts a theme on the app and on every widget of a window that draws itself."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication, QWidget

from app.ui import theme as looks


def dress(window: QWidget, theme: looks.Theme) -> None:
    """Dress the app, then tell the window's widgets: whoever has a `set_theme` is given the theme."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    looks.apply(application, theme)
    for widget in window.findChildren(QWidget):
        set_theme: Callable[[looks.Theme], None] | None = getattr(widget, "set_theme", None)
        if set_theme is not None:
            set_theme(theme)

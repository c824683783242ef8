"""The stroke icons, coloured as the theme asks."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.ui.resources import resource_path

_SCALES = (1, 2, 3)


@lru_cache(maxsize=512)
def icon(name: str, colour: str, size_px: int = 18) -> QIcon:
    """The icon of resources/icons with this name, drawn in `colour` for screens of one to three pixels a point.

    Raises:
        FileNotFoundError: there is no such icon.
    """
    drawing = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    made = QIcon()
    for scale in _SCALES:
        made.addPixmap(_drawn(drawing, size_px, scale))
    return made


def app_icon() -> QIcon:
    """The program's own icon, for the window and the task bar."""
    drawing = QSvgRenderer(QByteArray(_source("orcinus").encode()))
    made = QIcon()
    for size_px in (16, 32, 48, 128, 256):
        made.addPixmap(_drawn(drawing, size_px, 1))
    return made


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")


def _drawn(drawing: QSvgRenderer, size_px: int, scale: int) -> QPixmap:
    picture = QPixmap(size_px * scale, size_px * scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    drawing.render(painter, QRectF(0, 0, size_px * scale, size_px * scale))
    painter.end()
    picture.setDevicePixelRatio(scale)
    return picture

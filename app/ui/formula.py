"""Formulas as pictures: LaTeX drawn by ziamath, one at a time while the window has nothing better to do."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, QSizeF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

_CACHE_SIZE = 400
_WIDEST_PX = 700.0
_TALLEST_PX = 1200.0
_LONGEST_SOURCE = 2000
_PIXEL_RATIO = 2


@dataclass(frozen=True, slots=True)
class FormulaKey:
    """What decides how a formula looks: size and font of the text beside it, and whether it has a line of its own."""

    source: str
    display: bool
    size_px: float
    colour: str
    family: str


@dataclass(frozen=True, slots=True)
class FormulaImage:
    """A drawn formula, padded so that Qt's middle alignment puts its baseline on that of the line; sizes in pixels."""

    image: QImage
    name: str
    width: float
    height: float


class Formulas(QObject):
    """Draws formulas and keeps the last few hundred.

    Signals: `rendered(key)`, when a formula that was asked for can be shown.
    """

    rendered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._done: OrderedDict[FormulaKey, FormulaImage | None] = OrderedDict()
        self._waiting: OrderedDict[FormulaKey, None] = OrderedDict()
        self._count = 0
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._draw_next)

    def find(self, key: FormulaKey) -> FormulaImage | None:
        """The picture, if it is there already."""
        if key in self._done:
            self._done.move_to_end(key)
        return self._done.get(key)

    def want(self, key: FormulaKey) -> bool:
        """Ask for a picture; False when there will be none, because the source cannot be drawn."""
        if key in self._done:
            return self._done[key] is not None
        if len(key.source) > _LONGEST_SOURCE:
            return False
        self._waiting[key] = None
        self._timer.start()
        return True

    @Slot()
    def _draw_next(self) -> None:
        if not self._waiting:
            self._timer.stop()
            return
        key, _ = self._waiting.popitem(last=True)  # the newest is the one in view
        self._count += 1
        image = draw(key, f"formula:{self._count}")
        self._done[key] = image
        while len(self._done) > _CACHE_SIZE:
            self._done.popitem(last=False)
        if image is not None:
            self.rendered.emit(key)


def draw(key: FormulaKey, name: str) -> FormulaImage | None:
    """The picture of one formula, None if ziamath cannot read it. Takes 5 to 50 ms, the first time 250 more."""
    try:
        import ziamath

        ziamath.config.svg2 = False  # QtSvg draws no <symbol>: only the fraction bars would be left
        drawn = ziamath.Latex(key.source, size=key.size_px * 1.12, color=key.colour, inline=not key.display)
        svg, (width, height), depth = drawn.svg(), drawn.getsize(), -drawn.getyofst()
    except Exception:  # noqa: BLE001 - it raises whatever the half-read source leads it to; the source is shown instead
        return None
    if not (0 < width < 100 * _WIDEST_PX and 0 < height < _TALLEST_PX):
        return None
    return _paint(key, name, svg, width + 2, height + 2, max(0.0, depth) + 1)


def _paint(key: FormulaKey, name: str, svg: str, width: float, height: float, depth: float) -> FormulaImage:
    scale = min(1.0, _WIDEST_PX / width)
    width, height, depth = width * scale, height * scale, depth * scale
    ascent = height - depth
    # QTextDocumentLayout::resizeInlineObject: ascent (h + x/2) / 2, descent (h - x/2) / 2 for AlignMiddle
    font = QFont(key.family)
    font.setPixelSize(max(1, round(key.size_px)))
    half_x = QFontMetrics(font).xHeight() / 2
    padded = max(2 * ascent - half_x, 2 * depth + half_x)
    top = (padded + half_x) / 2 - ascent
    size = QSizeF(width * _PIXEL_RATIO, padded * _PIXEL_RATIO).toSize().expandedTo(QSize(1, 1))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(key.colour))
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    renderer.render(painter, QRectF(0, top * _PIXEL_RATIO, width * _PIXEL_RATIO, height * _PIXEL_RATIO))
    painter.end()
    return FormulaImage(image, name, width, padded)

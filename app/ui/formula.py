"""Formulas as pictures: LaTeX drawn by ziamath, one at a time while the window has nothing better to do."""

from __future__ import annotations

import re
import warnings
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, QSizeF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

if TYPE_CHECKING:
    from collections.abc import Iterator

_CACHE_SIZE = 400
_WIDEST_PX = 700.0
_TALLEST_PX = 1200.0
_PIXEL_RATIO = 2
# ziamath takes twice as long for every level of nesting: 20 roots in each other would hold the window for an hour
_DEEPEST = 7
_MOST_EFFORT, _MOST_EFFORT_WHILE_BUSY = 500, 120
_PART = re.compile(r"\\(?:begin|end)\{\w*\*?\}|\\[A-Za-z]+|\S")
# Loading these at once would hold the window for 150 ms
_MODULES = ("latex2mathml.converter", "ziafont", "ziamath.escapes", "ziamath")


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
        self._count, self._busy = 0, False
        self._loading: Iterator[None] | None = load_modules()
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
        if effort(key.source) > _MOST_EFFORT:
            return False
        self._waiting[key] = None
        self._timer.start()
        return True

    def set_busy(self, busy: bool) -> None:
        """While a reply streams, leave the formulas that take long for later."""
        self._busy = busy
        if self._waiting:
            self._timer.start()

    @Slot()
    def _draw_next(self) -> None:
        most = _MOST_EFFORT_WHILE_BUSY if self._busy else _MOST_EFFORT
        # The newest is the one in view
        key = next((key for key in reversed(self._waiting) if effort(key.source) <= most), None)
        if key is None:
            self._timer.stop()
            return
        if self._loading is not None:
            # a step at a time, should nobody have warmed them up
            if next(self._loading, self) is self:
                self._loading = None
            return
        del self._waiting[key]
        self._count += 1
        image = draw(key, f"formula:{self._count}")
        self._done[key] = image
        while len(self._done) > _CACHE_SIZE:
            self._done.popitem(last=False)
        if image is not None:
            self.rendered.emit(key)


def effort(source: str) -> int:
    """About how long a formula takes to draw, in thirds of a millisecond."""
    depth, total = 0, 0
    for part in _PART.findall(source):
        if part == "{" or part.startswith("\\begin") or part == "\\left":
            depth += 2 if "cases" in part else 1
        elif part in ("}", "\\right") or part.startswith("\\end"):
            depth = max(0, depth - (2 if "cases" in part else 1))
        if depth > _DEEPEST:
            return _MOST_EFFORT + 1
        total += part not in "{}" and 1 << depth
    return total


def load_modules() -> Iterator[None]:
    """Load what drawing needs, a part at each step; the longest takes about 70 ms. In any thread."""
    for module in _MODULES:
        _load(module)
        yield


def _load(module: str) -> None:
    with suppress(ImportError), warnings.catch_warnings():  # without it drawing fails too, and the source stays
        warnings.simplefilter("ignore", DeprecationWarning)  # ziamath finds its fonts in an old way
        import_module(module)


def draw(key: FormulaKey, name: str) -> FormulaImage | None:
    """The picture of one formula, None if ziamath cannot read it or would take too long. Takes 5 to 150 ms."""
    if effort(key.source) > _MOST_EFFORT:
        return None
    _load(_MODULES[-1])
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

"""The ranking as a picture: a dot for each prompt's points, and a line for the interval around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.scoring.axis import NEAR_POINTS, Axis
from app.scoring.figures import signed
from app.ui.contestant_colours import contestant_colour, paint_mark
from app.ui.theme import Theme

_GAP_PX = 12
_MARK_PX = 10
_DOT_PX, _CAP_PX = 6.5, 5
_LEAST_PLOT_PX = 150
_TICK_GAP_PX = 6
_NAME_SHARE = 0.34
_CAPTION = "Points; 0 is the average prompt, 100 points win about 64 % of duels"
_SHORT_CAPTION = "Points; 0 is the average"


@dataclass(frozen=True, slots=True)
class RankRow:
    """One line: a prompt by its place in the plan; `low` and `high` are None where nobody knows."""

    contestant: int
    name: str
    points: float
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """The interval in words."""
        return "" if self.low is None or self.high is None else f"{signed(self.low)} to {signed(self.high)}"


class RankPlot(QWidget):
    """Shows rows, the best first."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: tuple[RankRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Ranking with 95 % intervals")
        self.set_theme(theme)

    def show_rows(self, rows: Sequence[RankRow]) -> None:
        """Show these."""
        self._rows = tuple(rows)
        self.setAccessibleDescription(
            ". ".join(
                f"{place}: {row.name}, {signed(row.points)} points{f', {row.words}' if row.words else ''}"
                for place, row in enumerate(self._rows, 1)
            )
        )
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours and text size."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    # --- measures ---------------------------------------------------------------------------------------------------

    def _font(self, pt: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        font = QFont(self._theme.body_font)
        font.setPointSizeF(pt)
        font.setWeight(weight)
        return font

    @property
    def _row_px(self) -> float:
        return QFontMetricsF(self._font(self._theme.chrome_pt)).height() * 2.5

    def _width_of(self, font: QFont, texts: Sequence[str]) -> float:
        metrics = QFontMetricsF(font)
        return max((metrics.horizontalAdvance(text) for text in texts), default=0.0)

    def _columns(self) -> tuple[float, float, float, float, float]:
        """Where the name begins, where the plot begins and ends, where points and interval end."""
        small = self._font(self._theme.small_pt)
        bold = self._font(self._theme.chrome_pt, QFont.Weight.DemiBold)
        number = self._width_of(small, [str(len(self._rows))]) + _GAP_PX
        name = number + _MARK_PX + 9
        names = min(self._width_of(bold, [row.name for row in self._rows]), self.width() * _NAME_SHARE)
        points = self._width_of(bold, [signed(row.points) for row in self._rows])
        words = self._width_of(small, [row.words for row in self._rows])
        begin = name + names + 2 * _GAP_PX
        end = self.width() - points - words - 2.5 * _GAP_PX
        if end - begin < _LEAST_PLOT_PX:  # too narrow for the interval in words
            words, end = 0.0, self.width() - points - 1.5 * _GAP_PX
        return name, begin, max(begin + 40, end), self.width() - (words + _GAP_PX if words else 0), self.width()

    def sizeHint(self) -> QSize:
        """As high as its lines and the axis."""
        line = QFontMetricsF(self._font(self._theme.small_pt)).height()
        return QSize(480, round(len(self._rows) * self._row_px + 2 * line + 16))

    def minimumSizeHint(self) -> QSize:
        """It can be narrow."""
        return QSize(260, self.sizeHint().height())

    # --- painting ---------------------------------------------------------------------------------------------------

    def _axis(self) -> Axis:
        every = [one for row in self._rows for one in (row.points, row.low, row.high, 0.0) if one is not None]
        return Axis.over(min(*every, -NEAR_POINTS), max(*every, NEAR_POINTS))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The grid, then a line of each prompt."""
        del event
        if not self._rows:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        axis = self._axis()
        name, begin, end, points, interval = self._columns()
        self._paint_grid(painter, axis, begin, end)
        for place, row in enumerate(self._rows):
            top = place * self._row_px
            self._paint_name(painter, place, row, top, name, begin)
            self._paint_interval(painter, axis, row, top, begin, end)
            self._paint_numbers(painter, row, top, end, points, interval)

    def _paint_grid(self, painter: QPainter, axis: Axis, begin: float, end: float) -> None:
        theme = self._theme
        bottom = len(self._rows) * self._row_px + 4
        small = self._font(theme.small_pt)
        metrics = QFontMetricsF(small)
        painter.setFont(small)
        taken: list[tuple[float, float]] = []
        # 0 is what the others are read against
        for value in sorted(axis.marks, key=abs):
            x = round(begin + (end - begin) * axis.share(value)) + 0.5
            painter.setPen(QPen(QColor(theme.control if abs(value) < axis.step / 2 else theme.border), 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
            words = signed(value)
            wide = metrics.horizontalAdvance(words)
            left, right = x - wide / 2, x + wide / 2
            if all(right + _TICK_GAP_PX < one or left - _TICK_GAP_PX > other for one, other in taken):
                taken.append((left, right))
                painter.setPen(QColor(theme.muted))
                place = QRectF(x - 50, bottom + 3, 100, metrics.height())
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)
        caption = _CAPTION if metrics.horizontalAdvance(_CAPTION) < self.width() else _SHORT_CAPTION
        wide = metrics.horizontalAdvance(caption) + 4
        left = min(max(0.0, (begin + end - wide) / 2), max(0.0, self.width() - wide))
        painter.setPen(QColor(theme.muted))
        painter.drawText(
            QRectF(left, bottom + metrics.height() + 5, wide, metrics.height()), Qt.AlignmentFlag.AlignCenter, caption
        )

    def _paint_name(
        self, painter: QPainter, place: int, row: RankRow, top: float, name: float, begin: float
    ) -> None:  # fmt: skip
        theme, high = self._theme, self._row_px
        painter.setFont(self._font(theme.small_pt))
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(0, top, name, high), Qt.AlignmentFlag.AlignVCenter, str(place + 1))
        box = QRectF(name - _MARK_PX - 9, top + (high - _MARK_PX) / 2, _MARK_PX, _MARK_PX)
        paint_mark(painter, box, row.contestant, theme)
        font = self._font(theme.chrome_pt, QFont.Weight.DemiBold if place == 0 else QFont.Weight.Medium)
        room = QRectF(name, top, begin - name - _GAP_PX, high)
        words = QFontMetricsF(font).elidedText(row.name, Qt.TextElideMode.ElideRight, room.width())
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_interval(
        self, painter: QPainter, axis: Axis, row: RankRow, top: float, begin: float, end: float
    ) -> None:  # fmt: skip
        y = top + self._row_px / 2
        colour = contestant_colour(row.contestant, self._theme)

        def x(value: float) -> float:
            return begin + (end - begin) * axis.share(value)

        if row.low is not None and row.high is not None:
            painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawLine(QPointF(x(row.low), y), QPointF(x(row.high), y))
            for cap in (row.low, row.high):
                painter.drawLine(QPointF(x(cap), y - _CAP_PX), QPointF(x(cap), y + _CAP_PX))
        painter.setPen(QPen(QColor(self._theme.raised), 2))
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(x(row.points), y), _DOT_PX, _DOT_PX)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_numbers(
        self, painter: QPainter, row: RankRow, top: float, end: float, points: float, interval: float
    ) -> None:  # fmt: skip
        theme, high = self._theme, self._row_px
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.setFont(self._font(theme.chrome_pt, QFont.Weight.DemiBold))
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(end, top, points - end, high), right, signed(row.points))
        if points < interval:
            painter.setFont(self._font(theme.small_pt))
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRectF(points, top, interval - points, high), right, row.words)

    def event(self, event: QEvent) -> bool:
        """A tip with the whole name and all numbers."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = int(event.pos().y() // self._row_px)
            if 0 <= place < len(self._rows):
                row = self._rows[place]
                words = f", 95 % interval {row.words}" if row.words else ""
                QToolTip.showText(event.globalPos(), f"{row.name}: {signed(row.points)} points{words}", self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

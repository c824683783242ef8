"""A table whose cells are the warmer the more they differ from the middle; numbers say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.ui.contestant_colours import paint_mark
from app.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex

_LEAST_CELL_PX = 58
_LEAST_NAME_PX = 80
_STRONGEST = 0.46
_NEITHER = 0.2
_HEAD_LINES = 2
_WIN = {False: "#3461eb", True: "#6e91ff"}
_LOSE = {False: "#c77d36", True: "#de9650"}


@dataclass(frozen=True, slots=True)
class HeatCell:
    """`warmth` from -1 (loses) over 0 to 1 (wins), None for a cell without a value. `tip` says it in a sentence."""

    words: str = ""
    warmth: float | None = None
    tip: str = ""


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A line with its name; `contestant` is the place in the plan whose mark stands before it, -1 for none."""

    name: str
    cells: tuple[HeatCell, ...]
    contestant: int = -1


def warm(base: QColor, warmth: float, theme: Theme) -> QColor:
    """A ground mixed with the colour of winning or losing."""
    towards = QColor((_WIN if warmth > 0 else _LOSE)[theme.dark] if warmth else theme.control)
    share = min(1.0, abs(warmth)) * _STRONGEST + 0.04 if warmth else _NEITHER
    return QColor(
        *(
            round(one + (other - one) * share)
            for one, other in zip(base.getRgb()[:3], towards.getRgb()[:3], strict=True)  # type: ignore[index]
        )
    )


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[HeatRow, ...] = ()
        self.heads: tuple[str, ...] = ()
        self.broken: tuple[str, ...] = ()
        """The heads in lines that fit their columns."""

    def break_heads(self, broken: Sequence[str]) -> None:
        self.broken = tuple(broken)
        if self.heads:
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 1, len(self.heads))

    def show(self, heads: Sequence[str], rows: Sequence[HeatRow]) -> None:
        self.beginResetModel()
        self.heads, self.rows = tuple(heads), tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.heads) + 1

    def cell(self, index: Index) -> HeatCell:
        return self.rows[index.row()].cells[index.column() - 1]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if index.column() == 0:
            shown = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
            return row.name if role in shown else None
        cell = self.cell(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.words
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return cell.tip or cell.words
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or section == 0:
            return None
        if role == Qt.ItemDataRole.DisplayRole and len(self.broken) == len(self.heads):
            return self.broken[section - 1]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.heads[section - 1]
        return None


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """A name with its mark, or a rounded cell with its number."""
        model = index.model()
        assert isinstance(model, _Model)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5)
        if index.column() == 0:
            self._paint_name(painter, QRectF(option.rect), model.rows[index.row()])
        else:
            self._paint_cell(painter, box, model.cell(index))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(self.theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 5, 5)
        painter.restore()

    def _paint_name(self, painter: QPainter, box: QRectF, row: HeatRow) -> None:
        left = box.left()
        if row.contestant >= 0:
            paint_mark(painter, QRectF(left, box.center().y() - 5, 10, 10), row.contestant, self.theme)
            left += 18
        font = self.font()
        painter.setFont(font)
        painter.setPen(QColor(self.theme.text if row.contestant >= 0 else self.theme.muted))
        room = box.adjusted(left - box.left(), 0, -10, 0)
        words = QFontMetrics(font).elidedText(row.name, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_cell(self, painter: QPainter, box: QRectF, cell: HeatCell) -> None:
        theme = self.theme
        painter.setPen(Qt.PenStyle.NoPen)
        if cell.warmth is None:
            painter.setBrush(QColor(theme.window if theme.dark else theme.hover))
        else:
            painter.setBrush(warm(QColor(theme.raised), cell.warmth, theme))
        painter.drawRoundedRect(box, 5, 5)
        painter.setFont(self.font(QFont.Weight.DemiBold if (cell.warmth or 0) > 0.15 else QFont.Weight.Normal))
        painter.setPen(QColor(theme.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, cell.words)

    def font(self, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """The font of the cells."""
        font = QFont(self.theme.body_font)
        font.setPointSizeF(self.theme.chrome_pt - 0.6)
        font.setWeight(weight)
        return font


class HeatTable(QTableView):
    """Shows rows. It is as high as all of them, or scrolls where `most_rows` are given.

    Signals: `row_chosen(int)` when the line under the keyboard or the mouse changes; `row_opened(int)` on Enter or a
    double click.
    """

    row_chosen = Signal(int)
    row_opened = Signal(int)

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None, *, most_rows: int = 0) -> None:
        super().__init__(parent)
        self._most_rows = most_rows
        self._rows_model = _Model(self)
        self._delegate = _Delegate(theme, self)
        self.setModel(self._rows_model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setCornerButtonEnabled(False)
        self.setWordWrap(False)
        if not most_rows:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionsClickable(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.activated.connect(lambda index: self.row_opened.emit(index.row()))
        self.selectionModel().currentRowChanged.connect(lambda now, _before: self.row_chosen.emit(now.row()))
        self.set_theme(theme)

    def show_rows(self, heads: Sequence[str], rows: Sequence[HeatRow]) -> None:
        """Show these, each with as many cells as there are heads."""
        at = self.currentIndex()
        self._rows_model.show(heads, rows)
        if at.isValid() and at.row() < len(rows):
            self.setCurrentIndex(self._rows_model.index(at.row(), at.column()))
        self._fit()

    @property
    def rows(self) -> tuple[HeatRow, ...]:
        """What is shown."""
        return self._rows_model.rows

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours and text size."""
        self._delegate.theme = theme
        font = QFont(theme.body_font)
        font.setPointSizeF(theme.small_pt)
        self.horizontalHeader().setFont(font)
        self.setStyleSheet(
            f"QTableView {{ background: transparent; border: 0; }}"
            f"QHeaderView {{ background: transparent; border: 0; }}"
            f"QHeaderView::section {{ background: transparent; border: 0; color: {theme.muted}; padding: 4px 3px; }}"
        )
        self._fit()

    def _fit(self) -> None:
        """Give the name the room it needs, the cells the rest, and the rows their height."""
        metrics = QFontMetrics(self._delegate.font())
        row_px = round(metrics.height() * 2.1)
        self.verticalHeader().setMinimumSectionSize(8)
        self.verticalHeader().setDefaultSectionSize(row_px)
        count = len(self._rows_model.heads)
        wide = self.viewport().width()
        names = max((metrics.horizontalAdvance(row.name) for row in self.rows), default=0) + 34
        name_px = max(_LEAST_NAME_PX, min(names, round(wide * 0.36)))
        cell_px = max(_LEAST_CELL_PX, (wide - name_px) // max(1, count))
        self.setColumnWidth(0, name_px)
        for column in range(1, count + 1):
            self.setColumnWidth(column, cell_px)
        shown = min(len(self.rows), self._most_rows) if self._most_rows else len(self.rows)
        scrolls = name_px + cell_px * count > wide + 1
        bar = self.horizontalScrollBar().sizeHint().height() if scrolls else 0
        head_px = self._break_heads(cell_px)
        self.setFixedHeight(head_px + shown * row_px + bar)

    def _break_heads(self, cell_px: int) -> int:
        """Write the heads in lines that fit; how high that makes them."""
        head = self.horizontalHeader()
        metrics = QFontMetrics(head.font())
        broken = [_in_lines(name, metrics, cell_px - 6) for name in self._rows_model.heads]
        self._rows_model.break_heads(broken)
        lines = max((text.count("\n") + 1 for text in broken), default=1)
        height = lines * metrics.lineSpacing() + 10
        head.setFixedHeight(height)
        return height

    def resizeEvent(self, event: Any) -> None:
        """Another width: the cells share it anew."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def wheelEvent(self, event: Any) -> None:
        """Where all rows are shown, the page scrolls."""
        if self._most_rows and self.verticalScrollBar().maximum():
            super().wheelEvent(event)
        else:
            event.ignore()

    def minimumSizeHint(self) -> QSize:
        """It can be narrow, and scrolls then."""
        return QSize(200, self.height())


def _in_lines(name: str, metrics: QFontMetrics, wide: int) -> str:
    """A name in at most two lines; what differs between names stands mostly at their ends, so the middle goes first."""
    lines: list[str] = []
    for word in name.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and (metrics.horizontalAdvance(joined) + 4 <= wide or len(lines) == _HEAD_LINES):
            lines[-1] = joined
        else:
            lines.append(word)
    return "\n".join(metrics.elidedText(one, Qt.TextElideMode.ElideMiddle, wide) for one in lines)

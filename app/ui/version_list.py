"""The versions of a prompt as a tree: the newest at the top, each joined to the one it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.core.prompts import PromptVersion
from app.core.version_tree import Place, version_tree
from app.ui.chat_sections import told_time
from app.ui.keyed_rows import ROW_ROLE, Index, KeyedRows
from app.ui.theme import Theme

_SIDE = 6
_LANE_PX = 14
_MOST_LANES = 5
_DOT_PX = 4.5


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version: its place in the tree, and what is told of it.

    `default_of` names the models whose chats begin with it; `edited`: something was written from it and not saved.
    """

    place: Place
    title: str
    note: str
    current: bool = False
    edited: bool = False
    default_of: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The version's hash."""
        return self.place.version.hash

    @property
    def second(self) -> str:
        """The second line."""
        marks = [f"default of {name}" for name in self.default_of] + (["edited"] if self.edited else [])
        return " · ".join((*marks, self.note))

    @property
    def spoken(self) -> str:
        """The whole row as a sentence."""
        parts = [f"Version {self.place.number}", self.title, self.second.replace(" · ", ", ")]
        return ", ".join((*parts, "in use") if self.current else parts)


def rows_of(
    versions: Sequence[PromptVersion],
    current: str,
    now: datetime,
    *,
    edited: frozenset[str] = frozenset(),
    defaults: Mapping[str, Sequence[str]] | None = None,
    dated: bool = True,
) -> list[VersionRow]:
    """The rows for versions in the order they came, the newest at the top; `dated`: with the time of each."""
    return [
        VersionRow(
            place,
            place.version.note or _beginning(place.version.text),
            (f"{told_time(place.version.created_ms, now)} · " if dated else "") + _words(place.version.text),
            place.version.hash == current,
            place.version.hash in edited,
            tuple((defaults or {}).get(place.version.hash, ())),
        )
        for place in version_tree(versions, current)
    ]


def _beginning(text: str) -> str:
    return " ".join(text[:200].split()) or "Empty"


def _words(text: str) -> str:
    count = len(text.split())
    return "1 word" if count == 1 else f"{count:,} words"


class VersionRows(KeyedRows[VersionRow]):
    """The rows, for eyes and for those who hear them."""

    def spoken(self, row: VersionRow) -> str:
        """The whole row as a sentence."""
        return row.spoken

    def words(self, row: VersionRow) -> str:
        """Its number, then its first words."""
        return f"v{row.place.number} {row.title}"


class VersionDelegate(QStyledItemDelegate):
    """Paints a version with its piece of the tree: a full dot is the one in use, a ring any other."""

    def __init__(self, theme: Theme, rows: VersionRows, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._rows = rows

    def _small(self, font: QFont) -> QFont:
        small = QFont(font)
        small.setPointSizeF(self.theme.small_pt)
        return small

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines."""
        del index
        return QSize(10, option.fontMetrics.height() + QFontMetrics(self._small(option.font)).height() + 16)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the ground, the tree and the words."""
        row: VersionRow = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(_SIDE, 1, -_SIDE, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            self._ground(painter, box, self.theme.selection)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            self._ground(painter, box, self.theme.hover)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(self.theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 8, 8)
        rows = self._rows.rows()
        lanes = min(max((one.place.lane for one in rows), default=0), _MOST_LANES - 1) + 1
        self._paint_tree(painter, option.rect, index.row(), rows)
        self._paint_words(painter, option, box.adjusted(lanes * _LANE_PX + 8, 6, -9, -6), row)
        painter.restore()

    def _ground(self, painter: QPainter, box: QRect, colour: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(box, 8, 8)

    def _paint_tree(self, painter: QPainter, rect: QRect, at: int, rows: list[VersionRow]) -> None:
        def across(lane: int) -> float:
            return rect.left() + _SIDE + 11 + min(lane, _MOST_LANES - 1) * _LANE_PX

        place = rows[at].place
        here = QPointF(across(place.lane), rect.center().y() + 0.5)
        painter.setPen(QPen(QColor(self.theme.faint), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if place.parent_row >= 0:
            painter.drawLine(here, QPointF(here.x(), rect.bottom() + 1))
        for child_row, child in enumerate(rows[:at]):
            x = across(child.place.lane)
            if child.place.parent_row > at:
                painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom() + 1))
            elif child.place.parent_row == at and child_row < at:
                path = QPainterPath(QPointF(x, rect.top()))
                path.cubicTo(QPointF(x, here.y()), QPointF(x, here.y()), here)
                painter.drawPath(path)
        painter.setPen(QPen(QColor(self.theme.accent if rows[at].current else self.theme.muted), 1.8))
        painter.setBrush(QColor(self.theme.accent if rows[at].current else self.theme.panel))
        painter.drawEllipse(here, _DOT_PX, _DOT_PX)

    def _paint_words(self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, row: VersionRow) -> None:
        small, bold = self._small(option.font), QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        line, metrics = option.fontMetrics.height(), QFontMetrics(small)
        number = f"v{row.place.number}"
        width = QFontMetrics(bold).horizontalAdvance(number) + 8
        painter.setFont(bold)
        painter.setPen(QColor(self.theme.text))
        painter.drawText(QRect(box.x(), box.y(), width, line), Qt.AlignmentFlag.AlignVCenter, number)
        painter.setFont(option.font)
        room = QRect(box.x() + width, box.y(), box.width() - width, line)
        title = option.fontMetrics.elidedText(row.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, title)
        painter.setFont(small)
        painter.setPen(QColor(self.theme.muted))
        below = QRect(box.x(), box.y() + line + 3, box.width(), metrics.height())
        second = metrics.elidedText(row.second, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, second)


class VersionList(QListView):
    """Shows the versions; several can be chosen to be compared.

    Signals: `shown(str)`: this version (by hash) is the one to show; `menu_asked(str, QPoint)` with a place on the
    screen; `chosen_changed()`: others are chosen.
    """

    shown = Signal(str)
    menu_asked = Signal(str, QPoint)
    chosen_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = VersionRows(self)
        self._delegate = VersionDelegate(theme, self.rows, self)
        self._quiet = False
        self.setModel(self.rows)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Versions")
        self.setAccessibleDescription("The newest first. Hold Shift or Ctrl to choose several.")
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_menu)
        self.selectionModel().currentChanged.connect(self._current_changed)
        self.selectionModel().selectionChanged.connect(self.chosen_changed)

    def show_rows(self, rows: Sequence[VersionRow], shown: str) -> None:
        """Show these versions, and which of them is the one shown."""
        self._quiet = True
        self.rows.show_rows(rows)
        index = self.rows.index_of(shown)
        if index.isValid() and index != self.currentIndex():
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)
        self.viewport().update()  # a version's lane moves the words of all
        self._quiet = False

    def chosen(self) -> list[VersionRow]:
        """The versions that are chosen, the oldest first."""
        found = [index.row() for index in self.selectionModel().selectedIndexes()]
        return [self.rows.rows()[row] for row in sorted(found, reverse=True)]

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._delegate.theme = theme
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, now: QModelIndex, before: QModelIndex) -> None:
        del before
        if now.isValid() and not self._quiet:
            self.shown.emit(now.data(ROW_ROLE).place.version.hash)

    @Slot(QPoint)
    def _ask_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if not index.isValid():
            index = self.currentIndex()
        if index.isValid():
            box = self.visualRect(index)
            at = self.viewport().mapToGlobal(place if box.contains(place) else box.center())
            self.menu_asked.emit(index.data(ROW_ROLE).place.version.hash, at)

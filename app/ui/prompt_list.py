"""The list of prompts: the person's own, those that come with the app, and one that was never saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.ui.icons import icon
from app.ui.keyed_rows import ROW_ROLE, Index, KeyedRows
from app.ui.theme import Theme

_SIDE = 6
_INSIDE = 9


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One line of the list; a heading has no key.

    `count` is the number of versions, `note` the second line; `default_of` names the models whose chats begin with it,
    `edited` says that something written in it is not saved.
    """

    key: str
    title: str
    note: str = ""
    count: int = 0
    default_of: tuple[str, ...] = ()
    edited: bool = False

    @property
    def spoken(self) -> str:
        """The whole row as a sentence."""
        parts = [self.title, self.note]
        if self.count:
            parts.append("1 version" if self.count == 1 else f"{self.count} versions")
        parts += [f"default of {name}" for name in self.default_of]
        parts += ["not saved"] if self.edited else []
        return ", ".join(part.rstrip(".") for part in parts if part)


class PromptRows(KeyedRows[PromptRow]):
    """The rows, for eyes and for those who hear them."""

    def spoken(self, row: PromptRow) -> str:
        """The whole row as a sentence."""
        return row.spoken


class PromptDelegate(QStyledItemDelegate):
    """Paints a row; the prompt that is open is filled, the one with the keyboard has a ring."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.open_key = ""

    def _small(self, font: QFont, *, bold: bool = False) -> QFont:
        small = QFont(font)
        small.setPointSizeF(self.theme.small_pt)
        small.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return small

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows follow the size of the text."""
        row: PromptRow = index.data(ROW_ROLE)
        line = option.fontMetrics.height()
        if not row.key:
            return QSize(10, line + 14)
        return QSize(10, line + QFontMetrics(self._small(option.font)).height() + 16)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a heading or a prompt."""
        row: PromptRow = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(_SIDE, 1, -_SIDE, -1)
        if row.key:
            self._paint_ground(painter, option, box, row)
            self._paint_words(painter, option, box.adjusted(_INSIDE, 6, -_INSIDE, -6), row)
        else:
            painter.setFont(self._small(option.font, bold=True))
            painter.setPen(QColor(self.theme.muted))
            painter.drawText(box.adjusted(_INSIDE, 6, 0, 0), Qt.AlignmentFlag.AlignVCenter, row.title)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, row: PromptRow) -> None:
        is_open = row.key == self.open_key
        if is_open or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.selection if is_open else self.theme.hover))
            painter.drawRoundedRect(box, 8, 8)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(self.theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 8, 8)

    def _paint_words(self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, row: PromptRow) -> None:
        small = self._small(option.font)
        metrics, line = QFontMetrics(small), option.fontMetrics.height()
        top = QRect(box.x(), box.y(), box.width(), line)
        below = QRect(box.x(), box.y() + line + 3, box.width(), metrics.height())
        right = top.right()
        painter.setFont(small)
        painter.setPen(QColor(self.theme.muted))
        if row.count:
            painter.drawText(top, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, str(row.count))
            right -= metrics.horizontalAdvance(str(row.count)) + 7
        for shown, name in ((bool(row.default_of), "star"), (row.edited, "edit")):
            if shown:
                icon(name, self.theme.accent, 13).paint(painter, QRect(right - 13, top.center().y() - 6, 13, 13))
                right -= 18
        second = f"Default of {', '.join(row.default_of)}" if row.default_of else row.note
        painter.drawText(
            below,
            Qt.AlignmentFlag.AlignVCenter,
            metrics.elidedText(second, Qt.TextElideMode.ElideRight, below.width()),
        )
        title = QFont(option.font)
        title.setWeight(QFont.Weight.Medium)
        painter.setFont(title)
        painter.setPen(QColor(self.theme.text))
        room = QRect(top.x(), top.y(), right - top.x(), top.height())
        words = QFontMetrics(title).elidedText(row.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)


class PromptList(QListView):
    """Shows the prompts.

    Signals, each with a row's key: `chosen` (a click, or Enter), `menu_asked` with a place on the screen
    (right click, or the menu key), `removed` (Delete).
    """

    chosen = Signal(str)
    menu_asked = Signal(str, QPoint)
    removed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = PromptRows(self)
        self._delegate = PromptDelegate(theme, self)
        self.setModel(self.rows)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Prompts")
        self.setAccessibleDescription("Enter opens a prompt, Delete puts it in the trash.")
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_menu)
        self.clicked.connect(self._choose)

    def show_rows(self, rows: Sequence[PromptRow], open_key: str) -> None:
        """Show these, one of them open."""
        current = self.rows.row(self.currentIndex())
        self._delegate.open_key = open_key
        self.rows.show_rows(rows)
        index = self.rows.index_of(open_key or (current.key if current is not None else ""))
        if index.isValid() and index != self.currentIndex():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        self.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._delegate.theme = theme
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        if (row := self.rows.row(index)) is not None:
            self.chosen.emit(row.key)

    @Slot(QPoint)
    def _ask_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if self.rows.row(index) is None:
            index = self.currentIndex()
        if (row := self.rows.row(index)) is not None:
            box = self.visualRect(index)
            self.menu_asked.emit(row.key, self.viewport().mapToGlobal(place if box.contains(place) else box.center()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Delete puts in the trash; arrows and letters move the ring."""
        row = self.rows.row(self.currentIndex())
        if row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(row.key)
        elif row is not None and event.key() == Qt.Key.Key_Delete:
            self.removed.emit(row.key)
        else:
            super().keyPressEvent(event)

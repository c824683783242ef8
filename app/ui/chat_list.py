"""The list of chats: painted rows, a title that can be edited in place, and a menu for each chat."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
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
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.ui.chat_list_model import ChatListModel, ListRow
from app.ui.icons import icon
from app.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_SIDE = 8
_INSIDE = 10


class ChatDelegate(QStyledItemDelegate):
    """Paints a row; the chat that is open is filled, the one with the keyboard has a ring."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.open_id = 0

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme

    def _small(self, font: QFont, *, bold: bool = False) -> QFont:
        small = QFont(font)
        small.setPointSizeF(self._theme.small_pt)
        small.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return small

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows follow the size of the text; a hit has a second line."""
        row: ListRow = index.data(Qt.ItemDataRole.UserRole)
        line = option.fontMetrics.height()
        if row.kind == "heading":
            return QSize(10, line + 14)
        return QSize(10, line + 18 if row.kind == "chat" else 2 * line + 18)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a heading, a chat or a hit."""
        row: ListRow = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(_SIDE, 1, -_SIDE, -1)
        if row.kind == "heading":
            painter.setFont(self._small(option.font, bold=True))
            painter.setPen(QColor(self._theme.muted))
            painter.drawText(box.adjusted(_INSIDE, 6, 0, 0), Qt.AlignmentFlag.AlignVCenter, row.title)
        else:
            self._paint_ground(painter, option, box, row)
            self._paint_words(painter, option, box.adjusted(_INSIDE, 0, -_INSIDE, 0), row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, row: ListRow) -> None:
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        is_open = row.chat_id == self.open_id
        if is_open or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.selection if is_open else self._theme.hover))
            painter.drawRoundedRect(box, 8, 8)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(self._theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 8, 8)

    def _paint_words(self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, row: ListRow) -> None:
        theme = self._theme
        small = self._small(option.font)
        line = option.fontMetrics.height()
        top = box if row.kind == "chat" else QRect(box.x(), box.y() + 7, box.width(), line)
        right = top.right()
        if row.note:
            width = QFontMetrics(small).horizontalAdvance(row.note)
            painter.setFont(small)
            painter.setPen(QColor(theme.muted))
            painter.drawText(top, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, row.note)
            right -= width + 8
        if row.pinned:
            picture = QRect(right - 13, top.center().y() - 6, 13, 13)
            icon("pin", theme.muted, 13).paint(painter, picture)
            right -= 19
        title = QFont(option.font)
        if row.chat_id == self.open_id:
            title.setWeight(QFont.Weight.Medium)
        painter.setFont(title)
        painter.setPen(QColor(theme.text))
        room = QRect(top.x(), top.y(), right - top.x(), top.height())
        shown = QFontMetrics(title).elidedText(row.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        if row.snippet:
            painter.setFont(small)
            painter.setPen(QColor(theme.muted))
            below = QRect(box.x(), box.y() + 7 + line, box.width(), line)
            shown = QFontMetrics(small).elidedText(row.snippet, Qt.TextElideMode.ElideRight, below.width())
            painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, shown)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A field over the title."""
        del option, index
        field = QLineEdit(parent)
        field.setAccessibleName("Title of the chat")
        field.setProperty("kind", "value")
        return field

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Start from the title, selected."""
        assert isinstance(editor, QLineEdit)
        editor.setText(index.data(Qt.ItemDataRole.EditRole))
        editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Take the title that was typed."""
        assert isinstance(editor, QLineEdit)
        model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Over the row, as high as a field needs."""
        del index
        editor.setGeometry(option.rect.adjusted(_SIDE, 2, -_SIDE, -2))


class ChatList(QListView):
    """Shows the chats.

    Signals, each with a chat's id: `chosen` (with the message that a search found in it, else 0), `pin_asked` (with
    whether to pin), `export_asked`, `delete_asked`.
    Renaming comes from the model.
    """

    chosen = Signal(int, int)
    pin_asked = Signal(int, bool)
    export_asked = Signal(int)
    delete_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows = ChatListModel(self)
        self._delegate = ChatDelegate(theme, self)
        self.setModel(self.rows)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Chats")
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.customContextMenuRequested.connect(self._open_menu)
        self.clicked.connect(self._choose)

    def show_open(self, chat_id: int, *, marked: bool = True) -> None:
        """The chat that is open, 0 for none, has the ring; `marked`: it is also what is looked at."""
        self._delegate.open_id = chat_id if marked else 0
        index = self.rows.index_of(chat_id)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        self.viewport().update()

    def is_renaming(self) -> bool:
        """Whether a title is being typed."""
        return self.state() == QAbstractItemView.State.EditingState

    def rename(self, chat_id: int) -> None:
        """Let the person type another title for a chat."""
        index = self.rows.index_of(chat_id)
        if index.isValid():
            self.setCurrentIndex(index)
            self.edit(index)

    def rename_current(self) -> None:
        """Let the person type another title for the chat that has the ring."""
        row = self.rows.row(self.currentIndex())
        if row is not None and row.kind == "chat":
            self.rename(row.chat_id)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self._delegate.set_theme(theme)
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def menu_for(self, chat_id: int) -> QMenu:
        """What can be done with a chat."""
        row = self.rows.row(self.rows.index_of(chat_id))
        pinned = row is not None and row.pinned
        menu = QMenu(self)
        colour = self._theme.muted
        menu.addAction(icon("edit", colour, 16), "Rename", "F2", lambda: self.rename(chat_id))
        words = "Unpin" if pinned else "Pin to the top"
        menu.addAction(icon("pin", colour, 16), words, lambda: self.pin_asked.emit(chat_id, not pinned))
        menu.addAction(icon("export", colour, 16), "Export…", lambda: self.export_asked.emit(chat_id))
        menu.addSeparator()
        menu.addAction(icon("trash", colour, 16), "Delete", "Del", lambda: self.delete_asked.emit(chat_id))
        return menu

    @Slot(QPoint)
    def _open_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        row = self.rows.row(index)
        if row is None or not row.chat_id:
            index = self.currentIndex()
            row = self.rows.row(index)
        if row is not None and row.chat_id:
            at = place if self.visualRect(index).contains(place) else self.visualRect(index).center()
            menu = self.menu_for(row.chat_id)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.viewport().mapToGlobal(at))

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        row = self.rows.row(index)
        if row is not None and row.chat_id:
            self.chosen.emit(row.chat_id, row.message_id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens the chat with the ring, Delete puts it in the trash; arrows and letters move the ring."""
        row = self.rows.row(self.currentIndex())
        if row is not None and row.chat_id and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(row.chat_id, row.message_id)
        elif row is not None and row.chat_id and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_asked.emit(row.chat_id)
        else:
            super().keyPressEvent(event)

"""A list of models that is as high as its rows: the page around it scrolls."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QScrollArea, QSizePolicy, QWidget

from app.ui.keyed_rows import Index
from app.ui.row_delegate import RowDelegate
from app.ui.row_list import Column, Row, RowList
from app.ui.theme import Theme

_OPEN_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class RowView(QListView):
    """Shows rows; arrows go from one to the next.

    Signals, each with a row's key: `opened` (a click, or Enter), `pressed` (the row's button, or Space), `menu_asked`
    with a place on the screen (right click, or the menu key), `removed` (Delete).
    """

    opened = Signal(str)
    pressed = Signal(str)
    menu_asked = Signal(str, QPoint)
    removed = Signal(str)

    def __init__(
        self,
        name: str,
        first: str,
        columns: Sequence[Column],
        theme: Theme,
        parent: QWidget | None = None,
        *,
        tiles: bool = False,
        button: str = "",
    ) -> None:
        """`name` is read aloud, `first` stands over the rows' names, `button` is the longest text on a button."""
        super().__init__(parent)
        self.setProperty("kind", "rows")
        self.rows = RowList(columns, first, self)
        self._delegate = RowDelegate(self.rows.columns, theme, self, tiles=tiles, button=button)
        self.setModel(self.rows)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(name)
        self.setAccessibleDescription("Enter opens the page of a model, Space presses the button in its row.")
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows; the one with the keyboard keeps it where it is still there."""
        current = self.rows.row(self.currentIndex())
        self.rows.show_rows(rows)
        if current is not None and not self.currentIndex().isValid():
            self.setCurrentIndex(self.rows.index_of(current.key))
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._delegate.set_theme(theme)
        self._fit()
        self.viewport().update()

    def choose(self, key: str) -> None:
        """Put the ring on a row and show it."""
        index = self.rows.index_of(key)
        if index.isValid():
            self.setCurrentIndex(index)

    def _fit(self) -> None:
        """As high as all rows, so that one scroll bar does for the whole page."""
        layout = self._delegate.layout_of(self.viewport().width(), self.fontMetrics())
        heights = [
            self._delegate.height_of(row, layout, self.fontMetrics())
            for row in map(self._row_at, range(self.rows.rowCount()))
        ]
        height = sum(heights) + 2
        if height != self.height():
            self.setFixedHeight(height)
        self.scheduleDelayedItemsLayout()

    def _row_at(self, place: int) -> Row:
        return self.rows.index(place).data(Qt.ItemDataRole.UserRole)

    def _on_button(self, place: QPoint) -> str:
        """The key of the row whose button is at a place of the viewport; "" where there is none."""
        index = self.indexAt(place)
        row = self.rows.row(index)
        if row is None or not row.button or not row.button_enabled:
            return ""
        box = self.visualRect(index)
        layout = self._delegate.layout_of(box.width(), self.fontMetrics())
        return row.key if layout.button_box(box, self.fontMetrics()).contains(place) else ""

    # Qt

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(400, self.height())

    def minimumSizeHint(self) -> QSize:
        """Narrow rows have a second line."""
        return QSize(200, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may need other heights."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The page scrolls."""
        event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up a button under the mouse."""
        super().mouseMoveEvent(event)
        self._point(self._on_button(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        """No button is under the mouse."""
        super().leaveEvent(event)
        self._point("")

    def _point(self, key: str) -> None:
        if key != self._delegate.pointed:
            self._delegate.pointed = key
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if key else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Press a row's button, or open the row."""
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = event.position().toPoint()
        row = self.rows.row(self.indexAt(place))
        if key := self._on_button(place):
            self.pressed.emit(key)
        elif row is not None:
            self.opened.emit(row.key)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with a row."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        row = self.rows.row(index)
        if row is not None:
            centre = self.viewport().mapToGlobal(self.visualRect(index).center())
            self.menu_asked.emit(row.key, event.globalPos() if by_mouse else centre)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens a row, Space presses its button, Delete asks to remove it."""
        row = self.rows.row(self.currentIndex())
        if row is not None and event.key() in _OPEN_KEYS:
            self.opened.emit(row.key)
        elif row is not None and event.key() == Qt.Key.Key_Space:
            if row.button and row.button_enabled:
                self.pressed.emit(row.key)
        elif row is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(row.key)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Somebody who comes by keyboard finds a row with the ring."""
        super().focusInEvent(event)
        if self.rows.row(self.currentIndex()) is None and self.rows.rowCount() > 1:
            self.setCurrentIndex(self.rows.index(1))
        elif event.reason() != Qt.FocusReason.MouseFocusReason:
            self._show_in_page(self.currentIndex())

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Scroll the page so that the row with the ring can be seen."""
        super().currentChanged(current, previous)
        if self.hasFocus():
            self._show_in_page(current)

    def _show_in_page(self, index: Index) -> None:
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        inside = area.widget() if area is not None else None
        if area is not None and inside is not None and index.isValid():
            box = self.visualRect(index)
            centre = self.viewport().mapTo(inside, box.center())
            area.ensureVisible(centre.x(), centre.y(), 0, box.height())

"""A list of ten thousand rows of which only the visible ones are widgets."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolButton, QWidget

from app.ui.formula import Formulas
from app.ui.icons import icon
from app.ui.markdown_style import MarkdownStyle
from app.ui.message_item import MessageItem
from app.ui.message_paint import column
from app.ui.transcript_heights import Heights
from app.ui.transcript_idle import IdleWork
from app.ui.transcript_row import Row, estimated_height

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QResizeEvent

    from app.ui.theme import Theme

KEPT_ITEMS = 40
_PASSES = 6
_AT_END_PX = 4
_BUTTON_FROM_PX = 60
_JUMP_SIZE = 36


class RowView(QAbstractScrollArea):
    """Keeps rows, guesses the height of those never seen, and holds still what the person looks at.

    `sticky`: the end stays in view while rows grow, until somebody scrolls up.
    """

    item_made = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = MarkdownStyle(theme)
        self._formulas, self._idle = Formulas(self), IdleWork(self)
        self._rows: list[Row] = []
        self._index: dict[int, int] = {}
        self._ordinals: list[int] = []
        self._heights = Heights()
        self._items: OrderedDict[int, MessageItem] = OrderedDict()
        self._edits: dict[tuple[int, str], str] = {}
        """Edits that were open when their row gave way to another chat or version, by the row's id and text."""
        self._anchor, self._offset = 0, 0  # the row at the upper edge, and how much of it is above
        self._sticky, self._busy, self._more_to_make = True, False, False
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self.relayout)
        self._jump = QToolButton(self)
        self._set_up()
        self._dress()

    @property
    def theme(self) -> Theme:
        """The theme it is drawn in."""
        return self._style.theme

    def _set_up(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Its room is always kept, so that the text does not jump when the first reply grows out of the window
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.verticalScrollBar().setSingleStep(40)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.verticalScrollBar().sliderReleased.connect(self.relayout)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.viewport().setAutoFillBackground(True)
        self._jump.setFixedSize(_JUMP_SIZE, _JUMP_SIZE)
        self._jump.setToolTip("Jump to the latest message")
        self._jump.setAccessibleName("Jump to the latest message")
        self._jump.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._jump.clicked.connect(self.scroll_to_end)
        self._jump.hide()

    def _dress(self) -> None:
        theme = self._style.theme
        palette = self.viewport().palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.window))
        self.viewport().setPalette(palette)
        self._jump.setIcon(icon("chevron-down", theme.text))
        self._jump.setStyleSheet(
            f"QToolButton {{ background: {theme.raised}; border: 1px solid {theme.control};"
            f" border-radius: {_JUMP_SIZE // 2}px; padding: 0; }}"
            f"QToolButton:hover {{ background: {theme.hover}; }}"
            f"QToolButton:focus {{ border: 2px solid {theme.accent}; }}"
        )

    # Rows

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, in order."""
        return tuple(self._rows)

    @property
    def realised(self) -> int:
        """How many rows are widgets now."""
        return len(self._items)

    def item(self, row_id: int) -> MessageItem | None:
        """The widget of a row, if it has one now."""
        return self._items.get(row_id)

    @property
    def jump_button(self) -> QToolButton:
        """The button that appears when the end is out of view."""
        return self._jump

    def visible_items(self) -> list[MessageItem]:
        """The widgets in view, from top to bottom."""
        shown = [item for item in self._items.values() if not item.isHidden()]
        return sorted(shown, key=lambda item: item.y())

    def _splice(self, start: int, end: int, rows: Iterable[Row]) -> None:
        wide = column(self.viewport().width())[1]
        new = list(rows)
        for gone in {row.id for row in self._rows[start:end]} - {row.id for row in new}:
            if gone in self._items:
                self._close(self._items.pop(gone))
        self._rows[start:end] = new
        self._heights.splice(start, end, (self._known_height(row, wide) for row in new))
        for position in range(start, len(self._rows)):
            self._index[self._rows[position].id] = position
        if end > start:
            self._index = {row.id: position for position, row in enumerate(self._rows)}
        self._count(start)

    def _count(self, start: int) -> None:
        del self._ordinals[start:]
        number = self._ordinals[-1] if self._ordinals else 0
        for row in self._rows[start:]:
            number += row.kind != "marker"
            self._ordinals.append(number)

    def _known_height(self, row: Row, wide: int) -> int:
        item = self._items.get(row.id)
        return item.height() if item is not None else estimated_height(row, wide)

    def _item(self, position: int) -> MessageItem:
        row = self._rows[position]
        item = self._items.get(row.id)
        if item is None:
            item = MessageItem(row, self._style, self._formulas, self._idle, self.viewport())
            item.height_changed.connect(self._item_grew)
            self._items[row.id] = item
            self.item_made.emit(item)
            if unsent := self._edits.pop((row.id, row.text), ""):
                item.go_on_editing(unsent)
                item.keep_edit("Not sent yet")
        else:
            self._items.move_to_end(row.id)
        return item

    def _close(self, item: MessageItem) -> None:
        if unsent := item.unsent_edit:
            self._edits[item.row.id, item.row.text] = unsent
        item.close_down()

    # Geometry

    @Slot()
    def relayout(self) -> None:
        """Measure and place what is in view; nothing else is touched."""
        if self._busy:
            return
        self._busy = True
        try:
            self._more_to_make = False
            for _ in range(_PASSES):
                if not self._measure():
                    break
            self._place()
        finally:
            self._busy = False
        if self._more_to_make:
            self._later.start()

    def _measure(self) -> bool:
        """Ask the rows in view how tall they are; True if one had another height than thought."""
        height, changed, seen = self.viewport().height(), False, 0
        if self._sticky:
            position = len(self._rows) - 1
            while position >= 0 and seen < height:
                changed |= self._measure_row(position)
                seen += self._heights[position]
                position -= 1
            return changed
        position, seen = self._anchor, -self._offset
        while position < len(self._rows) and seen < height:
            changed |= self._measure_row(position)
            seen += self._heights[position]
            position += 1
        return changed

    def _measure_row(self, position: int) -> bool:
        dragging = self.verticalScrollBar().isSliderDown()
        if dragging and self._rows[position].id not in self._items:
            # At most one new row a turn, so that the slider follows the hand
            if self._more_to_make:
                return False
            self._more_to_make = True
        return self._heights.set(position, self._item(position).height_for(self.viewport().width()))

    def _place(self) -> None:
        wide, height = self.viewport().width(), self.viewport().height()
        most = max(0, self._heights.total - height)
        y = most if self._sticky or not self._rows else min(self._heights.top(self._anchor) + self._offset, most)
        self._take_anchor(y)
        self._set_bar(y, most, height)
        visible, position = set(), self._anchor
        while position < len(self._rows) and self._heights.top(position) < y + height:
            row = self._rows[position]
            item = self._items.get(row.id)
            if item is not None:
                item.set_place(self._ordinals[position], self._ordinals[-1])
                item.setGeometry(0, self._heights.top(position) - y, wide, self._heights[position])
                item.show()
                visible.add(row.id)
            position += 1
        for row_id, item in self._items.items():
            if row_id not in visible and not item.isHidden():
                item.hide()
        self._evict(visible)
        self._jump.setVisible(most - y > _BUTTON_FROM_PX)
        self._jump.move((wide - _JUMP_SIZE) // 2, height - _JUMP_SIZE - 12)

    def _set_bar(self, y: int, most: int, height: int) -> None:
        bar = self.verticalScrollBar()
        if bar.property("idle") != (most == 0):
            bar.setProperty("idle", most == 0)
            bar.style().unpolish(bar)
            bar.style().polish(bar)
        bar.setPageStep(height)
        bar.setRange(0, most)
        if not bar.isSliderDown():
            bar.setValue(y)

    def _take_anchor(self, y: int) -> None:
        self._anchor = self._heights.row_at(y)
        self._offset = y - self._heights.top(self._anchor)

    def _evict(self, visible: set[int]) -> None:
        spare = len(self._items) - KEPT_ITEMS
        for row_id in list(self._items):
            if spare <= 0:
                return
            item = self._items[row_id]
            if row_id in visible or item.row.state == "streaming" or item.is_in_use:
                continue
            del self._items[row_id]
            item.close_down()
            spare -= 1

    @Slot(int)
    def _item_grew(self, row_id: int) -> None:
        position = self._index.get(row_id)
        item = self._items.get(row_id)
        if self._busy or position is None or item is None:
            return
        self._heights.set(position, item.height_for(self.viewport().width()))
        self.relayout()

    # Scrolling

    @property
    def at_end(self) -> bool:
        """Whether the newest row is in view and stays there while it grows."""
        return self._sticky

    @Slot()
    def scroll_to_end(self) -> None:
        """Show the end, and keep to it."""
        self._sticky = True
        self.relayout()

    def scroll_to(self, y: int) -> None:
        """Bring a height of the whole list to the upper edge, in pixels."""
        most = max(0, self._heights.total - self.viewport().height())
        y = max(0, min(y, most))
        self._sticky = y >= most - _AT_END_PX
        self._take_anchor(y)
        self.relayout()

    def reveal(self, row_id: int) -> MessageItem | None:
        """Scroll as little as needed to show a row, and give its widget."""
        position = self._index.get(row_id)
        if position is None:
            return None
        top, height = self._heights.top(position), self.viewport().height()
        y = self._heights.top(self._anchor) + self._offset
        if top < y or self._heights[position] >= height:
            self.scroll_to(top)
        elif top + self._heights[position] > y + height:
            self.scroll_to(top + self._heights[position] - height)
        return self._items.get(row_id)

    @Slot(int)
    def _scrolled(self, value: int) -> None:
        if self._busy:
            return
        self._sticky = value >= self.verticalScrollBar().maximum() - _AT_END_PX
        self._take_anchor(value)
        self.relayout()

    # Qt

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Rows are placed, not moved."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the rows into the new width."""
        super().resizeEvent(event)
        self.relayout()

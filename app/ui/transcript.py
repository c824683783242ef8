"""The conversation on screen: messages that stream, and what a person can do with them."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.markdown_style import MarkdownStyle
from app.ui.message_item import MessageItem
from app.ui.transcript_access import announce, install
from app.ui.transcript_view import RowView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QKeyEvent

    from app.ui.theme import Theme
    from app.ui.transcript_row import Row

# A text whose end takes long to lay out is shown less often, so that at most this share of time goes into it
_LAYOUT_SHARE = 0.25
_CHEAP_S = 0.010


class Transcript(RowView):
    """Shows the rows of one chat.

    Signals: `regenerate_requested(id)`; `edit_requested(id, new_text)`: whoever cannot send it calls `keep_edit` at
    once; `too_long(int)`: a paste of so many characters into an edit was not taken; `version_requested(id, step)` with
    -1 or 1; `continue_requested(id)` for a reply that was cut off; `mark_requested(id, mark)`, "" to take a mark back;
    `origin_requested(id)`: what made this reply; `link_activated(url)`, http, https and mailto only.
    """

    regenerate_requested = Signal(int)
    edit_requested = Signal(int, str)
    too_long = Signal(int)
    version_requested = Signal(int, int)
    continue_requested = Signal(int)
    mark_requested = Signal(int, str)
    origin_requested = Signal(int)
    link_activated = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        install()
        self.setAccessibleName("Conversation")
        self._current = 0
        self._held: dict[int, str] = {}
        self._flush_at = 0.0
        self._flush_timer = QTimer(self, singleShot=True)
        self._flush_timer.timeout.connect(self._flush_held)
        self.item_made.connect(self._connect_item)

    # Rows

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Open a chat: show these rows instead of all others, from the end."""
        self._held.clear()
        self._formulas.set_busy(False)
        for item in self._items.values():
            self._close(item)
        self._items.clear()
        self._splice(0, len(self._rows), rows)
        self._sticky = True
        self._anchor = self._offset = 0
        self.relayout()

    def replace_rows(self, rows: Iterable[Row]) -> None:
        """Show another state of the same chat: what is the same stays where it is, selected or being edited."""
        new = list(rows)
        start = 0
        while start < min(len(new), len(self._rows)) and new[start].id == self._rows[start].id:
            start += 1
        for position in range(start):
            self._show_row(position, new[position])
        self._splice(start, len(self._rows), new[start:])
        for row in new[start:]:
            if row.id in self._items:
                self._items[row.id].set_row(row)
        self._held = {row_id: text for row_id, text in self._held.items() if row_id in self._index}
        self._anchor = min(self._anchor, max(0, len(new) - 1))
        self.relayout()

    def insert_row(self, position: int, row: Row) -> None:
        """Put a row before the one at `position`."""
        self._splice(position, position, [row])
        if position <= self._anchor and not self._sticky:
            self._anchor += 1
        self.relayout()

    def append_row(self, row: Row) -> None:
        """Add a row at the end."""
        self.insert_row(len(self._rows), row)

    def update_row(self, row_id: int, row: Row) -> None:
        """Show a row differently. Unknown ids are ignored: the person may have opened another chat meanwhile."""
        position = self._index.get(row_id)
        if position is None:
            return
        if row_id in self._held:
            self._flush_held()
        if row.id == row_id:
            self._show_row(position, row)
        else:
            self._splice(position, position + 1, [row])
        self.relayout()

    def show_mark(self, row_id: int, mark: str) -> None:
        """Show what the person thinks of a reply, and say it to those who only hear it."""
        position = self._index.get(row_id)
        if position is not None:
            self._show_row(position, replace(self._rows[position], mark=mark))
            announce(self, f"Marked as {mark}" if mark else "Mark taken back")

    def remove_row(self, row_id: int) -> None:
        """Take a row away."""
        position = self._index.get(row_id)
        if position is not None:
            self._held.pop(row_id, None)
            self._splice(position, position + 1, [])
            self._anchor = min(self._anchor, max(0, len(self._rows) - 1))
            self.relayout()

    def _show_row(self, position: int, row: Row) -> None:
        if row == self._rows[position]:
            return
        self._rows[position] = row
        item = self._items.get(row.id)
        if item is not None:
            item.set_row(row)
            self._heights.set(position, item.height_for(self.viewport().width()))

    # Streaming

    def append_text(self, row_id: int, text: str) -> None:
        """Add streamed text to a row; best called about 30 times a second."""
        if row_id not in self._index or not text:
            return
        self._held[row_id] = self._held.get(row_id, "") + text
        if perf_counter() >= self._flush_at:
            self._flush_held()
        elif not self._flush_timer.isActive():
            self._flush_timer.start(max(1, int((self._flush_at - perf_counter()) * 1000)))

    @property
    def is_behind(self) -> bool:
        """Whether some streamed text is still to be shown."""
        bodies = (item.body for item in self._items.values() if item.body is not None)
        return bool(self._held) or any(body.is_behind for body in bodies)

    def finish(self, row_id: int, row: Row) -> None:
        """The reply is complete, or was stopped: `row` is its last state."""
        if row_id not in self._index:
            return
        self._flush_held()
        self._formulas.set_busy(False)
        self.update_row(row_id, row)
        how = {"stopped": "Reply stopped", "failed": "Reply failed"}.get(row.state, "Reply finished")
        announce(self, how)

    @Slot()
    def _flush_held(self) -> None:
        begun = thread_time()
        self._formulas.set_busy(True)
        held, self._held = self._held, {}
        for row_id, text in held.items():
            position = self._index[row_id]
            row = replace(self._rows[position], text=self._rows[position].text + text)
            self._rows[position] = row
            item = self._items.get(row_id)
            if item is not None:
                item.add_text(text, row)
        spent = thread_time() - begun
        self._flush_at = perf_counter() + (spent / _LAYOUT_SHARE if spent > _CHEAP_S else 0)

    # Looks

    def set_theme(self, theme: Theme) -> None:
        """Change the colours and the text size of everything shown."""
        self._style = MarkdownStyle(theme)
        self._dress()
        for row_id, item in list(self._items.items()):
            if item.isHidden() and not item.is_in_use and item.row.state != "streaming":
                del self._items[row_id]
                item.close_down()
            else:
                item.restyle(self._style)
        self.relayout()

    # What a person does

    @Slot(object)
    def _connect_item(self, item: MessageItem) -> None:
        item.triggered.connect(self._triggered)
        item.edited.connect(self.edit_requested)
        item.too_long.connect(self.too_long)
        item.link_activated.connect(self.link_activated)
        item.announced.connect(self._announce)

    @Slot(int, str)
    def _triggered(self, row_id: int, action: str) -> None:
        if action == "regenerate":
            self.regenerate_requested.emit(row_id)
        elif action == "continue":
            self.continue_requested.emit(row_id)
        elif action in ("previous", "next"):
            self.version_requested.emit(row_id, -1 if action == "previous" else 1)
        elif action == "origin":
            self.origin_requested.emit(row_id)
        elif action in ("good", "bad"):
            row = self._rows[self._index[row_id]]
            self.mark_requested.emit(row_id, "" if row.mark == action else action)

    @Slot(str)
    def _announce(self, words: str) -> None:
        announce(self, words)

    def edit_row(self, row_id: int) -> None:
        """Begin to edit a person's turn in its place."""
        item = self.reveal(row_id)
        if item is not None:
            item.edit()

    def keep_edit(self, row_id: int, why: str = "Not sent") -> None:
        """An edit that was asked for cannot be sent: it stays open."""
        item = self.item(row_id)
        if item is not None:
            item.keep_edit(why)

    # Keyboard: Tab goes into one message and out again, Ctrl+Up and Ctrl+Down to its neighbours

    def _current_item(self) -> MessageItem | None:
        item = self._items.get(self._current)
        if item is not None and not item.isHidden() and item.tab_stops():
            return item
        usable = [item for item in self.visible_items() if item.tab_stops()]
        return usable[-1] if usable else None

    def _focused_item(self) -> MessageItem | None:
        widget = QApplication.focusWidget()
        while widget is not None and widget is not self:
            if isinstance(widget, MessageItem):
                return widget
            widget = widget.parentWidget()
        return None

    @Slot()
    def take_keyboard(self) -> None:
        """Put the keyboard on the message that had it last, else on the lowest in view."""
        self._enter(self._current_item())

    def _focus_neighbour(self, step: int) -> None:
        item = self._focused_item()
        if item is None:
            self._enter(self._current_item())
            return
        position = self._index[item.row.id] + step
        while 0 <= position < len(self._rows) and self._rows[position].kind == "marker":
            position += step
        if 0 <= position < len(self._rows):
            self._enter(self.reveal(self._rows[position].id))

    def _enter(self, item: MessageItem | None) -> None:
        stops = item.tab_stops() if item is not None else []
        if item is not None and stops:
            self._current = item.row.id
            stops[0].setFocus(Qt.FocusReason.TabFocusReason)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab order: the transcript, the current message, its actions, and out."""
        focus = QApplication.focusWidget()
        item = self._focused_item()
        stops: list[QWidget] = [self]
        inside = item or self._current_item()
        if inside is not None:
            stops += inside.tab_stops()
        if self._jump.isVisible():
            stops.append(self._jump)
        if item is not None:
            self._current = item.row.id
        at = next((i for i, stop in enumerate(stops) if stop is focus or stop.isAncestorOf(focus)), 0) if focus else 0
        if focus is not self and at == 0:
            at = next((i for i, stop in enumerate(stops[1:], 1) if focus and stop.isAncestorOf(focus)), 0)
        following = at + (1 if forward else -1)
        if 0 <= following < len(stops):
            reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
            stops[following].setFocus(reason)
            return True
        if focus is not self:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        return super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scrolling, and going from message to message."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        bar = self.verticalScrollBar()
        key = event.key()
        if control and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._focus_neighbour(-1 if key == Qt.Key.Key_Up else 1)
        elif key == Qt.Key.Key_Home:
            self.scroll_to(0)
        elif key == Qt.Key.Key_End:
            self.scroll_to_end()
        elif key == Qt.Key.Key_PageUp:
            bar.setValue(bar.value() - bar.pageStep() + 40)
        elif key == Qt.Key.Key_PageDown:
            bar.setValue(bar.value() + bar.pageStep() - 40)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.hasFocus():
            self._enter(self._current_item())
        elif key == Qt.Key.Key_Escape and self._focused_item() is not None:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)

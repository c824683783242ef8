"""The transcript as a screen reader sees it: a list named Conversation, with the rows in reading order."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QAccessibleWidget

from app.ui.message_item import MessageItem
from app.ui.transcript_view import RowView

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtGui import QAccessibleInterface
    from PySide6.QtWidgets import QWidget


class _ListInterface(QAccessibleWidget):
    """The rows in view, from top to bottom; Qt would give them in the order they were made."""

    def __init__(self, view: RowView) -> None:
        super().__init__(view, QAccessible.Role.List)
        self._view = view

    def _children(self) -> list[QWidget]:
        jump = self._view.jump_button
        return [*self._view.visible_items(), *([jump] if jump.isVisible() else [])]

    def childCount(self) -> int:
        """How many rows are in view."""
        return len(self._children())

    def child(self, index: int) -> QAccessibleInterface:
        """A row in view, or None."""
        items = self._children()
        return QAccessible.queryAccessibleInterface(items[index]) if 0 <= index < len(items) else None  # type: ignore[return-value]

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """Its place in view, or -1."""
        items = self._children()
        found = child.object() if child is not None else None
        return items.index(found) if found in items else -1


class _RowInterface(QAccessibleWidget):
    def __init__(self, item: MessageItem) -> None:
        super().__init__(item, QAccessible.Role.ListItem)
        if item.bar is not None:
            item.bar.materialise()  # who listens cannot hover


class AccessibleTranscripts:
    """Teaches Qt's accessibility about transcripts; keeps what it hands out, which Qt does not."""

    def __init__(self) -> None:
        self._made: list[QAccessibleInterface] = []

    def interface(self, _class_name: str, thing: QObject) -> QAccessibleInterface | None:
        """Qt's factory: an interface for what is ours, None for everything else."""
        made: QAccessibleInterface | None = None
        if isinstance(thing, RowView):
            made = _ListInterface(thing)
        elif isinstance(thing, MessageItem):
            made = _RowInterface(thing)
        if made is not None:
            self._made.append(made)
            thing.destroyed.connect(lambda _=None, gone=made: self._forget(gone))
        return made

    def _forget(self, gone: QAccessibleInterface) -> None:
        self._made = [made for made in self._made if made is not gone]


@cache
def install() -> AccessibleTranscripts:
    """Tell Qt about transcripts, once; its list of factories belongs to the process."""
    made = AccessibleTranscripts()
    QAccessible.installFactory(made.interface)
    return made


def announce(widget: QWidget, words: str) -> None:
    """Have a screen reader say something."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))

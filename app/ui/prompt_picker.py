"""The button that names where a system prompt comes from, and the menu to take another from the library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from app.core.prompts import found_in
from app.ui.icons import icon
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.prompt_library import PromptLibrary
    from app.services.prompt_link import PromptLink

_WIDE_PX = 290
_MOST_LINES = 12
_ARROW_PX = 16
_SMALL = 0.86
_HASH = Qt.ItemDataRole.UserRole


class PromptMenu(QMenu):
    """Finds a prompt by typing; the person's own first, then those that come with the app.

    Signals: `chosen(str)` with the hash of a prompt's current version; `none_chosen()`: no prompt at all.
    """

    chosen = Signal(str)
    none_chosen = Signal()

    def __init__(self, prompts: PromptLibrary, parent: QWidget | None = None, *, none: bool = True) -> None:
        """`none`: whether it can be left without a prompt."""
        super().__init__(parent)
        self._prompts = prompts
        self._used = ""
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a prompt")
        self.search.setAccessibleName("Find a prompt")
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Prompts")
        self.list.setProperty("kind", "items")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemActivated.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(6)
        column.addWidget(self.search)
        column.addWidget(self.list)
        holder.setFixedWidth(_WIDE_PX)
        finding = QWidgetAction(self)
        finding.setDefaultWidget(holder)
        self.addAction(finding)
        if none:
            self.addSeparator()
            self.addAction("No system prompt", self.none_chosen.emit)
        self.aboutToShow.connect(self.begin)

    def show_used(self, version_hash: str) -> None:
        """Which version is in use: its row is chosen first."""
        self._used = version_hash

    @Slot()
    def begin(self) -> None:
        """Show all prompts and take the keyboard; it opens."""
        self.search.clear()
        self._fill()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    @Slot()
    def _fill(self) -> None:
        typed = self.search.text()
        self.list.clear()
        own = [
            (one.name, one.current, one.note or one.text[:300])
            for one in self._prompts.prompts()
            if one.current and found_in(typed, one.name, *one.tags, one.note, one.text)
        ]
        bundled = [
            (one.name, one.version.hash, one.note or one.version.text[:300])
            for one in self._prompts.bundled()
            if found_in(typed, one.name, *one.tags, one.note, one.version.text)
        ]
        self._add("Your prompts", own)
        self._add("Come with Orcinus", bundled)
        if not own and not bundled:
            self._add_heading("Nothing was found")
        lines = min(max(self.list.count(), 3), _MOST_LINES)
        self.list.setFixedHeight(lines * (self.fontMetrics().height() + 12) + 4)

    def _add(self, heading: str, rows: Iterable[tuple[str, str, str]]) -> None:
        for place, (name, version_hash, tip) in enumerate(rows):
            if not place:
                self._add_heading(heading)
            item = QListWidgetItem(name)
            item.setData(_HASH, version_hash)
            item.setToolTip(tip)
            item.setSizeHint(QSize(10, self.fontMetrics().height() + 12))
            self.list.addItem(item)
            if version_hash == self._used or self.list.currentItem() is None:
                self.list.setCurrentItem(item)

    def _add_heading(self, words: str) -> None:
        item = QListWidgetItem(words)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * _SMALL)
        font.setWeight(QFont.Weight.DemiBold)
        item.setFont(font)
        item.setSizeHint(QSize(10, self.fontMetrics().height() + 12))
        self.list.addItem(item)

    @Slot(QListWidgetItem)
    def _choose(self, item: QListWidgetItem) -> None:
        if version_hash := item.data(_HASH):
            self.close()
            self.chosen.emit(version_hash)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list and Enter takes its row while words are typed."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self._step(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if (item := self.list.currentItem()) is not None:
                    self._choose(item)
                return True
        return super().eventFilter(watched, event)

    def _step(self, step: int) -> None:
        row = self.list.currentRow() + step
        while 0 <= row < self.list.count() and not self.list.item(row).data(_HASH):
            row += step
        if 0 <= row < self.list.count():
            self.list.setCurrentRow(row)


class PromptPicker(QPushButton):
    """Names the prompt that a text comes from; its menu takes another one.

    `library_asked(object)`: show the library, at this `PromptOrigin` if the text comes from it, else None.
    """

    library_asked = Signal(object)

    def __init__(self, prompts: PromptLibrary, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prompts, self._theme = prompts, theme
        self._link: PromptLink | None = None
        self.words = ""
        """All of the name, however little of it is shown."""
        self.setProperty("kind", "wide")
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.prompts_menu = PromptMenu(prompts, self)
        self.prompts_menu.aboutToShow.connect(prompts.refresh)
        self.prompts_menu.chosen.connect(self._take)
        self.prompts_menu.none_chosen.connect(self._take_none)
        self.prompts_menu.addAction("Open the library of prompts", self._ask_library)
        self.clicked.connect(self._open)
        self.set_theme(theme)
        self.refresh()

    def show_link(self, link: PromptLink) -> None:
        """Name what this link leads to."""
        if self._link is not None:
            self._link.changed.disconnect(self.refresh)
        self._link = link
        link.changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Name it anew."""
        link = self._link
        if link is None or not (link.text.strip() or link.origin):
            words = "No system prompt"
        elif link.origin is None:
            words = "Not from the library"
        else:
            words = link.origin.words
        shown = f"{words}, edited" if link is not None and link.edited else words
        self.words = shown
        room = max(40, self.width() - _ARROW_PX - 36)
        self.setText(self.fontMetrics().elidedText(shown, Qt.TextElideMode.ElideMiddle, room).replace("&", "&&"))
        self.setToolTip(f"{shown}\nTake another prompt")
        self.setAccessibleName(f"Saved prompt: {shown}")
        self.prompts_menu.show_used(link.version_hash if link is not None else "")

    @Slot()
    def _open(self) -> None:
        self.prompts_menu.popup(self.mapToGlobal(QPoint(0, self.height() + 2)))

    @Slot(str)
    def _take(self, version_hash: str) -> None:
        link = self._link
        if link is not None:
            self._prompts.find_version(version_hash, lambda version: link.use(version) if version is not None else None)

    @Slot()
    def _take_none(self) -> None:
        if self._link is not None:
            self._link.use_none()

    @Slot()
    def _ask_library(self) -> None:
        self.library_asked.emit(self._link.origin if self._link is not None else None)

    def set_theme(self, theme: Theme) -> None:
        """Draw the arrow in this theme's colours, and the words in its size."""
        self._theme = theme
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As much of the name as there is room for."""
        super().resizeEvent(event)
        self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The arrow stands at the right edge, whatever the name's length."""
        super().paintEvent(event)
        picture = QRect(self.width() - _ARROW_PX - 10, (self.height() - _ARROW_PX) // 2, _ARROW_PX, _ARROW_PX)
        icon("chevron-down", self._theme.muted, _ARROW_PX).paint(QPainter(self), picture)

    def minimumSizeHint(self) -> QSize:
        """A few letters are enough."""
        return QSize(self.fontMetrics().averageCharWidth() * 12, super().minimumSizeHint().height())

"""The line above a chat: its title, the tokens it uses, its model, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QStyle,
    QStyleOptionFrame,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.overflow import words_of
from app.ui.buttons import IconButton
from app.ui.cpu_badge import CpuBadge
from app.ui.icons import icon
from app.ui.model_picker import ModelPicker
from app.ui.theme import Theme
from app.ui.when_full_menu import WhenFullMenu
from app.ui.words import usage_words

if TYPE_CHECKING:
    from app.services.chat_session import ChatSession
    from app.services.context_meter import Usage
    from app.services.model_manager import ModelManager

_NARROW_PX = 540


class TokenGauge(QWidget):
    """How much of the context is used: in words, and as a bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._usage: Usage | None = None
        self._when_full = ""
        self._short = False
        self._words = QLabel()
        self._words.setProperty("kind", "faint")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Context used")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addStretch()
        column.addWidget(self._words)
        column.addWidget(self._bar)
        column.addStretch()

    def show_usage(self, usage: Usage) -> None:
        """Show these numbers."""
        self._usage = usage
        words = usage_words(usage)
        self._words.setText(usage_words(usage, short=self._short))
        self._bar.setRange(0, max(1, usage.context_tokens))
        self._bar.setValue(min(usage.used_tokens, usage.context_tokens))
        self._bar.setVisible(usage.context_tokens > 0)
        full = usage.context_tokens > 0 and usage.used_tokens > 0.9 * usage.context_tokens
        if bool(self._bar.property("full")) != full:
            self._bar.setProperty("full", full)
            self._bar.style().unpolish(self._bar)
            self._bar.style().polish(self._bar)
        self._bar.setAccessibleDescription(words)
        counted = "" if usage.exact else " It is counted exactly once the model is loaded."
        self.setToolTip(
            f"{words} are used: the system prompt and all turns that go to the model.{counted}\n"
            f"When the context is full: {self._when_full}. The system prompt always stays."
        )

    def show_when_full(self, words: str) -> None:
        """What is done when the context is full, in words."""
        if words != self._when_full:
            self._when_full = words
            if self._usage is not None:
                self.show_usage(self._usage)

    def set_short(self, short: bool) -> None:
        """Whether the numbers have to do without the word behind them."""
        if short != self._short:
            self._short = short
            if self._usage is not None:
                self.show_usage(self._usage)

    def words(self) -> str:
        """What it says."""
        return self._words.text()


class TitleField(QLineEdit):
    """The chat's title, which can be typed over; Escape takes the typing back.

    Signals: `retitled(str)` on a new title; `left_by_key()` when Enter or Escape ended the typing.
    """

    retitled = Signal(str)
    left_by_key = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kept = ""
        self.setProperty("kind", "title")
        self.setAccessibleName("Title of this chat")
        self.setToolTip("Rename this chat (F2)")
        self.setMaxLength(200)
        # a dropped file belongs to the window
        self.setAcceptDrops(False)
        self.editingFinished.connect(self.flush)
        self.returnPressed.connect(self.left_by_key)

    def show_title(self, title: str) -> None:
        """Show the title, unless another is being typed."""
        self._kept = title
        if not (self.hasFocus() and self.isModified()):
            self.setText(title)
            self.setCursorPosition(0)

    def begin(self) -> None:
        """Let the title be typed over."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    @Slot()
    def flush(self) -> None:
        """Take the title that was typed: on leaving, and before another chat's is shown."""
        typed = self.text().strip()
        if not self.isModified():
            return
        self.setModified(False)
        if typed and typed != self._kept:
            self._kept = typed
            self.retitled.emit(typed)
        self.setText(self._kept)
        self.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape takes back what was typed."""
        if event.key() == Qt.Key.Key_Escape:
            self.setModified(False)
            self.setText(self._kept)
            self.left_by_key.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A title that is longer than its room ends in dots, unless it is being typed."""
        option = QStyleOptionFrame()
        self.initStyleOption(option)
        room = self.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, self).adjusted(2, 0, -2, 0)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        if self.hasFocus() or shown == self.text():
            super().paintEvent(event)
            return
        painter = QStylePainter(self)
        painter.drawPrimitive(QStyle.PrimitiveElement.PE_PanelLineEdit, option)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class ChatHeader(QFrame):
    """The header.

    Signals: `retitled(str)`, `model_chosen(str)`, `open_asked()`, `sidebar_asked()`, `inspector_asked()`,
    `hardware_asked()`; and from the
    menu `pin_asked()`, `export_asked()`, `training_asked()`, `copy_asked()`, `delete_asked()`.
    """

    retitled = Signal(str)
    model_chosen = Signal(str)
    open_asked = Signal()
    sidebar_asked = Signal()
    inspector_asked = Signal()
    hardware_asked = Signal()
    pin_asked = Signal()
    export_asked = Signal()
    training_asked = Signal()
    copy_asked = Signal()
    delete_asked = Signal()

    def __init__(self, models: ModelManager, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self._theme = theme
        self._saved = False
        self._pinned = False
        self._session: ChatSession | None = None
        self.title = TitleField()
        self.title.retitled.connect(self.retitled)
        self.gauge = TokenGauge()
        self.picker = ModelPicker(models, theme)
        self.picker.model_chosen.connect(self.model_chosen)
        self.picker.open_asked.connect(self.open_asked)
        self.cpu = CpuBadge(models, theme)
        self.cpu.clicked.connect(self.hardware_asked)
        self._sidebar = IconButton("sidebar", "Show the chats", theme, keys="Ctrl+B", side_px=34)
        self._sidebar.clicked.connect(self.sidebar_asked)
        self._sidebar.hide()
        self.more = IconButton("more", "What can be done with this chat", theme, side_px=34)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        menu.aboutToShow.connect(self._fill)
        self.more.setMenu(menu)
        self._inspector = IconButton("panel", "System prompt and settings", theme, keys="Ctrl+J", side_px=34)
        self._inspector.setCheckable(True)
        self._inspector.clicked.connect(self.inspector_asked)
        self._lay_out()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._sidebar)
        row.addWidget(self.title, 1)
        row.addSpacing(6)
        row.addWidget(self.gauge)
        row.addSpacing(4)
        row.addWidget(self.cpu)
        row.addWidget(self.picker)
        row.addWidget(self.more)
        row.addWidget(self._inspector)
        self.setFixedHeight(max(56, self.fontMetrics().height() + 38))

    def show_chat(self, title: str, *, pinned: bool, saved: bool) -> None:
        """Show a chat's title; one that is not saved yet can be neither pinned nor deleted."""
        self._pinned = pinned
        self._saved = saved
        self.title.show_title(title)
        self.more.setEnabled(saved)

    def show_overflow(self, session: ChatSession) -> None:
        """Show what becomes of this chat when the context is full; the menu can change it."""
        self._session = session
        words = words_of(session.overflow().when_full)
        self.gauge.show_when_full(f"{words[:1].lower()}{words[1:]}")

    def show_panels(self, *, sidebar: bool, inspector: bool) -> None:
        """Which panels are open: the button for a closed one offers it."""
        self._sidebar.setVisible(not sidebar)
        self._inspector.setChecked(inspector)
        words = "Hide system prompt and settings" if inspector else "System prompt and settings"
        self._inspector.set_words(words, "Ctrl+J")
        self._inspector.set_theme(self._theme)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self._theme = theme
        self.setFixedHeight(max(56, self.fontMetrics().height() + 38))

    @Slot()
    def _fill(self) -> None:
        menu = self.more.menu()
        menu.clear()
        colour = self._theme.muted
        menu.addAction(icon("pin", colour, 16), "Unpin" if self._pinned else "Pin to the top", self.pin_asked.emit)
        menu.addAction(icon("copy", colour, 16), "Copy the conversation", self.copy_asked.emit)
        menu.addAction(icon("export", colour, 16), "Export…", self.export_asked.emit)
        menu.addAction(icon("cap", colour, 16), "Rated answers as training data…", self.training_asked.emit)
        if self._session is not None:
            menu.addSeparator()
            menu.addMenu(WhenFullMenu(self._session, menu)).setIcon(icon("list", colour, 16))
        menu.addSeparator()
        menu.addAction(icon("trash", colour, 16), "Delete", self.delete_asked.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """On a narrow line the model's name is shortened, and the menu gives way: the list of chats has it too."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX
        self.picker.set_narrow(narrow)
        self.gauge.set_short(narrow)
        self.more.setVisible(not narrow)

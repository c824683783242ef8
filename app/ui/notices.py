"""What the app has to tell, as bars inside the window: nothing has to be answered before going on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.services.notice import Notice
from app.ui.buttons import IconButton, WordButton
from app.ui.icons import icon
from app.ui.report_button import ReportButton
from app.ui.theme import Theme

SHOWN_MS = 12_000
"""How long a bar that only informs stays; trouble stays until it is closed."""
SHOWN_WITH_ACTIONS_MS = 60_000
"""The same where the bar offers something, such as to undo: there is time to look at what happened."""
_MOST_BARS = 3
_MOST_BESIDE = 0.45
"""The share of a bar that buttons may take beside the words; where they need more, they stand below."""
_LEVELS = {
    "info": ("info", "accent", "Note"),
    "warning": ("warning", "warn", "Warning"),
    "error": ("error", "danger", "Trouble"),
}


def _plain(text: str, kind: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    # a file's name may look like markup
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("kind", kind)
    return label


class NoticeBar(QFrame):
    """One notice with its buttons. `closed` comes once, when the person or the time put it away."""

    closed = Signal()

    def __init__(self, notice: Notice, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setObjectName("notice")
        self.setProperty("level", notice.level)
        self._picture = QLabel()
        self._close = IconButton("close", "Close this notice", theme, side_px=26)
        self._close.clicked.connect(self.closed)
        self._buttons = self._make_buttons(theme)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_WITH_ACTIONS_MS if notice.actions else SHOWN_MS)
        self._timer.timeout.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        words = self._words()
        row.addLayout(words, 1)
        self._beside, self._below = QHBoxLayout(), QHBoxLayout()
        row.addLayout(self._beside)
        words.addLayout(self._below)
        self._below.addStretch()
        self._offered = (*self._buttons, *self._make_report_button(theme))
        for place in (self._beside, self._below):
            place.setSpacing(10)
        self._put_buttons(self._beside)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName(f"{_LEVELS[notice.level][2]}: {notice.title}")
        self.set_theme(theme)
        if notice.level == "info":
            self._timer.start()

    def _words(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(2)
        column.setContentsMargins(0, 3, 0, 3)
        column.addWidget(_plain(self.notice.title, "heading"))
        rest = " ".join(
            text if text.endswith((".", "?", "!")) else f"{text}."
            for text in (self.notice.detail, self.notice.hint)
            if text
        )
        if rest:
            words = _plain(rest, "muted")
            # what went wrong is often looked up or passed on
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(words)
        return column

    def _make_buttons(self, theme: Theme) -> list[WordButton]:
        buttons = []
        for words, _ in self.notice.actions:
            button = WordButton(words, theme, kind="outline")
            button.clicked.connect(self._act)
            buttons.append(button)
        return buttons

    def _make_report_button(self, theme: Theme) -> list[ReportButton]:
        return [ReportButton(self.notice.report, theme)] if self.notice.report else []

    def _put_buttons(self, place: QHBoxLayout) -> None:
        for number, button in enumerate(self._offered):
            place.insertWidget(number, button, 0, Qt.AlignmentFlag.AlignTop)
        self._below.setContentsMargins(0, 4 if place is self._below and self._offered else 0, 0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The words keep their room: what cannot stand beside them stands below."""
        super().resizeEvent(event)
        needed = sum(button.sizeHint().width() + self._beside.spacing() for button in self._offered)
        place = self._beside if needed <= event.size().width() * _MOST_BESIDE else self._below
        if self._offered and place.indexOf(self._offered[0]) < 0:
            self._put_buttons(place)

    @Slot()
    def _act(self) -> None:
        sender = self.sender()
        for button, (_, action) in zip(self._buttons, self.notice.actions, strict=True):
            if button is sender:
                self.closed.emit()
                action()

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in this theme's colours."""
        name, token, _ = _LEVELS[self.notice.level]
        self._picture.setPixmap(icon(name, getattr(theme, token), 20).pixmap(20, 20))
        self._picture.setContentsMargins(0, 4, 0, 0)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay as long as somebody looks at it."""
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Count anew when nobody does."""
        if self.notice.level == "info":
            self._timer.start()
        super().leaveEvent(event)


class Notices(QWidget):
    """The bars that are open, the newest at the top; takes no room while there are none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bars: list[NoticeBar] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(20, 10, 20, 0)
        self._column.setSpacing(6)
        self.hide()

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Open a bar. It takes the place of one with the same title; the oldest goes when there are many."""
        same = [bar for bar in self._bars if (bar.notice.title, bar.notice.level) == (notice.title, notice.level)]
        for bar in same or self._bars[_MOST_BARS - 1 :]:
            self._remove(bar)
        bar = NoticeBar(notice, self._theme)
        bar.closed.connect(self._close_sender)
        self._bars.insert(0, bar)
        self._column.insertWidget(0, bar)
        self.show()
        spoken = ". ".join(text for text in (notice.title, notice.detail, notice.hint) if text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, spoken))

    def notices(self) -> tuple[Notice, ...]:
        """The notices that are open, the newest first."""
        return tuple(bar.notice for bar in self._bars)

    def close_newest(self) -> bool:
        """Put the newest bar away; False when there is none."""
        if not self._bars:
            return False
        self._remove(self._bars[0])
        return True

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for bars to come."""
        self._theme = theme

    @Slot()
    def _close_sender(self) -> None:
        bar: QObject | None = self.sender()
        if isinstance(bar, NoticeBar) and bar in self._bars:
            self._remove(bar)

    def _remove(self, bar: NoticeBar) -> None:
        self._bars.remove(bar)
        self._column.removeWidget(bar)
        bar.hide()
        bar.deleteLater()
        self.setVisible(bool(self._bars))

"""One download in the strip: its true state in words, a bar, and its buttons."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.library import Download, DownloadState, Trouble
from app.ui.buttons import IconButton, WordButton
from app.ui.icons import icon
from app.ui.model_facts import ElidedLabel
from app.ui.model_rows import download_cell
from app.ui.model_words import bytes_words, download_words, percent, rate
from app.ui.theme import Theme

_WIDE_PX = 900
_PRESS = {
    DownloadState.QUEUED: ("pause", "Pause"),
    DownloadState.RUNNING: ("pause", "Pause"),
    DownloadState.VERIFYING: ("pause", "Pause"),
    DownloadState.WAITING: ("refresh", "Retry now"),
    DownloadState.PAUSED: ("play", "Resume"),
    DownloadState.FAILED: ("refresh", "Retry"),
    DownloadState.DONE: ("spark", "Chat with"),
}
_REMEDIES = {"token": "Add token…", "licence": "Open the model’s page…", "folder": "Choose a folder…", "relist": "Look"}


class DownloadLine(QFrame):
    """Shows a download.

    Signals: `pressed(int)` for what its state offers, `cancelled(int)`, `moved(int, int)` with steps up (-1) or down,
    `remedy_asked(int, str)`.
    """

    pressed = Signal(int)
    cancelled = Signal(int)
    moved = Signal(int, int)
    remedy_asked = Signal(int, str)

    def __init__(self, row: Download, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("downloadLine")
        self._theme, self._row = theme, row
        self._picture = QLabel()
        self._name = ElidedLabel("")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        self._bytes, self._speed, self._state = QLabel(), QLabel(), ElidedLabel("")
        self._more_words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._remedy = WordButton("", theme, kind="outline")
        self._remedy.clicked.connect(self._ask_remedy)
        self._press = IconButton("pause", "Pause", theme, side_px=30)
        self._press.clicked.connect(self._pressed)
        self._cancel = IconButton("close", "Cancel", theme, side_px=30)
        self._cancel.clicked.connect(self._cancelled)
        self._more = IconButton("more", "More", theme, side_px=30)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self._more)
        self._menu.aboutToShow.connect(self._fill)
        self._more.setMenu(self._menu)
        self._lay_out()
        self.show_row(row)

    def _lay_out(self) -> None:
        for label in (self._bytes, self._speed, self._more_words):
            label.setProperty("kind", "muted")
        self._bar.setMinimumWidth(60)
        letters = self.fontMetrics().averageCharWidth()
        self._bytes.setMinimumWidth(letters * 17)
        self._bytes.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._speed.setMinimumWidth(letters * 10)
        self._speed.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._picture)
        self._words = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._words.setSpacing(12)
        self._words.addWidget(self._name, 5)
        self._words.addWidget(self._bar, 4)
        self._words.addWidget(self._bytes)
        self._words.addWidget(self._speed)
        self._words.addWidget(self._state, 7)
        row.addLayout(self._words, 1)
        row.addWidget(self._remedy)
        for button in (self._press, self._more, self._cancel):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 3, 0, 3)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._more_words)

    @property
    def row(self) -> Download:
        """What is shown."""
        return self._row

    def show_row(self, row: Download) -> None:
        """Show this state."""
        before, self._row = self._row, row
        wanted = row.wanted
        self._name.setText(f"{wanted.name}  {wanted.quant}")
        self._name.setToolTip(f"{wanted.repo_id} · {wanted.quant}")
        self._bar.setValue(round(1000 * row.have_bytes / max(1, wanted.size_bytes)))
        self._bytes.setText(bytes_words(row))
        running = row.state in (DownloadState.RUNNING, DownloadState.VERIFYING)
        self._speed.setText(rate(row.speed) if running else "")
        words = download_words(row)
        self._state.setText(words)
        self._show_trouble(row.trouble if row.state in (DownloadState.FAILED, DownloadState.WAITING) else None)
        self.setAccessibleName(f"{wanted.name} {wanted.quant}: {words}")
        self._bar.setAccessibleName(f"{wanted.name}: {percent(row)} %")
        if before.state is not row.state or not self._press.accessibleDescription():
            self._show_state()
        self._fit()

    def _show_trouble(self, trouble: Trouble | None) -> None:
        parts = (trouble.detail, trouble.hint) if trouble is not None else ()
        more = " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)
        self._state.setToolTip(f"{self._state.text()}\n{more}".strip())
        self._more_words.setText(more if self._row.state is DownloadState.FAILED else "")
        self._more_words.setVisible(bool(self._more_words.text()))
        remedy = trouble.remedy if trouble is not None else ""
        self._remedy.setVisible(remedy in _REMEDIES)
        self._remedy.setText(_REMEDIES.get(remedy, ""))

    def _show_state(self) -> None:
        row, name = self._row, self._row.wanted.name
        cell = download_cell(row)
        self._picture.setPixmap(icon(cell.icon, getattr(self._theme, cell.tone), 18).pixmap(18, 18))
        picture, words = _PRESS[row.state]
        self._press.set_icon(picture, self._theme)
        self._press.set_words(f"{words} {name}")
        self._press.setAccessibleDescription(download_words(row))
        done = row.state is DownloadState.DONE
        self._cancel.set_words(f"Take {name} off this list" if done else f"Cancel {name} and discard what is there")
        self._more.set_words(f"More for {name}")
        self._state.setProperty("kind", {"ok": "good", "warn": "warn", "danger": "bad"}.get(cell.tone, ""))
        self._state.style().unpolish(self._state)
        self._state.style().polish(self._state)
        colour = getattr(self._theme, cell.tone)
        self._bar.setStyleSheet(f"QProgressBar::chunk {{ background: {colour}; border-radius: 3px; }}")

    def words(self) -> str:
        """Its state in words."""
        return self._state.text()

    def button(self, which: str) -> QToolButton:
        """Its button: "press", "cancel" or "more"."""
        return {"press": self._press, "cancel": self._cancel, "more": self._more}[which]

    def remedy_button(self) -> WordButton:
        """The button that mends the trouble; hidden where there is none."""
        return self._remedy

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in this theme's colours."""
        self._theme = theme
        self._show_state()

    @Slot()
    def _fill(self) -> None:
        menu, colour = self._menu, self._theme.muted
        menu.clear()
        menu.addAction(icon("up", colour, 16), "Earlier in the queue", lambda: self.moved.emit(self._row.id, -1))
        menu.addAction(icon("down", colour, 16), "Later in the queue", lambda: self.moved.emit(self._row.id, 1))
        menu.addSeparator()
        words = "Take off this list" if self._row.state is DownloadState.DONE else "Cancel and discard"
        menu.addAction(icon("close", colour, 16), words, self._cancelled)

    @Slot()
    def _pressed(self) -> None:
        self.pressed.emit(self._row.id)

    @Slot()
    def _cancelled(self) -> None:
        self.cancelled.emit(self._row.id)

    @Slot()
    def _ask_remedy(self) -> None:
        if self._row.trouble is not None:
            self.remedy_asked.emit(self._row.id, self._row.trouble.remedy)

    def _fit(self) -> None:
        wide = self.width() >= _WIDE_PX * max(1.0, self._theme.font_pt / 11)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._words.setDirection(right if wide else down)
        self._words.setSpacing(12 if wide else 3)
        self._bytes.setVisible(wide)
        self._speed.setVisible(wide)
        if not wide and self._row.state is DownloadState.RUNNING:
            self._state.setText(f"{percent(self._row)} %, {download_words(self._row)}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow line says less."""
        super().resizeEvent(event)
        self._fit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The same menu as behind the button."""
        self._menu.popup(event.globalPos() or self.mapToGlobal(QPoint(0, 0)))

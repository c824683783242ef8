"""The strip at the bottom of the model pages: every download with its true state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.library import Download, DownloadState
from app.ui.buttons import IconButton, WordButton
from app.ui.download_line import DownloadLine
from app.ui.model_facts import ElidedLabel
from app.ui.model_rows import BUSY
from app.ui.model_words import disk_size, rate
from app.ui.row_layout import page_margin
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.downloads import Downloads

_MOST_LINES = 4
_MOST_LINES_LOW = 1
_LOW_PX = 620


class DownloadsStrip(QFrame):
    """Hidden while there is nothing to download.

    Signals: `pressed(Download)` for what a row's state offers; `remedy_asked(Download, str)`; `cancel_asked(Download)`
    where bytes would be thrown away.
    """

    pressed = Signal(object)
    remedy_asked = Signal(object, str)
    cancel_asked = Signal(object)

    def __init__(self, downloads: Downloads, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAccessibleName("Downloads")
        self._downloads, self._theme = downloads, theme
        self._lines: dict[int, DownloadLine] = {}
        self._folded = False
        self._summary = ElidedLabel("")
        self._summary.setProperty("kind", "muted")
        self._all = WordButton("Pause all", theme, kind="outline", icon_name="pause")
        self._all.clicked.connect(self._press_all)
        self._fold = IconButton("chevron-down", "Fold the downloads", theme, side_px=30)
        self._fold.clicked.connect(self._fold_or_unfold)
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._column.setSpacing(0)
        self._area = QScrollArea(widgetResizable=True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(self._inside)
        self._lay_out()
        downloads.changed.connect(self.refresh)
        downloads.progressed.connect(self._progressed)
        self.refresh()

    def _lay_out(self) -> None:
        title = QLabel("Downloads")
        title.setProperty("kind", "heading")
        self._head = QHBoxLayout()
        self._head.setSpacing(10)
        self._head.addWidget(title)
        self._head.addWidget(self._summary, 1)
        self._head.addWidget(self._all)
        self._head.addWidget(self._fold)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(self._area)

    @Slot()
    def refresh(self) -> None:
        """Show the queue as it is now; lines that are still there keep their buttons and the keyboard."""
        rows = sorted(self._downloads.rows(), key=lambda row: row.position)
        for gone in set(self._lines) - {row.id for row in rows}:
            line = self._lines.pop(gone)
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        for place, row in enumerate(rows):
            line = self._lines.get(row.id) or self._add_line(row)
            if self._column.indexOf(line) != place:
                self._column.insertWidget(place, line)
            line.show_row(row)
        self._summarise(rows)
        self.setVisible(bool(rows))
        self._fit()

    def _add_line(self, row: Download) -> DownloadLine:
        line = DownloadLine(row, self._theme)
        line.pressed.connect(self._press)
        line.cancelled.connect(self._cancel)
        line.moved.connect(self._move)
        line.remedy_asked.connect(self._ask_remedy)
        self._lines[row.id] = line
        return line

    @Slot(int)
    def _progressed(self, download_id: int) -> None:
        row = self._downloads.row(download_id)
        if row is not None and download_id in self._lines:
            self._lines[download_id].show_row(row)
            self._summarise(list(self._downloads.rows()))

    def _summarise(self, rows: list[Download]) -> None:
        running = [row for row in rows if row.state is DownloadState.RUNNING]
        left = sum(row.wanted.size_bytes - row.have_bytes for row in rows if row.state is not DownloadState.DONE)
        parts = []
        if running:
            parts.append(f"{len(running)} running at {rate(sum(row.speed for row in running))}")
        if left:
            parts.append(f"{disk_size(left)} to go in all")
        self._summary.setText(" · ".join(parts))
        self._summary.setToolTip(self._summary.text())
        lively = any(row.state in BUSY or row.state is DownloadState.WAITING for row in rows)
        idle = any(row.state in (DownloadState.PAUSED, DownloadState.FAILED) for row in rows)
        self._all.setText("Pause all" if lively else "Resume all")
        self._all.set_icon("pause" if lively else "play", self._theme)
        self._all.setVisible(lively or idle)

    def lines(self) -> list[DownloadLine]:
        """The lines, in the queue's order."""
        return sorted(self._lines.values(), key=self._column.indexOf)

    def summary(self) -> str:
        """What it says of all downloads together."""
        return self._summary.text()

    def all_button(self) -> WordButton:
        """The button for all downloads together."""
        return self._all

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size, and use it for lines to come."""
        self._theme = theme
        self._fit()

    @Slot(int)
    def _press(self, download_id: int) -> None:
        row = self._downloads.row(download_id)
        if row is not None:
            self.pressed.emit(row)

    @Slot(int)
    def _cancel(self, download_id: int) -> None:
        row = self._downloads.row(download_id)
        if row is None:
            return
        if row.state is DownloadState.DONE or not row.have_bytes:
            self._downloads.cancel(download_id)
        else:
            self.cancel_asked.emit(row)

    @Slot(int, int)
    def _move(self, download_id: int, step: int) -> None:
        ids = [line.row.id for line in self.lines()]
        if download_id in ids:
            place = ids.index(download_id) + step
            if 0 <= place < len(ids):
                self._downloads.move(download_id, place)

    @Slot(int, str)
    def _ask_remedy(self, download_id: int, remedy: str) -> None:
        row = self._downloads.row(download_id)
        if row is not None:
            self.remedy_asked.emit(row, remedy)

    @Slot()
    def _press_all(self) -> None:
        if self._all.text() == "Pause all":
            self._downloads.pause_all()
        else:
            self._downloads.resume_all()

    @Slot()
    def _fold_or_unfold(self) -> None:
        self._folded = not self._folded
        self._fold.set_icon("chevron-up" if self._folded else "chevron-down", self._theme)
        self._fold.set_words("Show the downloads" if self._folded else "Fold the downloads")
        self._fit()

    def _fit(self) -> None:
        lines = self.lines()
        page = self.parentWidget()
        most = _MOST_LINES if page is None or page.height() >= _LOW_PX else _MOST_LINES_LOW
        height = sum(line.sizeHint().height() for line in lines[:most]) + 8
        self._area.setFixedHeight(height)
        self._area.setVisible(not self._folded and bool(lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low window shows fewer lines at once, a wide one keeps them as short as the lists above."""
        super().resizeEvent(event)
        side = page_margin(self.width())
        self._column.setContentsMargins(side, 0, side, 6)
        self._head.setContentsMargins(side, 7, side - 4, 5)
        self._fit()
